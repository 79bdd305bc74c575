import { combineCounts, percentile } from "../base/histogram.ts";
import { type ConsumeCount, consumeCounts, createConsumeCounters, flatCounts } from "../consume/counters.ts";
import { createOutboxCounters } from "../outbox/counters.ts";
import { createScheduleCounters } from "../schedule/counters.ts";
import type { Interval, ProcessRun } from "./history.ts";
import type {
  CacheMetrics,
  ConsumerMetrics,
  OperationMetrics,
  OutboxMetrics,
  Percentiles,
  ReadSeries,
  RouteMetrics,
  RunSeries,
  ScheduleMetrics,
  Series,
} from "./metrics.ts";
import {
  type CacheCount,
  cacheCounts,
  type OperationCount,
  operationCounts,
  outboxCounts,
  type Snapshot,
  type TickCount,
  tickCounts,
} from "./snapshot.ts";

/** The steps of a chart, each as long as the next, and which of them can be told. */
export interface Steps {
  /** What was counted after this belongs to the totals, also where its step is too short to be drawn. */
  readonly since: number;
  readonly from: number;
  readonly stepMs: number;
  readonly count: number;
  /** Milliseconds of each step that are covered; 0: a gap. */
  readonly coveredMs: readonly number[];
}

/** What one name counted: by step, and in all. */
interface Counted<K extends string> {
  readonly steps: Readonly<Record<K, number[]>>;
  readonly total: Record<K, number>;
  histogram: readonly number[];
}

export function stepsOf(
  runs: readonly ProcessRun[],
  { since, from, until, stepMs }: Pick<Steps, "since" | "from" | "stepMs"> & { readonly until: number },
): Steps {
  const count = Math.max(0, Math.round((until - from) / stepMs));
  const covered = new Array<number>(count).fill(0);
  const gaps = new Set<number>();
  for (const { intervals } of runs) {
    const own = new Array<number>(count).fill(0);
    for (const interval of intervals) {
      for (const [step, ms] of overlaps(interval, from, stepMs, count)) {
        // an instance that lived through a step without writing takes the step's sum away from all
        if (interval.gap) gaps.add(step);
        else own[step] = (own[step] ?? 0) + ms;
      }
    }
    for (const [step, ms] of own.entries()) covered[step] = Math.max(covered[step] ?? 0, ms);
  }
  // less than half a step says too little to be drawn as one
  const coveredMs = covered.map((ms, step) => (gaps.has(step) || ms < stepMs / 2 ? 0 : Math.min(ms, stepMs)));
  return { since, from, stepMs, count, coveredMs };
}

export function cacheSeries(runs: readonly ProcessRun[], steps: Steps) {
  const counted = count(
    runs,
    steps,
    cacheCounts,
    (snapshot, name) => {
      const cache = snapshot.caches[name];
      return cache === undefined ? undefined : { counts: cache.counts, histogram: cache.loadTime };
    },
    (snapshot) => Object.keys(snapshot.caches),
  );
  const caches: CacheMetrics[] = [...counted].map(([name, cache]) => ({
    name,
    reads: readSeries(steps, cache.steps),
    hit: hitSeries(steps, cache.steps),
    total: cache.total,
    loadMs: percentiles(cache.histogram),
  }));
  return { caches, all: readSeries(steps, summed(cacheCounts, steps, counted)) };
}

export function operationSeries(runs: readonly ProcessRun[], steps: Steps) {
  const counted = count(
    runs,
    steps,
    operationCounts,
    (snapshot, name) => {
      const operation = snapshot.operations[name];
      return operation === undefined ? undefined : { counts: operation.counts, histogram: operation.duration };
    },
    (snapshot) => Object.keys(snapshot.operations),
  );
  const operations: OperationMetrics[] = [...counted].map(([name, operation]) => ({
    name,
    runs: runSeries(steps, operation.steps),
    total: operation.total,
    durationMs: percentiles(operation.histogram),
  }));
  return { operations, all: runSeries(steps, summed(operationCounts, steps, counted)) };
}

