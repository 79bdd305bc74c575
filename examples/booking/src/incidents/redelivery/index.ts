import { randomUUID } from "node:crypto";
import type { IncidentResult, IncidentSide } from "reprise/page";
import { config } from "../../config.ts";
import { inScratch, type Progress, together } from "../scratch.ts";
import { type Damage, sum } from "./count.ts";
import { dropQueues } from "./queues.ts";
import { lease, messages, runSide, type SideResult } from "./run.ts";
import type { Side } from "./worker.ts";

export interface RedeliverySettings {
  readonly seed: number;
  /** A few kills. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export interface Redelivery {
  /** Of both usual checks together. */
  readonly without: Damage;
  readonly with: Damage;
  /** On each side. */
  readonly kills: number;
  readonly result: IncidentResult;
}

/** Kills consumers between a message's work and its acknowledgement, and elsewhere, with the usual checks and with Reprise. */
export async function runRedelivery({ seed, quick, progress }: RedeliverySettings): Promise<Redelivery> {
  const kills = quick ? 5 : 25;
  const url = config.rabbitmq;
  return inScratch("redelivery", async (directory) => {
    const progressOf = together(progress, ["look-first", "mark-first", "with"]);
    const run = async (side: Side) => {
      const rabbitmq = url === null ? null : { url, prefix: `incident-${randomUUID().slice(0, 8)}.` };
      try {
        return await runSide({ ...{ side, directory, rabbitmq, kills, seed }, progress: progressOf[side] });
      } finally {
        if (rabbitmq !== null) await dropQueues(rabbitmq);
      }
    };
    // all wait most of the time: for mails, for leases
    const [lookFirst, markFirst, reprise] = await Promise.all([run("look-first"), run("mark-first"), run("with")]);
    const again = `npm run -s incident -- redelivery --seed ${seed}${quick ? " --quick" : ""}`;
    return {
      without: sum(lookFirst.total, markFirst.total),
      with: reprise.total,
      kills,
      result: resultOf(lookFirst, markFirst, reprise, url === null ? "in the ledger" : "RabbitMQ", again),
    };
  });
}

/** What must hold of a run, in words; empty: it does. */
export function failuresOf({ without, with: reprise }: Pick<Redelivery, "with" | "without">): readonly string[] {
  return [
    without.effectsTwice === 0 ? "without: no mail was sent twice" : "",
    without.lost === 0 ? "without: no message was lost" : "",
    reprise.effectsTwice > 0 ? "with: mails were sent twice" : "",
    reprise.lost > 0 ? "with: messages were lost" : "",
  ].filter((failure) => failure !== "");
}

function resultOf(
  lookFirst: SideResult,
  markFirst: SideResult,
  reprise: SideResult,
  queue: string,
  again: string,
): IncidentResult {
  const row = (taken: string, { total, messages: sent }: SideResult) => ({
    taken,
    figures: [sent, total.effectsTwice, total.lost],
  });
  return {
    at: new Date().toISOString(),
    headline: headlineOf(lookFirst.total, markFirst.total, reprise.total),
    sides: [
      sideOf(lookFirst, "Without", "look whether it was seen, send, write down, acknowledge"),
      sideOf(reprise, "With Reprise", "the consumer as declared in messages/releases.ts"),
    ],
    rowsTitle: "And with the check the other way round",
    rowsOf: "Consumer",
    rows: [row("Look, send, write down", lookFirst), row("Write down, send", markFirst), row("With Reprise", reprise)],
    rowHeads: ["Messages", "Twice", "Lost"],
    facts: [
      {
        name: "Kills",
        value: `${reprise.rounds.length} of each consumer, SIGKILL of its own process; ${messages} messages before each`,
      },
      { name: "Queue", value: `${queue}; two processes receive` },
      { name: "Mails", value: "a process and a database of its own; it honours keys, and the usual checks send none" },
      { name: "Twice", value: "messages for which the mail service's own ledger has more than one mail; lost: none" },
      { name: "Leases", value: `${lease} instead of 30s` },
    ],
    again,
  };
}

function headlineOf(lookFirst: Damage, markFirst: Damage, reprise: Damage): string {
  const both = `${lookFirst.effectsTwice} mails sent twice, or ${markFirst.lost} never`;
  return `${both}; with Reprise ${reprise.effectsTwice} and ${reprise.lost}.`;
}

function sideOf({ rounds, total, messages: sent }: SideResult, title: string, note: string): IncidentSide {
  return {
    title,
    note,
    figures: [
      {
        label: "Sent twice",
        value: String(total.effectsTwice),
        unit: `of ${sent} messages`,
        bad: total.effectsTwice > 0,
      },
      { label: "Lost", value: String(total.lost), unit: "", bad: total.lost > 0 },
    ],
    panes: [],
    marks: [],
    kills: {
      height: `how many of the ${messages} messages were told twice`,
      heads: ["Sent twice", "Lost", "Mails"],
      events: rounds.map(({ point, told, effectsTwice, lost }) => ({
        ...{ point, count: effectsTwice, beside: lost, told },
        bad: effectsTwice + lost > 0,
      })),
    },
  };
}
