import { defaults } from "../base/defaults.ts";
import type { Resolution } from "../contract/journal.ts";
import { type Snapshot, zeroOf } from "./snapshot.ts";

/** Two snapshots of one run of one process, one after the other. */
export interface Interval {
  readonly from: Snapshot;
  readonly to: Snapshot;
  /** Longer than the journal's pace allows: what happened in it is known, when it happened is not. */
  readonly gap: boolean;
}

/** One run of one process: a restart under the same name is another one, so no difference is ever negative. */
export interface ProcessRun {
  readonly newest: Snapshot;
  readonly intervals: readonly Interval[];
  readonly state: "live" | "lost" | "ended";
}

/** An instance that has not written for so long is lost: two entries missed and half of a third. */
const lostAfterMs = 25_000;
/** So long it stays among those that are expected; then the page is quiet about it. */
const missedForMs = 900_000;
/** A pace may be missed once before a gap is drawn. */
const gapAfter = 2.5;

const paceMs = {
  fine: defaults.background.journalFineMs,
  coarse: defaults.background.journalCoarseMs,
} as const satisfies Record<Resolution, number>;

/** Sorts snapshots of any instances into the runs of their processes. */
export function processRuns(snapshots: readonly Snapshot[], resolution: Resolution, now: number): ProcessRun[] {
  const groups = new Map<string, Snapshot[]>();
  for (const snapshot of snapshots) {
    const key = JSON.stringify([snapshot.instance, snapshot.startedAt]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [snapshot]);
    else group.push(snapshot);
  }
  const runs = [...groups.values()].map((group) => runOf(group, resolution, now));
  // of several runs under one name the newest stands for the instance: the others have been replaced
  const newest = new Map<string, number>();
  for (const { newest: last } of runs) {
    newest.set(last.instance, Math.max(last.startedAt, newest.get(last.instance) ?? 0));
  }
  return runs.map((run) =>
    run.newest.startedAt === newest.get(run.newest.instance) ? run : { ...run, state: "ended" as const },
  );
}

function runOf(group: Snapshot[], resolution: Resolution, now: number): ProcessRun {
  group.sort((a, b) => a.at - b.at);
  const intervals: Interval[] = [];
  let before: Snapshot | undefined;
  let newest = group[0] as Snapshot;
  for (const snapshot of group) {
    if (snapshot.at === before?.at) {
      newest = snapshot;
      continue;
    }
    // what was counted before the first entry belongs to the time since the start, if that is short enough to be told
    const from = before ?? zeroOf(snapshot);
    const gap = snapshot.at - from.at > paceMs[resolution] * gapAfter;
    if (before !== undefined || !gap) intervals.push({ from, to: snapshot, gap });
    before = snapshot;
    newest = snapshot;
  }
  const silentMs = now - newest.at;
  const state = newest.ended || silentMs > missedForMs ? "ended" : silentMs > lostAfterMs ? "lost" : "live";
  return { newest, intervals, state };
}
