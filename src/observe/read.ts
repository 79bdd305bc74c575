import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Resolution } from "../contract/journal.ts";
import type { Ledger } from "../contract/ledger.ts";
import { type ProcessRun, processRuns } from "./history.ts";
import type { Inside } from "./inside.ts";
import type { Instances, LedgerState, Live, Mark, Metrics, Range } from "./metrics.ts";
import { nowOf } from "./now.ts";
import {
  cacheSeries,
  consumerTotals,
  operationSeries,
  outboxTotals,
  routeTotals,
  scheduleTotals,
  stepsOf,
} from "./series.ts";
import { parseSnapshot, type Snapshot, snapshot } from "./snapshot.ts";

export interface MetricsReader {
  /** The figures of the last minute, without series: cheap enough for each second. */
  readonly live: () => Promise<Live>;
  readonly read: (options: { readonly range: Range }) => Promise<Metrics>;
  readonly stop: () => void;
}

const hourMs = 3_600_000;
const ranges = {
  "15m": { ms: hourMs / 4, resolution: "fine", offeredAfterMs: 0 },
  "1h": { ms: hourMs, resolution: "fine", offeredAfterMs: 0 },
  "24h": { ms: 24 * hourMs, resolution: "coarse", offeredAfterMs: hourMs },
  "7d": { ms: 168 * hourMs, resolution: "coarse", offeredAfterMs: 24 * hourMs },
} as const satisfies Record<Range, { ms: number; resolution: Resolution; offeredAfterMs: number }>;

export const isRange = (text: string | null): text is Range => text !== null && Object.hasOwn(ranges, text);

const { journalFineMs, journalCoarseMs, journalFineKeptMs, journalCoarseKeptMs } = defaults.background;
const kept = { fine: journalFineKeptMs, coarse: journalCoarseKeptMs } as const;
/** A chart has some hundred steps; these are the lengths it may choose from. The shortest is for the first minutes. */
const stepLengths = {
  fine: [2_000, journalFineMs, 30_000],
  coarse: [journalCoarseMs, 1_800_000, 7_200_000],
} as const;
const stepsAtMost = { fine: 120, coarse: 340 } as const;
const readDeadlineMs = 4_000;
/** Entries arrive late by a slow write and by clocks that differ: what was read last is read again from so far back. */
const lateMs = 30_000;
/** The journal is asked no oftener, however many pages are open. */
const readEveryMs = 3_000;

/** Reads the figures of all instances once. Who reads again and again keeps a `metricsReader`. */
export async function readMetrics(inside: Inside, options: { readonly range: Range }): Promise<Metrics> {
  const reader = metricsReader(inside);
  try {
    return await reader.read(options);
  } finally {
    reader.stop();
  }
}

/**
 * Keeps what it has read of the journal, so that an entry is read and parsed once. Without a ledger it writes this
 * process's own entries to a ring in memory, at the journal's fine pace, for as long as the journal would keep them.
 */
