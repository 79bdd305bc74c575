import type { ConsumeCount } from "../consume/counters.ts";
import type { OutboxCounts } from "../outbox/counters.ts";
import type { TickResult } from "../schedule/surface.ts";

/** The figures as `metrics.json` and the page read them. Names of declarations and numbers; no value, no key. */

export type Range = "15m" | "1h" | "24h" | "7d";

/** `null` in a series is a gap: nobody wrote it down, which is not zero. */
export type Series = readonly (number | null)[];

/** What changes from second to second. */
export interface Live {
  readonly v: 1;
  readonly service: string;
  readonly at: number;
  /** `this-process`: there is no ledger that instances could share, or it is away. */
  readonly sees: "all-instances" | "this-process";
  readonly ledger: LedgerState | null;
  readonly instances: Instances;
  readonly now: Now;
}

export interface Metrics extends Live {
  readonly range: Range;
  /** The ranges that there are entries for. */
  readonly ranges: readonly Range[];
  /** The first and the last instant of the series; later than the range says when there is nothing older. */
  readonly from: number;
  readonly until: number;
  readonly stepMs: number;
  /** The end of each step. */
  readonly ends: readonly number[];
  /** What may explain a bend in them. */
  readonly marks: readonly Mark[];
  readonly reads: ReadSeries;
  readonly runs: RunSeries;
  readonly caches: readonly CacheMetrics[];
  readonly operations: readonly OperationMetrics[];
  /** Those that change something and that nobody has decided, as far as anybody asked them in the range. */
  readonly routes: readonly RouteMetrics[];
  readonly schedules: readonly ScheduleMetrics[];
  readonly consumers: readonly ConsumerMetrics[];
  readonly outboxes: readonly OutboxMetrics[];
}

export interface Mark {
  readonly at: number;
  readonly what: "start" | "end" | "lost";
  readonly instance: string;
}

export interface LedgerState {
  readonly name: string;
  /** The code of the error that it answers with, since when; `null`: it answers. */
  readonly away: { readonly code: string; readonly since: number } | null;
}

export interface Instances {
  /** Those that wrote within the last 25 s. */
  readonly seen: number;
  /** Those and the ones that fell silent without an end in the last 15 minutes. */
  readonly expected: number;
  readonly list: readonly InstanceMetrics[];
}

interface InstanceMetrics {
  readonly name: string;
  readonly startedAt: number;
  readonly state: "live" | "lost";
  readonly lastAt: number;
  /** Differs when what is declared differs. */
  readonly declared: string;
  readonly entries: number;
  /** Estimated; `null` where the bound counts entries. */
  readonly bytes: number | null;
  readonly bound: { readonly unit: "entries" | "bytes"; readonly most: number };
}

/** Of the last minute, over all live instances. */
export interface Now {
  /** How many seconds it covers: fewer just after a start. */
  readonly seconds: number;
  readonly reads: ReadRates;
  readonly runs: RunRates;
  readonly caches: Readonly<Record<string, ReadRates & { readonly entries: number }>>;
  readonly operations: Readonly<Record<string, RunRates>>;
}

export interface ReadRates {
  /** Reads a second, failed ones included. */
  readonly perSecond: number;
  /** The share of reads that were answered without waiting for a load; `null`: there was no read. */
  readonly hit: number | null;
  readonly memory: number;
  readonly stale: number;
  readonly shared: number;
  readonly source: number;
  readonly failed: number;
  /** Loads begun a second, those in the background included. */
  readonly loads: number;
  /** Because memory was full. */
  readonly evictedPerMinute: number;
  /** Because their time was over. */
  readonly lapsedPerMinute: number;
  /** Loads of the hottest keys in the background. */
  readonly refreshesPerMinute: number;
  /** Loads that a read began ahead of expiry. */
  readonly earlyPerMinute: number;
}

export interface RunRates {
  /** Executions a minute, however they ended. */
  readonly perMinute: number;
  /** Executions under way at this moment. */
  readonly underWay: number;
}

export interface ReadSeries {
  /** Reads a second by where the answer came from. */
  readonly memory: Series;
  readonly stale: Series;
  readonly shared: Series;
  readonly source: Series;
  readonly failed: Series;
  /** Loads begun a second. */
  readonly loads: Series;
  readonly evictedPerMinute: Series;
  readonly lapsedPerMinute: Series;
  readonly refreshesPerMinute: Series;
  readonly earlyPerMinute: Series;
}

/** A minute. */
export interface RunSeries {
  readonly ran: Series;
  readonly replayed: Series;
  readonly refused: Series;
  /** Told running, mismatch or unknown. */
  readonly told: Series;
  readonly failed: Series;
}

export interface CacheMetrics {
  readonly name: string;
  readonly reads: ReadSeries;
  /** The share of reads that were answered without waiting for a load. */
  readonly hit: Series;
  readonly total: Readonly<Record<string, number>>;
  /** Of loads in the range, in milliseconds. */
  readonly loadMs: Percentiles;
}

export interface OperationMetrics {
  readonly name: string;
  readonly runs: RunSeries;
  /** In the range, by how it ended. */
  readonly total: Readonly<Record<string, number>>;
  /** Of executions that ran here, in milliseconds. */
  readonly durationMs: Percentiles;
}

export interface RouteMetrics {
  /** Method and pattern: `POST /orders/:id`. */
  readonly name: string;
  /** In the range. */
  readonly requests: number;
}

export interface ScheduleMetrics {
  readonly name: string;
  /** Ticks that ended in the range, by how. */
  readonly total: Readonly<Record<TickResult, number>>;
}

export interface ConsumerMetrics {
  readonly name: string;
  /** Messages that were received in the range, by what became of them, and what was tried. */
  readonly total: Readonly<Record<ConsumeCount, number>>;
  /** Messages, as the broker told last; `null`: nobody knows. */
  readonly waiting: number | null;
  readonly setAside: number | null;
}

export interface OutboxMetrics {
  readonly name: string;
  /** In the range. */
  readonly total: Readonly<Record<keyof OutboxCounts, number>>;
  /** Messages, as the ledger told last; `null`: nobody knows. */
  readonly waiting: number | null;
  /** When the oldest of them was committed, by the store's clock; `null`: none waits, or nobody knows. */
  readonly oldestAt: number | null;
}

export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
}
