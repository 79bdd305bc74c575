import { addCounts, noCounts, type WindowCounts } from "../load/counts.ts";
import type { LoadRefusal } from "../load/refusal.ts";
import type { LoadRun, LoadRunWindow } from "../load/surface.ts";
import type { ShownLoad } from "./loads.ts";

/** What people are told of loads, on the page and on a terminal: names, bounds of windows and counts; no key, no value. */

export interface LoadRow extends Omit<ShownLoad, "owner" | "newest" | "refusal"> {
  readonly owner: string | null;
  readonly newest: LoadRunRow | null;
  readonly refusal: { readonly at: number; readonly because: readonly LoadRefusal[] } | null;
}

export interface LoadRunRow extends Omit<LoadRun, "startedAt" | "endedAt" | "windows"> {
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly windows: WindowsRow;
  /** By the windows that the call under way has committed; `null`: nobody is at it, or it has committed fewer than two. */
  readonly pace: Pace | null;
}

export interface Pace {
  readonly rowsPerSecond: number;
  readonly remainingMs: number;
}

export interface WindowsRow {
  readonly of: number;
  /** All that are committed. */
  readonly done: number;
  /** Those of them that an earlier call committed. */
  readonly skipped: number;
  /** Those that lost more rows than is declared, so that none of them was marked. */
  readonly markRefused: number;
  /** When the last one was committed; `null`: none is. */
  readonly lastAt: number | null;
}

/** A window, or several beside each other where there are too many to be told one by one. */
export interface WindowRow extends WindowsRow {
  readonly from: string | null;
  readonly to: string | null;
  /** Whether one of them is under way. */
  readonly running: boolean;
  /** Of those that are done. */
  readonly counts: WindowCounts;
}

export function loadRow({ name, owner, from, into, newest, refusal }: ShownLoad): LoadRow {
  return {
    refusal: refusal === null ? null : { at: refusal.at.getTime(), because: refusal.because },
    name,
    owner: owner ?? null,
    from,
    into,
    newest: newest === null ? null : loadRunRow(newest),
  };
}

export function loadRunRow(run: LoadRun): LoadRunRow {
  const { run: id, from, to, startedAt, endedAt, is, holder, rows, counts, windows } = run;
  return {
    ...{ run: id, from, to, startedAt: startedAt.getTime(), endedAt: endedAt?.getTime() ?? null },
    ...{ is, holder, rows, counts, windows: windowsRow(windows), pace: is === "running" ? paceOf(run) : null },
  };
}

function paceOf({ windows }: LoadRun): Pace | null {
  const own = windows.flatMap(({ counts, doneAt, skipped }) =>
    counts === null || doneAt === null || skipped ? [] : [{ read: counts.read, at: doneAt.getTime() }],
  );
  const [first] = own;
  const last = own.at(-1);
  if (first === undefined || last === undefined || last.at <= first.at) return null;
  const tookMs = last.at - first.at;
  // from the end of the first one to the end of the last
  const read = own.slice(1).reduce((sum, window) => sum + window.read, 0);
  const left = windows.filter(({ counts }) => counts === null).length;
  return { rowsPerSecond: read / (tookMs / 1_000), remainingMs: (tookMs / (own.length - 1)) * left };
}

/** At most so many rows. */
export function windowRows({ is, windows }: Pick<LoadRun, "is" | "windows">, atMost: number): readonly WindowRow[] {
  const each = Math.max(1, Math.ceil(windows.length / atMost));
  const next = is === "running" ? windows.findIndex(({ counts }) => counts === null) : -1;
  return Array.from({ length: Math.ceil(windows.length / each) }, (_, place) => {
    const first = place * each;
    const some = windows.slice(first, first + each);
    return {
      ...{ ...windowsRow(some), from: some[0]?.from ?? null, to: some.at(-1)?.to ?? null },
      running: next >= first && next < first + each,
      counts: some.reduce((sum, { counts }) => (counts === null ? sum : addCounts(sum, counts)), noCounts),
    };
  });
}

function windowsRow(windows: readonly LoadRunWindow[]): WindowsRow {
  const done = windows.flatMap(({ counts, doneAt }) =>
    counts === null || doneAt === null ? [] : [{ counts, doneAt }],
  );
  return {
    of: windows.length,
    done: done.length,
    skipped: windows.filter(({ skipped }) => skipped).length,
    markRefused: done.filter(({ counts }) => counts.lost > 0 && counts.marked === 0).length,
    lastAt: done.reduce<number | null>((last, { doneAt }) => Math.max(last ?? 0, doneAt.getTime()), null),
  };
}