/** What was asked of undecided routes, in all: each request runs again what an earlier one did, if it repeats it. */
export function routeTotals(runs: readonly ProcessRun[], { since }: Pick<Steps, "since">): readonly RouteMetrics[] {
  const totals = new Map<string, number>();
  for (const { from, to } of runs.flatMap(({ intervals }) => intervals)) {
    if (to.at <= since) continue;
    for (const [name, requests] of Object.entries(to.routes ?? {})) {
      const more = added(from.routes?.[name], requests);
      if (more > 0) totals.set(name, (totals.get(name) ?? 0) + more);
    }
  }
  return [...totals].map(([name, requests]) => ({ name, requests })).sort((a, b) => b.requests - a.requests);
}

/** How ticks ended, in all: they are too far apart for a rate. */
export function scheduleTotals(
  runs: readonly ProcessRun[],
  { since }: Pick<Steps, "since">,
): readonly ScheduleMetrics[] {
  const totals = new Map<string, Record<TickCount, number>>();
  for (const { from, to } of runs.flatMap(({ intervals }) => intervals)) {
    if (to.at <= since) continue;
    for (const [name, counts] of Object.entries(to.schedules ?? {})) {
      const total = totals.get(name) ?? createScheduleCounters();
      for (const key of tickCounts) total[key] += added(from.schedules?.[name]?.[key], counts[key]);
      totals.set(name, total);
    }
  }
  return [...totals].map(([name, total]) => ({ name, total }));
}

/** What became of messages, in all, and how many there are still. */
export function consumerTotals(
  runs: readonly ProcessRun[],
  { since }: Pick<Steps, "since">,
): readonly ConsumerMetrics[] {
  const totals = new Map<string, Record<ConsumeCount, number>>();
  for (const { from, to } of runs.flatMap(({ intervals }) => intervals)) {
    if (to.at <= since) continue;
    for (const [name, { counts }] of Object.entries(to.consumers ?? {})) {
      const total = totals.get(name) ?? { ...flatCounts(createConsumeCounters()) };
      for (const key of consumeCounts) total[key] += added(from.consumers?.[name]?.counts[key], counts[key]);
      totals.set(name, total);
    }
  }
  const live = newestLive(runs);
  return [...totals].map(([name, total]) => {
    // every instance asks the same broker
    const told = (figure: "waiting" | "setAside") =>
      live.map(({ consumers }) => consumers?.[name]?.[figure]).find((count) => count !== undefined) ?? null;
    return { name, total, waiting: told("waiting"), setAside: told("setAside") };
  });
}

/** What was published and sent, in all, and what waits still. */
export function outboxTotals(runs: readonly ProcessRun[], { since }: Pick<Steps, "since">): readonly OutboxMetrics[] {
  const totals = new Map<string, ReturnType<typeof createOutboxCounters>>();
  for (const { from, to } of runs.flatMap(({ intervals }) => intervals)) {
    if (to.at <= since) continue;
    for (const [name, { counts }] of Object.entries(to.outboxes ?? {})) {
      const total = totals.get(name) ?? createOutboxCounters();
      for (const key of outboxCounts) total[key] += added(from.outboxes?.[name]?.counts[key], counts[key]);
      totals.set(name, total);
    }
  }
  const live = newestLive(runs);
  return [...totals].map(([name, total]) => {
    // every instance asks the same ledger; both figures are of one answer
    const told = live.map(({ outboxes }) => outboxes?.[name]).find((one) => one?.waiting !== undefined);
    return { name, total, waiting: told?.waiting ?? null, oldestAt: told?.oldestAt ?? null };
  });
}

/** What each living process wrote last, the newest first. */
function newestLive(runs: readonly ProcessRun[]): readonly Snapshot[] {
  return runs
    .filter(({ state }) => state === "live")
    .map(({ newest }) => newest)
    .sort((a, b) => b.at - a.at);
}

/** How much of a counter an interval added. A counter that is missing on one side counts from zero. */
export function added(before: number | undefined, after: number | undefined): number {
  return Math.max(0, (after ?? 0) - (before ?? 0));
}

