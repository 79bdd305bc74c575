import type { CacheCounters } from "../cache/counters.ts";
import { type ConsumeCount, consumeCounts, flatCounts } from "../consume/counters.ts";
import type { OperationCounters } from "../operation/counters.ts";
import type { OutboxCounts } from "../outbox/counters.ts";
import type { ScheduleCounters } from "../schedule/counters.ts";
import { declaredOf } from "./declared.ts";
import type { Inside } from "./inside.ts";

/**
 * What an instance had counted at one moment, since its start. Two of them make a rate. It holds names of declarations
 * and numbers, no key and no value.
 */
export interface Snapshot {
  readonly v: 1;
  readonly instance: string;
  readonly startedAt: number;
  readonly at: number;
  /** The last one: this instance closed. */
  readonly ended: boolean;
  /** Seven digits that differ when what is declared differs: a rolling deployment is seen by it. */
  readonly declared: string;
  readonly memory: {
    readonly entries: number;
    readonly bytes: number | null;
    readonly bound: { readonly unit: "entries" | "bytes"; readonly most: number };
  };
  readonly caches: Readonly<Record<string, CacheSnapshot>>;
  readonly operations: Readonly<Record<string, OperationSnapshot>>;
  /** Requests to routes that nobody has decided, by method and pattern; earlier versions wrote none. */
  readonly routes?: Readonly<Record<string, number>>;
  /** Ticks whose ends this instance has written, by schedule; earlier versions wrote none. */
  readonly schedules?: Readonly<Record<string, Readonly<Partial<ScheduleCounters>>>>;
  /** By consumer; earlier versions wrote none. */
  readonly consumers?: Readonly<Record<string, ConsumerSnapshot>>;
  /** By outbox; earlier versions wrote none. */
  readonly outboxes?: Readonly<Record<string, OutboxSnapshot>>;
}

export type CacheCount = Exclude<keyof CacheCounters, "loadTime">;
export type TickCount = keyof ScheduleCounters;
export type OperationCount = Exclude<keyof OperationCounters, "duration" | "underWay">;

/** A count that is missing is zero: most are, most of the time, and an entry is kept for each 10 s. */
interface CacheSnapshot {
  readonly counts: Readonly<Partial<Record<CacheCount, number>>>;
  readonly loadTime: readonly number[];
  readonly entries: number;
}

interface OperationSnapshot {
  readonly counts: Readonly<Partial<Record<OperationCount, number>>>;
  readonly duration: readonly number[];
  readonly underWay: number;
}

interface ConsumerSnapshot {
  readonly counts: Readonly<Partial<Record<ConsumeCount, number>>>;
  /** As its broker told it last; left out: nobody knows. */
  readonly waiting?: number;
  readonly setAside?: number;
}

interface OutboxSnapshot {
  readonly counts: Readonly<Partial<OutboxCounts>>;
  /** As the ledger told it last; left out: nobody knows. */
  readonly waiting?: number;
  /** Of the oldest that waits, by the store's clock; left out: none waits, or nobody knows. */
  readonly oldestAt?: number;
}

export const cacheCounts = [
  "memory",
  "stale",
  "shared",
  "source",
  "failed",
  "crowded",
  "loads",
  "loadsFailed",
  "refreshes",
  "early",
  "unmodified",
  "absent",
  "discarded",
  "evicted",
  "lapsed",
  "expired",
  "purged",
  "put",
  "written",
] as const satisfies readonly CacheCount[];

export const operationCounts = [
  "ran",
  "replayed",
  "refused",
  "accepted",
  "running",
  "mismatch",
  "unknown",
  "failed",
  "takenOver",
  "answeredTwice",
  "successTwice",
] as const satisfies readonly OperationCount[];

export const tickCounts = [
  ...(["ran", "failed", "unknown", "stopped", "walked-away", "missed", "paused"] as const),
] as const satisfies readonly TickCount[];

export const outboxCounts = ["published", "relayed", "failed"] as const satisfies readonly (keyof OutboxCounts)[];

export function snapshot(inside: Inside, ended = false): Snapshot {
  const caches: Record<string, CacheSnapshot> = {};
  for (const { name, counters, entries } of inside.caches()) {
    caches[name] = {
      counts: counted(cacheCounts, counters),
      loadTime: counters.loadTime.counts(),
      entries: entries(),
    };
  }
  const operations: Record<string, OperationSnapshot> = {};
  for (const { name, counters } of inside.operations()) {
    operations[name] = {
      counts: counted(operationCounts, counters),
      duration: counters.duration.counts(),
      underWay: counters.underWay,
    };
  }
  const routes: Record<string, number> = {};
  for (const { method, path, because, requests } of inside.routes()) {
    if (because === undefined && requests > 0) routes[`${method} ${path}`] = requests;
  }
  const schedules: Record<string, Partial<ScheduleCounters>> = {};
  for (const { name, counters } of inside.schedules()) schedules[name] = counted(tickCounts, counters);
  const consumers: Record<string, ConsumerSnapshot> = {};
  for (const { name, counters, lastStanding } of inside.consumers()) {
    const { waiting = null, setAside = null } = lastStanding() ?? {};
    consumers[name] = {
      counts: counted(consumeCounts, flatCounts(counters)),
      ...(waiting === null ? {} : { waiting }),
      ...(setAside === null ? {} : { setAside }),
    };
  }
  const outboxes: Record<string, OutboxSnapshot> = {};
  for (const { name, counters, lastStanding } of inside.outboxes()) {
    const standing = lastStanding();
    outboxes[name] = {
      counts: counted(outboxCounts, counters),
      ...(standing === null ? {} : { waiting: standing.waiting }),
      ...(standing === null || standing.oldestAt === null ? {} : { oldestAt: standing.oldestAt.getTime() }),
    };
  }
  const { entries, bytes, bound } = inside.memory();
  return {
    v: 1,
    instance: inside.instance,
    startedAt: inside.startedAt,
    at: inside.clock().now(),
    ended,
    declared: declaredOf(inside),
    memory: { entries, bytes, bound },
    caches,
    operations,
    ...(Object.keys(routes).length === 0 ? {} : { routes }),
    ...(Object.keys(schedules).length === 0 ? {} : { schedules }),
    ...(Object.keys(consumers).length === 0 ? {} : { consumers }),
    ...(Object.keys(outboxes).length === 0 ? {} : { outboxes }),
  };
}

/** The snapshot that every process would have written at its start. */
export function zeroOf(first: Snapshot): Snapshot {
  return {
    ...first,
    at: first.startedAt,
    ended: false,
    caches: {},
    operations: {},
    routes: {},
    schedules: {},
    consumers: {},
    outboxes: {},
  };
}

/** `undefined` for what another version wrote: a figure is missing then, and the page goes on. */
export function parseSnapshot(body: string): Snapshot | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return isSnapshot(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isSnapshot(value: unknown): value is Snapshot {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as Partial<Snapshot>).v === 1 &&
    typeof (value as Partial<Snapshot>).at === "number" &&
    typeof (value as Partial<Snapshot>).startedAt === "number" &&
    typeof (value as Partial<Snapshot>).caches === "object" &&
    typeof (value as Partial<Snapshot>).memory?.bound === "object"
  );
}

function counted<K extends string>(names: readonly K[], counters: Readonly<Record<K, number>>) {
  const counts: Partial<Record<K, number>> = {};
  for (const name of names) if (counters[name] !== 0) counts[name] = counters[name];
  return counts;
}
