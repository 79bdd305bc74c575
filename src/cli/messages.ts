import type { LetterChoice, LetterCounts } from "../admin/consumers.ts";
import { defaults } from "../base/defaults.ts";
import type { DeadLetterReason } from "../contract/source.ts";
import { failedJob, type JobOptions, type Jobs, oneOf, withJobs } from "./jobs.ts";
import { confirmed, notSo } from "./operations.ts";
import { asJson, printable, refuse } from "./print.ts";
import { consumerLines, outboxLines } from "./show-messages.ts";
import { count } from "./show-pairs.ts";

/** As the command line is parsed. */
interface MessagesOptions extends JobOptions {
  readonly consumer?: string;
  readonly reason?: DeadLetterReason;
}
export interface ListMessagesOptions extends MessagesOptions {
  readonly limit?: number;
}
export interface ActOnMessagesOptions extends MessagesOptions {
  readonly id?: readonly string[];
  readonly most?: number;
}
export interface DiscardOptions extends ActOnMessagesOptions {
  readonly yes?: boolean;
}

/** Each prints, and answers the exit code: 0 done; 1 it is not so, or not done; 2 what was given cannot be used. */

export function runListMessages(module: string | undefined, options: ListMessagesOptions): Promise<number> {
  return withConsumers(module, options, async ({ declared, name, ask }) => {
    const names = name === undefined ? declared.map((one) => one.name) : [name];
    // whoever names a consumer asks about that alone
    const told = name === undefined ? await ask({ verb: "outboxes" }) : noOutboxes;
    if (told.is !== "outboxes") return failedJob(told, options, "");
    const { outboxes } = told;
    if (names.length === 0 && outboxes.length === 0) {
      return refuse("The module declares no consumer and no outbox.");
    }
    const { reason, limit = defaults.cli.lettersListed, json } = options;
    const answer = await ask({ verb: "consumers", names, choice: { reason, most: limit } });
    if (answer.is !== "consumers") return failedJob(answer, options, "");
    const { consumers } = answer;
    const lines = [
      ...consumers.flatMap((consumer) => consumerLines(consumer, Date.now())),
      ...outboxLines(outboxes, Date.now()),
    ];
    process.stdout.write(json === true ? asJson({ consumers, outboxes }) : `${lines.join("\n")}\n`);
    return consumers.some(({ failed }) => failed !== null) ? 1 : 0;
  });
}

const noOutboxes = { is: "outboxes", outboxes: [] } as const;

export function runRedrive(module: string | undefined, options: ActOnMessagesOptions): Promise<number> {
  return withOne(module, options, async (name, { askAtLength }) => {
    const answer = await askAtLength({ verb: "consumer-redrive", name, choice: choiceIn(options) }, {});
    if (answer.is !== "letters-acted") return failedJob(answer, options, goesOn);
    return told(name, "redriven", "sent again", answer.counts, options);
  });
}

export function runDiscard(module: string | undefined, options: DiscardOptions): Promise<number> {
  const { id, reason } = options;
  if (id === undefined && reason === undefined) {
    return Promise.resolve(refuse("Say which are to be removed for good: --id, as list tells it, or --reason."));
  }
  return withOne(module, options, async (name, { askAtLength }) => {
    const which = id === undefined ? `Dead letters of the reason ${reason}` : count(id.length, "dead letter");
    if (options.yes !== true) {
      if (process.stdin.isTTY !== true) return refuse("Nobody can be asked here, so nothing was changed. Say --yes.");
      process.stderr.write(
        `${which} of ${printable(name)} would be removed for good. What they asked for does not happen, unless their senders send them again.\n`,
      );
      if (!(await confirmed())) return notSo("Nothing was changed.");
    }
    const answer = await askAtLength({ verb: "consumer-discard", name, choice: choiceIn(options) }, {});
    if (answer.is !== "letters-acted") return failedJob(answer, options, goesOn);
    return told(name, "discarded", "removed", answer.counts, options);
  });
}

const goesOn = "What was done stays; the same again goes on.";

function choiceIn({ id, reason, most }: ActOnMessagesOptions): LetterChoice {
  return { ids: id, reason, most };
}

function told(
  consumer: string,
  does: "redriven" | "discarded",
  words: string,
  { done, gone, more }: LetterCounts,
  { json }: JobOptions,
): number {
  const lines = [
    `${printable(consumer)}: ${done === 0 ? "none" : count(done, "message")} ${words}.`,
    ...(gone === 0
      ? []
      : [`${count(gone, "message is", "messages are")} not there any more: somebody else was first.`]),
    ...(more ? ["There are others still: the same again goes on with them."] : []),
  ];
  process.stdout.write(json === true ? asJson({ consumer, [does]: done, gone, more }) : `${lines.join("\n")}\n`);
  return gone === 0 ? 0 : 1;
}

function withConsumers(
  module: string | undefined,
  options: MessagesOptions,
  work: (jobs: Jobs) => Promise<number>,
): Promise<number> {
  const words = module === undefined ? [options.consumer] : [module, options.consumer];
  return withJobs("consumer", words, options, work);
}

function withOne(
  module: string | undefined,
  options: MessagesOptions,
  work: (name: string, jobs: Jobs) => Promise<number>,
): Promise<number> {
  return withConsumers(module, options, async (jobs) => {
    const consumer = oneOf("consumer", jobs);
    return typeof consumer === "string" ? refuse(consumer) : work(consumer.name, jobs);
  });
}
