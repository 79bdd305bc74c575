import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { pause } from "../base/promise.ts";
import { isThrownByRun } from "../operation/refusing.ts";
import type { Run } from "../operation/run.ts";
import type { Each } from "./declaration.ts";
import { type HeldTick, isAway, signalOf } from "./held-tick.ts";
import type { Settings } from "./settings.ts";
import type { RecordCounts } from "./surface.ts";

interface AnyOutcome {
  readonly status: string;
  readonly replayed?: boolean;
}

/**
 * Reads the work list of a tick and runs its records, some at once. Each is a piece of work of its own, so one that fails
 * stops no other, and none is done twice however often the tick is resumed.
 */
export async function runWorkList(settings: Settings, clock: Clock, tick: HeldTick, run: Run): Promise<RecordCounts> {
  const { declaration, atOnce, leaseMs } = settings;
  const { work, each } = declaration;
  const signal = signalOf(tick, run);
  const look = work as (look: object) => Promise<readonly unknown[]> | readonly unknown[];
  const at = { tick: { at: new Date(tick.at) }, signal };
  const { ledger } = tick;
  const records = ledger.transactional ? await ledger.transaction(async (tx) => look({ ...at, tx })) : await look(at);

  const count = { records: records.length, ran: 0, replayed: 0, refused: 0, unknown: 0, failed: 0, running: 0 };
  tick.counts = count;
  let next = 0;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (next < records.length) {
      tick.checkNext();
      const record = records[next];
      next += 1;
      count[await resultOf(each as Each<unknown>, record, clock, leaseMs, signal)] += 1;
      done += 1;
      run.progress(done, records.length);
    }
  };
  // also when one lane ends early: what the others have begun ends before the tick does
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(atOnce, records.length) }, lane));
  for (const ended of lanes) if (ended.status === "rejected") throw ended.reason;
  return count;
}

type Result = Exclude<keyof RecordCounts, "records">;

async function resultOf(
  each: Each<unknown>,
  record: unknown,
  clock: Clock,
  leaseMs: number,
  signal: AbortSignal,
): Promise<Result> {
  const { least, most } = defaults.schedule.recordLookMs;
  const until = clock.monotonic() + leaseMs;
  try {
    for (let waitMs: number = least; ; waitMs = Math.min(waitMs * 2, most)) {
      const { status, replayed = false }: AnyOutcome = await each.execute(record);
      if (status === "done") return replayed ? "replayed" : "ran";
      if (status === "refused" || status === "unknown") return status;
      if (status !== "running") return "failed";
      if (clock.monotonic() >= until) return "running";
      await pause(clock, waitMs, signal);
    }
  } catch (error) {
    // of the tick, not of this record: what was not asked must not count as asked
    if (signal.aborted || (isAway(error) && !isThrownByRun(error))) throw error;
    return "failed";
  }
}
