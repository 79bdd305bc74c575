import type { Administration } from "../admin/administration.ts";
import {
  type ConsumerRow,
  consumerRow,
  type LetterRow,
  letterRow,
  type OutboxRow,
  outboxRow,
} from "../admin/consumer-rows.ts";
import type { LetterChoice, LetterCounts } from "../admin/consumers.ts";
import { type LoadRow, type LoadRunRow, loadRow, loadRunRow, type WindowRow, windowRows } from "../admin/load-rows.ts";
import { type ScheduleRow, scheduleRow, type TickRow, tickRow } from "../admin/schedule-rows.ts";
import { defaults } from "../base/defaults.ts";
import type { Note } from "../contract/ledger.ts";
import type { LoadPreview, LoadProgress, LoadReconciliation, LoadResult } from "../load/surface.ts";

/** What is asked of the loads, schedules, consumers and outboxes of an instance, in the process of its module. */

export interface AskedRange {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export type AskedOfJobs =
  | { readonly verb: "loads" }
  | { readonly verb: "load-runs"; readonly name: string; readonly limit: number }
  | { readonly verb: "load-windows"; readonly name: string; readonly run: string }
  | { readonly verb: "load-preview"; readonly name: string; readonly range: AskedRange }
  | { readonly verb: "load-run"; readonly name: string; readonly range: AskedRange; readonly run: string | undefined }
  | { readonly verb: "load-reconcile"; readonly name: string; readonly range: AskedRange; readonly list: number }
  | { readonly verb: "schedules" }
  | { readonly verb: "schedule"; readonly name: string }
  | { readonly verb: "schedule-next"; readonly name: string; readonly count: number }
  | { readonly verb: "schedule-run"; readonly name: string; readonly at: number | undefined }
  | { readonly verb: "schedule-pause" | "schedule-resume"; readonly name: string; readonly note: Note }
  | { readonly verb: "consumers"; readonly names: readonly string[]; readonly choice: LetterChoice }
  | { readonly verb: "consumer-redrive" | "consumer-discard"; readonly name: string; readonly choice: LetterChoice }
  | { readonly verb: "outboxes" };

export type AnsweredOfJobs =
  | { readonly is: "loads"; readonly loads: readonly LoadRow[] }
  | { readonly is: "load-runs"; readonly runs: readonly LoadRunRow[] }
  /** `null`: there is no such run among those that are kept. */
  | { readonly is: "load-windows"; readonly run: LoadRunRow | null; readonly windows: readonly WindowRow[] }
  | { readonly is: "load-previewed"; readonly preview: LoadPreview }
  | { readonly is: "load-ran"; readonly result: LoadResult }
  | { readonly is: "load-compared"; readonly reconciliation: LoadReconciliation }
  | { readonly is: "schedules"; readonly schedules: readonly ScheduleRow[] }
  | { readonly is: "schedule-next"; readonly next: readonly number[] }
  | { readonly is: "schedule-ran"; readonly tick: TickRow }
  | { readonly is: "schedule-held"; readonly holder: string | null }
  /** `changed`: false where it was so already. */
  | { readonly is: "schedule-changed"; readonly changed: boolean; readonly schedule: ScheduleRow }
  | { readonly is: "consumers"; readonly consumers: readonly ConsumerLetters[] }
  | { readonly is: "outboxes"; readonly outboxes: readonly OutboxRow[] }
  | { readonly is: "letters-acted"; readonly counts: LetterCounts }
  /** It was asked to end before it was done. */
  | { readonly is: "stopped" };

/** A consumer with what it has set aside. */
export interface ConsumerLetters extends ConsumerRow {
  readonly letters: readonly LetterRow[];
  /** Whether there are others still that were meant. */
  readonly more: boolean;
  /** Why its dead letters cannot be told; `null`: they are. */
  readonly failed: string | null;
}

/** One window a line on a terminal; nobody reads more. */
const windowsAtMost = 10_000;

const stopping = new AbortController();

export function isOfJobs<A extends { readonly verb: string }>(asked: A | AskedOfJobs): asked is AskedOfJobs {
  return /^(load|schedule|consumer|outbox)/.test(asked.verb);
}

/** A load ends with its window; a tick begins no further record. */
export function stopJob(instance: { readonly close: () => Promise<void> } | undefined): void {
  if (stopping.signal.aborted) return;
  stopping.abort();
  if (isTick) void instance?.close();
}
let isTick = false;

export async function answerJobs(
  administration: Administration,
  asked: AskedOfJobs,
  progress: (progress: LoadProgress) => void,
): Promise<AnsweredOfJobs> {
  const { loads, schedules, consumers, outboxes } = administration;
  try {
    switch (asked.verb) {
      case "loads":
        return { is: "loads", loads: (await loads.list()).map(loadRow) };
      case "load-runs":
        return { is: "load-runs", runs: (await loads.runs(asked.name, asked.limit)).map(loadRunRow) };
      case "load-windows": {
        const run = (await loads.runs(asked.name, defaults.load.runsListed)).find((one) => one.run === asked.run);
        if (run === undefined) return { is: "load-windows", run: null, windows: [] };
        return { is: "load-windows", run: loadRunRow(run), windows: windowRows(run, windowsAtMost) };
      }
      case "load-preview":
        return { is: "load-previewed", preview: await loads.preview(asked.name, asked.range) };
      case "load-run": {
        const { signal } = stopping;
        const options = { ...asked.range, run: asked.run, signal, progress };
        return { is: "load-ran", result: await loads.run(asked.name, options) };
      }
      case "load-reconcile": {
        const reconciliation = await loads.reconcile(asked.name, { ...asked.range, list: asked.list });
        return { is: "load-compared", reconciliation };
      }
      case "schedules":
        return { is: "schedules", schedules: (await schedules.list()).map(scheduleRow) };
      case "schedule":
        return { is: "schedules", schedules: [scheduleRow(await schedules.show(asked.name))] };
      case "schedule-next":
        return { is: "schedule-next", next: schedules.next(asked.name, asked.count).map((at) => at.getTime()) };
      case "schedule-run": {
        isTick = true;
        const at = asked.at === undefined ? undefined : new Date(asked.at);
        const ended = await schedules.run(asked.name, { at });
        return ended.is === "held"
          ? { is: "schedule-held", holder: ended.holder }
          : { is: "schedule-ran", tick: tickRow(ended) };
      }
      case "consumers": {
        const told: ConsumerLetters[] = [];
        for (const name of asked.names) told.push(await lettersOf(administration, name, asked.choice));
        return { is: "consumers", consumers: told };
      }
      case "outboxes":
        return { is: "outboxes", outboxes: (await outboxes.list()).map(outboxRow) };
      case "consumer-redrive":
        return { is: "letters-acted", counts: await consumers.redrive(asked.name, asked.choice) };
      case "consumer-discard":
        return { is: "letters-acted", counts: await consumers.discard(asked.name, asked.choice) };
      default: {
        const changes = asked.verb === "schedule-pause" ? schedules.pause : schedules.resume;
        const changed = await changes(asked.name, asked.note);
        return { is: "schedule-changed", changed, schedule: scheduleRow(await schedules.show(asked.name)) };
      }
    }
  } catch (error) {
    if (stopping.signal.aborted && isEndOf(error)) return { is: "stopped" };
    throw error;
  }
}

/** A broker that does not answer keeps nobody from what the others tell. */
async function lettersOf({ consumers }: Administration, name: string, choice: LetterChoice): Promise<ConsumerLetters> {
  const row = consumerRow(await consumers.show(name));
  if (!row.shows) return { ...row, letters: [], more: false, failed: null };
  try {
    const { letters, more } = await consumers.deadLetters(name, choice);
    return { ...row, letters: letters.map(letterRow), more, failed: null };
  } catch (error) {
    const failed = error instanceof Error ? error.message : "It did not answer.";
    return { ...row, letters: [], more: false, failed };
  }
}

/** The end that was asked for, and nothing that went wrong besides. */
function isEndOf(error: unknown): boolean {
  if (error === stopping.signal.reason) return true;
  // of the module's own copy of the package
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "REPRISE_CLOSED" || code === "REPRISE_LEASE_LOST";
}
