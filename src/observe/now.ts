import type { ProcessRun } from "./history.ts";
import type { Now, ReadRates, RunRates } from "./metrics.ts";
import { added } from "./series.ts";
import {
  type CacheCount,
  cacheCounts,
  type OperationCount,
  operationCounts,
  type Snapshot,
  zeroOf,
} from "./snapshot.ts";

/** The last minute: long enough to be steady, short enough to be now. */
const nowMs = 60_000;

type Rates<K extends string> = Record<K, number>;

/** Adds up, over the live instances, what each did a second in its own newest minute. */
export function nowOf(runs: readonly ProcessRun[]): Now {
  const reads = new Map<string, Rates<CacheCount> & { entries: number }>();
  const executions = new Map<string, Rates<OperationCount> & { underWay: number }>();
  let seconds = 0;
  for (const run of runs) {
    if (run.state !== "live") continue;
    const to = run.newest;
    const from = minuteBefore(run);
    const covered = Math.max(1, (to.at - from.at) / 1_000);
    seconds = Math.max(seconds, covered);
    for (const [name, { counts, entries }] of Object.entries(to.caches)) {
      const sums = reads.get(name) ?? { ...zero(cacheCounts), entries: 0 };
      for (const key of cacheCounts) sums[key] += added(from.caches[name]?.counts[key], counts[key]) / covered;
      sums.entries += entries;
      reads.set(name, sums);
    }
    for (const [name, { counts, underWay }] of Object.entries(to.operations)) {
      const sums = executions.get(name) ?? { ...zero(operationCounts), underWay: 0 };
      for (const key of operationCounts) sums[key] += added(from.operations[name]?.counts[key], counts[key]) / covered;
      sums.underWay += underWay;
      executions.set(name, sums);
    }
  }
  const all = { ...zero(cacheCounts) };
  for (const sums of reads.values()) for (const key of cacheCounts) all[key] += sums[key];
  const operations = [...executions].map(([name, sums]) => [name, runRates(sums)] as const);
  return {
    seconds: Math.round(seconds),
    reads: readRates(all),
    runs: {
      perMinute: operations.reduce((sum, [, { perMinute }]) => sum + perMinute, 0),
      underWay: operations.reduce((sum, [, { underWay }]) => sum + underWay, 0),
    },
    caches: Object.fromEntries([...reads].map(([name, sums]) => [name, { ...readRates(sums), entries: sums.entries }])),
    operations: Object.fromEntries(operations),
  };
}

/** The newest snapshot that is at least a minute older than the last one, or the oldest there is. */
function minuteBefore({ newest, intervals }: ProcessRun): Snapshot {
  for (let index = intervals.length - 1; index >= 0; index -= 1) {
    const from = intervals[index]?.from;
    if (from !== undefined && newest.at - from.at >= nowMs) return from;
  }
  return intervals[0]?.from ?? (newest.at - newest.startedAt <= nowMs ? zeroOf(newest) : newest);
}

function zero<K extends string>(keys: readonly K[]): Rates<K> {
  return Object.fromEntries(keys.map((key) => [key, 0])) as Rates<K>;
}

function readRates(rate: Rates<CacheCount>): ReadRates {
  const hits = rate.memory + rate.stale;
  const perSecond = hits + rate.shared + rate.source + rate.failed;
  return {
    perSecond,
    hit: perSecond === 0 ? null : hits / perSecond,
    memory: rate.memory,
    stale: rate.stale,
    shared: rate.shared,
    source: rate.source,
    failed: rate.failed,
    loads: rate.loads,
    evictedPerMinute: rate.evicted * 60,
    lapsedPerMinute: rate.lapsed * 60,
    refreshesPerMinute: rate.refreshes * 60,
    earlyPerMinute: rate.early * 60,
  };
}

/** Counted beside the call that it belongs to. */
const beside: ReadonlySet<OperationCount> = new Set(["takenOver", "answeredTwice", "successTwice"]);

function runRates(rate: Rates<OperationCount> & { readonly underWay: number }): RunRates {
  // told `running` is an answer about an execution, no further one, but it is a call all the same
  const perSecond = operationCounts.reduce((sum, key) => (beside.has(key) ? sum : sum + rate[key]), 0);
  return { perMinute: perSecond * 60, underWay: rate.underWay };
}
