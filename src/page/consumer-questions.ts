import { consumeCounts } from "../consume/counters.ts";
import type { Decided } from "../decisions/decided.ts";
import { asked, counted, ownersOf, totalOf, valueIn, whole, windowOf } from "./question-words.ts";
import type { Grounds } from "./questions.ts";
import type { Question } from "./wire.ts";

const redeliveriesOf = counted("redelivery", "redeliveries");
const messagesOf = counted("message", "messages");

/** Question D, where there is a consumer. */
export function consumerQuestions(decided: readonly Decided[], { metrics, jobs }: Grounds): readonly Question[] {
  const declared = decided.filter(({ kind }) => kind === "consumer");
  if (declared.length === 0) return [];
  const open = declared.filter(({ undecided }) => undecided.length > 0);
  const absorbed = totalOf(metrics.consumers, "replayed");
  const received = totalOf(metrics.consumers, "received");
  // works of one operation that two consumers feed are the same ones
  const parkedOf = new Map(jobs.consumers.map(({ operation, parked }) => [operation, parked]));
  const parked = [...parkedOf.values()].reduce((sum, { count }) => sum + count, 0);
  const more = [...parkedOf.values()].some((one) => one.more);
  const aside = consumeCounts
    .filter((count) => count.startsWith("set-aside-"))
    .reduce((sum, count) => sum + totalOf(metrics.consumers, count), 0);
  const waits =
    parked === 0 ? "None is parked." : `**${whole(parked)}${more ? " and more" : ""}** parked for a person.`;
  return [
    {
      ...asked("D"),
      state: open.length > 0 ? "undecided" : absorbed > 0 ? "evidence" : "declared",
      answer:
        open.length > 0
          ? `Nobody has decided this in full for **${open.length} of ${declared.length}** consumers.`
          : absorbed > 0
            ? `**${redeliveriesOf(absorbed)}** absorbed by business id. ${waits}`
            : `**${declared.length} of ${declared.length}** are known by their business id. None has come again yet.`,
      detail: [
        `${declared.map(({ name, answers }) => `${name}: ${valueIn(answers["operation"])}`).join("; ")}.`,
        `${messagesOf(received)} received${aside === 0 ? "" : `, ${whole(aside)} set aside`}.`,
      ].join(" "),
      owners: open.length > 0 ? "nobody" : ownersOf(declared),
      source: open.length > 0 ? open.map(({ name }) => name).join(", ") : `counted, ${windowOf(metrics)}`,
    },
  ];
}