function count<K extends string>(
  runs: readonly ProcessRun[],
  steps: Steps,
  keys: readonly K[],
  of: (
    snapshot: Snapshot,
    name: string,
  ) => { readonly counts: Readonly<Partial<Record<K, number>>>; readonly histogram: readonly number[] } | undefined,
  namesOf: (snapshot: Snapshot) => readonly string[],
): Map<string, Counted<K>> {
  const counted = new Map<string, Counted<K>>();
  for (const { intervals } of runs) {
    for (const interval of intervals) {
      const { from, to } = interval;
      if (to.at <= steps.since) continue;
      const places = interval.gap ? [] : [...overlaps(interval, steps.from, steps.stepMs, steps.count)];
      for (const name of namesOf(to)) {
        const after = of(to, name);
        if (after === undefined) continue;
        const before = of(from, name);
        const sums = entryOf(counted, name, keys, steps.count);
        for (const key of keys) {
          const more = added(before?.counts[key], after.counts[key]);
          if (more === 0) continue;
          sums.total[key] += more;
          for (const [step, ms] of places) {
            const values = sums.steps[key];
            values[step] = (values[step] ?? 0) + (more * ms) / (to.at - from.at);
          }
        }
        const more = combineCounts(after.histogram, before?.histogram ?? [], -1).map((value) => Math.max(0, value));
        sums.histogram = combineCounts(sums.histogram, more);
      }
    }
  }
  return counted;
}

function entryOf<K extends string>(
  counted: Map<string, Counted<K>>,
  name: string,
  keys: readonly K[],
  steps: number,
): Counted<K> {
  const known = counted.get(name);
  if (known !== undefined) return known;
  const fresh: Counted<K> = {
    steps: Object.fromEntries(keys.map((key) => [key, new Array<number>(steps).fill(0)])) as Record<K, number[]>,
    total: Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>,
    histogram: [],
  };
  counted.set(name, fresh);
  return fresh;
}

function* overlaps(interval: Interval, start: number, stepMs: number, count: number): Generator<[number, number]> {
  const { from, to } = interval;
  const first = Math.max(0, Math.floor((from.at - start) / stepMs));
  for (let step = first; step < count; step += 1) {
    const begin = start + step * stepMs;
    if (begin >= to.at) return;
    const ms = Math.min(to.at, begin + stepMs) - Math.max(from.at, begin);
    if (ms > 0) yield [step, ms];
  }
}

function summed<K extends string>(keys: readonly K[], steps: Steps, counted: ReadonlyMap<string, Counted<K>>) {
  const all = entryOf(new Map<string, Counted<K>>(), "", keys, steps.count).steps;
  for (const { steps: one } of counted.values()) {
    for (const key of keys)
      for (const [step, value] of one[key].entries()) all[key][step] = (all[key][step] ?? 0) + value;
  }
  return all;
}

function rates(steps: Steps, values: readonly number[], perMs: number): Series {
  return steps.coveredMs.map((ms, step) => (ms === 0 ? null : rounded(((values[step] ?? 0) / ms) * perMs)));
}

function readSeries(steps: Steps, sums: Readonly<Record<CacheCount, readonly number[]>>): ReadSeries {
  return {
    memory: rates(steps, sums.memory, 1_000),
    stale: rates(steps, sums.stale, 1_000),
    shared: rates(steps, sums.shared, 1_000),
    source: rates(steps, sums.source, 1_000),
    failed: rates(steps, sums.failed, 1_000),
    loads: rates(steps, sums.loads, 1_000),
    evictedPerMinute: rates(steps, sums.evicted, 60_000),
    lapsedPerMinute: rates(steps, sums.lapsed, 60_000),
    refreshesPerMinute: rates(steps, sums.refreshes, 60_000),
    earlyPerMinute: rates(steps, sums.early, 60_000),
  };
}

function hitSeries(steps: Steps, sums: Readonly<Record<CacheCount, readonly number[]>>): Series {
  return steps.coveredMs.map((ms, step) => {
    const at = (key: CacheCount) => sums[key][step] ?? 0;
    const hits = at("memory") + at("stale");
    const reads = hits + at("shared") + at("source") + at("failed");
    return ms === 0 || reads === 0 ? null : rounded(hits / reads);
  });
}

function runSeries(steps: Steps, sums: Readonly<Record<OperationCount, readonly number[]>>): RunSeries {
  const told = sums.running.map((value, step) => value + (sums.mismatch[step] ?? 0) + (sums.unknown[step] ?? 0));
  return {
    ran: rates(steps, sums.ran, 60_000),
    replayed: rates(steps, sums.replayed, 60_000),
    refused: rates(steps, sums.refused, 60_000),
    told: rates(steps, told, 60_000),
    failed: rates(steps, sums.failed, 60_000),
  };
}

function percentiles(counts: readonly number[]): Percentiles {
  return { p50: percentile(counts, 0.5), p99: percentile(counts, 0.99) };
}

/** Digits that nobody reads only make the answer larger. */
function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
