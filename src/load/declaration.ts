import type { Config, Decision, Owned } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { Load } from "./surface.ts";

/** What a load declares, and what the compiler refuses of it. */

/** Where the rows come from: a table, or a query whose columns are named as those of the table it fills. */
export type LoadSource =
  /** `"transactions"` or `"staging.transactions"`, as the database's catalogue writes the names: in its very letters. */
  string | { readonly query: string };

/** A whole run is cut into windows, each of which is one transaction that also writes down that it is done. */
export type LoadWindows =
  /** By a column of dates, instants or whole numbers: windows that mean something, of which a run may name some. */
  | { readonly by: string; readonly each: WindowStep }
  /** By the identity, so many rows in each, or nearly. A source of fewer than four windows is loaded in one. */
  | { readonly rows: number }
  /** One statement and one transaction, however long it takes. */
  | "whole";
/** Calendar months, days or hours, in UTC; a number for a column of whole numbers. */
export type WindowStep = `${number}mo` | `${number}d` | `${number}h` | number;

interface Loads {
  /** Unique among the loads of an instance; part of every run's identity. */
  readonly name: string;
  readonly from: LoadSource;
  /** The table that is filled, as `from` is written. */
  readonly into: string;
  /** The natural key: columns of a valid, total, not-null unique constraint, which is looked up before the first write. */
  readonly identity: readonly [string, ...string[]];
  /**
   * What becomes of rows that the source no longer has. `"keep"`: nothing. `mark`: a column of instants or dates is set,
   * where it is null, if they are at most such a share of the window's rows; if they are more, none of them is. It is
   * cleared from a row that the source has again.
   */
  readonly ifSourceLost: "keep" | LostRule;
  readonly windows: LoadWindows;
  /** What is written, beside the identity and the version. Default: all columns that both sides have, but those that the table numbers by itself. */
  readonly columns?: readonly string[] | undefined;
  /** Of a run, renewed at a third of it. Default 30 s. */
  readonly lease?: Duration | undefined;
  /** What it costs if the same rows are loaded twice. Default: nothing, for a rerun writes differences alone. */
  readonly costIfTwice?: "nothing" | "noise" | "trust" | "money" | undefined;
}
export interface LostRule {
  readonly mark: string;
  /** Of the rows without mark that a window of the table holds before it is loaded; where more are lost, none is marked. */
  readonly atMost: `${number}%`;
}

type Newer = string | { readonly none: string };
type SameVersion = "refuse" | "overwrite";
type Repeats = "refuse" | "newest";
type SameVersionCheck<N extends Newer, T extends SameVersion> = N extends string
  ? T
  : T extends "refuse"
    ? "without a version what comes later overwrites: say 'overwrite', or name the version in 'newer'"
    : T;
type RepeatsCheck<N extends Newer, R extends Repeats> = N extends string
  ? R
  : R extends "newest"
    ? "without a version no row is the newest: say 'refuse', or name the version in 'newer'"
    : R;

/** Which of two rows of one key is right. */
interface Order<N extends Newer, T extends SameVersion, R extends Repeats> {
  /**
   * A column of both sides that is greater in the newer row of a key: an older one is refused. Or nothing tells, what comes
   * later overwrites, and `none` says why that is right.
   */
  readonly newer: N;
  /** The same version with other content: it is refused, or what comes later stays. */
  readonly ifSameVersionDiffers: SameVersionCheck<N, T>;
  /** Two rows of one key in the source: the run is refused before it writes, or the newest counts. */
  readonly ifSourceRepeatsKey: RepeatsCheck<N, R>;
}

/**
 * Declares a load: rows of a staging table, or of a query, into a table of facts, by their natural key.
 *
 * Rerun, killed half way, overlapped or replayed in any order, it leaves the same table: a row is written only where it is
 * new or newer, in windows that commit together with the note that they are done. Declaring asks no database: what does
 * not fit the table is told by the run, which then writes nothing.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE; on start, REPRISE_BAD_DECLARATION where the
 *   ledger lies in no database of SQL
 * @example
 * const sales = reprise.load({
 *   name: "sales.fact", owner: "reporting", ifRunsAgain: "converges",
 *   from: "staging.transactions", into: "reporting.fact_sales",
 *   identity: ["txn_ref", "txn_date"], newer: "source_version",
 *   ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep",
 *   windows: { by: "txn_date", each: "1mo" },
 * });
 * const result = await sales.run({ from: "2026-01" });
 */
export type LoadVerb<C extends Config> = <const N extends Newer, const T extends SameVersion, const R extends Repeats>(
  declaration: Loads & Order<N, T, R> & Owned<C> & Decision<C, { readonly ifRunsAgain: "converges" }>,
) => Load;

/** A declaration as `createReprise` received it. */
export interface LoadDeclaration {
  readonly name: string;
  readonly owner?: string | undefined;
  readonly ifRunsAgain?: "converges" | undefined;
  readonly costIfTwice?: Loads["costIfTwice"];
  readonly from: LoadSource;
  readonly into: string;
  readonly identity: readonly string[];
  readonly newer: Newer;
  readonly ifSameVersionDiffers: SameVersion;
  readonly ifSourceRepeatsKey: Repeats;
  readonly ifSourceLost: "keep" | LostRule;
  readonly windows: LoadWindows;
  readonly columns?: readonly string[] | undefined;
  readonly lease?: Duration | undefined;
}
