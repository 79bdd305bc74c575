import type { LoadCounts, LostCounts, WindowCounts } from "./counts.ts";
import type { Comparison } from "./dialect.ts";
import type { LoadRefusal } from "./refusal.ts";

/** What a load offers to its users. */
export interface Load {
  readonly name: string;
  /**
   * Loads, and resolves when every window is committed, or says why it did not begin. A run of the same range that did not
   * end is continued: its windows that are done are skipped. Where the declaration, or the columns that both sides have, are
   * others than when it began, a new run begins instead. After an ended one a new run goes through all windows and
   * writes the differences. It may be called again at any time, by anybody: of two at once, one is told `running`.
   *
   * Where the process ends, or a window fails, what was committed stays and the next call goes on. The database's own
   * errors pass through.
   *
   * @throws REPRISE_LEDGER_AWAY, REPRISE_LEDGER_BUSY when the database does not answer after several attempts;
   *   REPRISE_FENCED or REPRISE_LEASE_LOST when another took the lease meanwhile; REPRISE_INPUT_INVALID for a bound or a
   *   name that is none; REPRISE_LEDGER_UNSUITABLE
   */
  readonly run: (options?: RunOptions) => Promise<LoadResult>;
  /**
   * What a run would change, as things stand, writing nothing. Lost rows are judged as if the range were one window, by
   * their share of what the table holds before, as in a run.
   */
  readonly preview: (options?: RangeOptions) => Promise<LoadPreview>;
  /**
   * Whether the table holds what the source holds, and which keys do not agree. Writes nothing.
   * @throws REPRISE_INPUT_INVALID for a `list` that is no whole number from 0 on
   */
  readonly reconcile: (options?: ReconcileOptions) => Promise<LoadReconciliation>;
  /**
   * The newest runs and how far each has come, the newest first.
   * @throws REPRISE_INPUT_INVALID for a limit that is no whole number from 1 on
   */
  readonly runs: (limit?: number) => Promise<readonly LoadRun[]>;
  /** What kept the last run that was refused from writing; `null`: none was, or a later run began. */
  readonly refusal: () => Promise<LastRefusal | null>;
}

export interface LastRefusal {
  readonly at: Date;
  readonly because: readonly LoadRefusal[];
}

/** `"2026-01"`, `"2026-01-15"`, `"2026-01-15T12:00:00Z"`, a date, or a whole number: of the column that windows are cut by. */
export type LoadBound = string | number | bigint | Date;

/** Only where windows are cut by a column. */
export interface RangeOptions {
  /** From this on. Left out: from the least. */
  readonly from?: LoadBound | undefined;
  /** Before this. Left out: to the greatest. */
  readonly to?: LoadBound | undefined;
}
export interface RunOptions extends RangeOptions {
  /**
   * What an orchestrator calls this run: the same name and range is the same run for ever, and once it has ended nothing
   * of it runs again, unless it is declared otherwise by then. Left out: an ended run is followed by a new one.
   */
  readonly run?: string | undefined;
  /** Ends the run once the window that is under way is committed; the next call goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Told after each window, in the run's own turn. */
  readonly progress?: ((progress: LoadProgress) => void) | undefined;
}
export interface ReconcileOptions extends RangeOptions {
  /** How many of the keys that differ are told. Default 50. */
  readonly list?: number | undefined;
}

export interface LoadProgress extends WindowsDone {
  /** Of the windows that are done. */
  readonly counts: WindowCounts;
}
interface WindowsDone {
  /** Committed by this call. */
  readonly done: number;
  /** Committed before, by a call that did not come to its end. */
  readonly skipped: number;
  readonly of: number;
}

export type LoadResult = LoadDone | LoadRunning | LoadRefused;

/** Counts are of all windows of the run, whichever call did them, each counted once. */
export interface LoadDone extends LoadCounts, LostCounts {
  readonly status: "done";
  readonly run: string;
  /** `markRefused`: windows that lost more rows than the declared share, so that none of them was marked. */
  readonly windows: WindowsDone & { readonly markRefused: number };
}
/** Another run of this load has the lease. */
export interface LoadRunning {
  readonly status: "running";
  readonly holder: string | null;
  /** Until its lease ends, if nobody renews it. */
  readonly forMs: number | null;
}
/** Nothing was written; or, where the source came to repeat a key while it was read, nothing from that window on. */
export interface LoadRefused {
  readonly status: "refused";
  readonly because: readonly LoadRefusal[];
}

export type LoadPreview = ({ readonly status: "previewed" } & LoadCounts & LostCounts) | LoadRefused;
export type LoadReconciliation = ({ readonly status: "compared"; readonly equal: boolean } & Comparison) | LoadRefused;

export interface LoadRun {
  readonly run: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly startedAt: Date;
  /** `null`: it has not come to its end. */
  readonly endedAt: Date | null;
  /** `unfinished`: nobody is at it, and the next call of its range goes on. */
  readonly is: "done" | "running" | "unfinished";
  /** The instance that is at it; `null`: none. */
  readonly holder: string | null;
  /** Of the source's range when it began. */
  readonly rows: number;
  /** Of the windows that are done. */
  readonly counts: WindowCounts;
  readonly windows: readonly LoadRunWindow[];
}
export interface LoadRunWindow {
  /** Bounds of windows that are cut by a column; of others they would be keys of rows, and are not told. */
  readonly from: string | null;
  readonly to: string | null;
  /** `null`: it is not done. */
  readonly counts: WindowCounts | null;
  /** When it was committed, by the store's clock; `null`: it is not done. */
  readonly doneAt: Date | null;
  /** Whether an earlier call than the last one committed it. */
  readonly skipped: boolean;
}
