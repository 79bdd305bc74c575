import type { ConsumerRow } from "./consumer-rows.ts";
import type { LoadRow } from "./load-rows.ts";
import type { ScheduleRow } from "./schedule-rows.ts";

/** One thing that a person may have done with a load, a schedule or a consumer, and what it will do. What is safe comes first. */
export interface JobChoice {
  readonly does: JobVerb;
  /** What the person says besides: a range of the column that windows are cut by, who and why, or which reason is meant. */
  readonly asks: "range" | "note" | "reason" | null;
  readonly says: string;
  /** What it costs if the person is wrong. Left out: nothing is lost. */
  readonly risks?: string | undefined;
}
export type JobVerb = "run" | "preview" | "reconcile" | "pause" | "resume" | "redrive" | "discard";

/** `ranged`: its windows are cut by a column. */
export function loadChoices({ from, into, newest }: LoadRow, ranged: boolean): readonly JobChoice[] {
  const asks = ranged ? "range" : null;
  const looks: readonly JobChoice[] = [
    { does: "preview", asks, says: `Tells what a run would change in ${into}. Writes nothing.` },
    { does: "reconcile", asks, says: `Counts the rows in which ${into} and ${from} do not agree. Writes nothing.` },
  ];
  if (newest?.is === "running") return looks;
  const { run = "", windows } = newest ?? {};
  const goesOn =
    newest?.is === "unfinished"
      ? `Of the range of ${run} it goes on where that stopped: ${windows?.done} of ${windows?.of} windows are done and are skipped. `
      : "";
  return [
    {
      does: "run",
      asks,
      says: `Loads ${from} into ${into}, in this process. ${goesOn}Only rows that are new or newer are written, so nothing happens twice.`,
    },
    ...looks,
  ];
}

export function scheduleChoices(schedule: ScheduleRow, costIfTwice: string | undefined): readonly JobChoice[] {
  const { paused, running, each, ticks } = schedule;
  const last = ticks.findLast(({ from, startedAt }) => from === null && startedAt !== null);
  const what = each === null ? "its work" : `its records, each with ${each}`;
  const cost = costIfTwice === undefined ? "" : `, whatever that costs: ${costIfTwice}`;
  const run: JobChoice = {
    does: "run",
    asks: null,
    says: `Runs the newest tick in this process, paused or not: ${what}. ${
      last === undefined
        ? "What is recorded of it is not done again."
        : "A tick that has run replays; one that failed or was stopped goes on from what is recorded."
    }`,
    ...(last?.is === "missed" || last === undefined
      ? { risks: `what the tick does happens now instead of at its time${cost}.` }
      : {}),
  };
  const change: JobChoice =
    paused === null
      ? {
          does: "pause",
          asks: "note",
          says: `From now on no tick starts, in any instance${running === null ? "" : "; the one that runs is left to its end"}.`,
          risks: "what comes due meanwhile does not run, and is not caught up.",
        }
      : {
          does: "resume",
          asks: "note",
          says: "Ticks start again with the next one. What came due in the pause is recorded as paused, and does not run.",
        };
  return paused === null ? [run, change] : [change, run];
}

/** Each of one dead letter, or of all that were set aside for a reason. */
export function consumerChoices({ operation, shows }: ConsumerRow): readonly JobChoice[] {
  if (!shows) return [];
  return [
    {
      does: "redrive",
      asks: "reason",
      says: `Sends what is set aside to its queue again, for ${operation}, under its identity: what was done is answered from what is recorded and does not happen twice. What made it fail is to be mended before; what is too old, or came with other input, is set aside again.`,
    },
    {
      does: "discard",
      asks: "reason",
      says: "Removes dead letters of a reason for good.",
      risks: "what they asked for does not happen, unless their senders send them again.",
    },
  ];
}