export function metricsReader(inside: Inside): MetricsReader {
  // asked for where it is used: a page may be mounted before `start` is given another clock
  const { clock } = inside;
  const snapshots = { fine: new Map<string, Snapshot>(), coarse: new Map<string, Snapshot>() };
  const readUntil = { fine: 0, coarse: 0 };
  const askedAt = { fine: Number.NEGATIVE_INFINITY, coarse: Number.NEGATIVE_INFINITY };
  const asking: { [R in Resolution]?: Promise<void> | undefined } = {};
  let ledger: LedgerState | null = null;
  let stopped = false;
  let cancel = () => {};

  const keep = (resolution: Resolution, taken: Snapshot) =>
    snapshots[resolution].set(JSON.stringify([taken.instance, taken.startedAt, taken.at]), taken);
  const forget = (resolution: Resolution) => {
    const before = clock().now() - kept[resolution];
    for (const [key, { at }] of snapshots[resolution]) if (at < before) snapshots[resolution].delete(key);
  };

  const answered = (from: Ledger<unknown>) => {
    ledger = { name: from.name, away: null };
  };
  const away = (name: string, error: unknown) => {
    const code = isRepriseError(error) ? error.code : "REPRISE_LEDGER_AWAY";
    ledger = { name, away: { code, since: ledger?.away?.since ?? clock().now() } };
  };

  const ask = async (resolution: Resolution, from: Ledger<unknown>) => {
    const now = clock().now();
    const since = Math.max(now - kept[resolution], readUntil[resolution] - lateMs);
    try {
      const entries = await withDeadline(
        clock(),
        readDeadlineMs,
        from.journal.read(resolution, since),
        () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: from.name, doing: "reading figures" }),
      );
      for (const { body } of entries) {
        const taken = parseSnapshot(body);
        if (taken !== undefined) keep(resolution, taken);
      }
      readUntil[resolution] = now;
      answered(from);
    } catch (error) {
      away(from.name, error);
    }
    forget(resolution);
  };
  const update = async (resolution: Resolution) => {
    const from = await opened();
    if (from === undefined) return;
    const sinceAsked = clock().monotonic() - askedAt[resolution];
    // below zero: another clock has come since
    const due = sinceAsked < 0 || sinceAsked >= readEveryMs;
    if (due && asking[resolution] === undefined) {
      askedAt[resolution] = clock().monotonic();
      asking[resolution] = ask(resolution, from).finally(() => {
        asking[resolution] = undefined;
      });
    }
    await asking[resolution];
  };
  const opened = async (): Promise<Ledger<unknown> | undefined> => {
    try {
      await withDeadline(
        clock(),
        readDeadlineMs,
        inside.started(),
        () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: inside.service, doing: "opening" }),
      );
    } catch (error) {
      away(inside.ledger()?.name ?? "ledger", error);
    }
    return inside.ledger();
  };

  const isAway = () => ledger !== null && ledger.away !== null;
  const tick = () => {
    if (stopped) return;
    cancel = clock().timer(journalFineMs, tick);
    if (inside.ledger() !== undefined && !isAway()) return;
    keep("fine", snapshot(inside));
    forget("fine");
  };
  tick();

  const runs = (resolution: Resolution, own: Snapshot): ProcessRun[] => {
    const taken = [...snapshots[resolution].values()];
    if (resolution === "coarse") taken.push(...newestOfEach(snapshots.fine.values()));
    // while the ledger is away nobody can write to it: the others are as they were when it was read last
    return processRuns([...taken, own], resolution, isAway() ? readUntil.fine : own.at);
  };

  const liveOf = (fine: readonly ProcessRun[]): Live => ({
    v: 1,
    service: inside.service,
    at: clock().now(),
    sees: ledger === null || isAway() ? "this-process" : "all-instances",
    ledger,
    instances: instancesOf(fine),
    now: nowOf(fine),
  });

  return {
    live: async () => {
      await update("fine");
      return liveOf(runs("fine", snapshot(inside)));
    },
    read: async ({ range }) => {
      const { ms, resolution } = ranges[range];
      await Promise.all([update("fine"), update("coarse")]);
      const own = snapshot(inside);
      const all = { fine: runs("fine", own), coarse: runs("coarse", own) };
      const chosen = all[resolution];
      const live = liveOf(all.fine);
      const oldest = oldestOf([...all.fine, ...all.coarse], live.at);
      // a step that one instance has not reported yet would look like a fall
      const told = Math.min(live.at, ...chosen.filter(({ state }) => state === "live").map(({ newest }) => newest.at));
      const span = Math.min(ms, told - oldestOf(chosen, live.at));
      const lengths = stepLengths[resolution];
      const stepMs = lengths.find((step) => span / step <= stepsAtMost[resolution]) ?? lengths[2];
      const until = Math.floor(told / stepMs) * stepMs;
      // a first step that is covered by less than half would be a gap that is none
      const from = Math.max(until - ms, Math.round((told - span) / stepMs) * stepMs);
      const steps = stepsOf(chosen, { since: told - span, from, until, stepMs });
      const reads = cacheSeries(chosen, steps);
      const executions = operationSeries(chosen, steps);
      return {
        ...live,
        range,
        ranges: (Object.keys(ranges) as Range[]).filter((one) => live.at - oldest >= ranges[one].offeredAfterMs),
        from,
        until,
        stepMs,
        ends: Array.from({ length: steps.count }, (_, step) => from + (step + 1) * stepMs),
        marks: marksOf(chosen, live.instances).filter(({ at }) => at > from + stepMs && at < until),
        reads: reads.all,
        runs: executions.all,
        caches: reads.caches,
        operations: executions.operations,
        routes: routeTotals(chosen, steps),
        schedules: scheduleTotals(chosen, steps),
        consumers: consumerTotals(chosen, steps),
        outboxes: outboxTotals(chosen, steps),
      };
    },
    stop: () => {
      stopped = true;
      cancel();
    },
  };
}

function marksOf(runs: readonly ProcessRun[], { list }: Instances): readonly Mark[] {
  const starts = runs.map(
    ({ newest }) => ({ at: newest.startedAt, what: "start", instance: newest.instance }) as const,
  );
  const ends = runs
    .filter(({ newest }) => newest.ended)
    .map(({ newest }) => ({ at: newest.at, what: "end", instance: newest.instance }) as const);
  const lost = list
    .filter(({ state }) => state === "lost")
    .map(({ lastAt, name }) => ({ at: lastAt, what: "lost", instance: name }) as const);
  return [...starts, ...ends, ...lost].sort((a, b) => a.at - b.at);
}

function newestOfEach(snapshots: Iterable<Snapshot>): Iterable<Snapshot> {
  const newest = new Map<string, Snapshot>();
  for (const taken of snapshots) {
    const key = JSON.stringify([taken.instance, taken.startedAt]);
    if (taken.at > (newest.get(key)?.at ?? 0)) newest.set(key, taken);
  }
  return newest.values();
}

function oldestOf(runs: readonly ProcessRun[], now: number): number {
  return Math.min(now, ...runs.map(({ intervals, newest }) => intervals[0]?.from.at ?? newest.at));
}

function instancesOf(runs: readonly ProcessRun[]): Instances {
  const list = runs.flatMap(({ newest, state }) =>
    state === "ended"
      ? []
      : [
          {
            name: newest.instance,
            startedAt: newest.startedAt,
            state,
            lastAt: newest.at,
            declared: newest.declared,
            entries: newest.memory.entries,
            bytes: newest.memory.bytes,
            bound: newest.memory.bound,
          },
        ],
  );
  list.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { seen: list.filter(({ state }) => state === "live").length, expected: list.length, list };
}
