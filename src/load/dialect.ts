import type { SqlDialect } from "../contract/sql.ts";
import type { QueryResult } from "../contract/transactions.ts";
import type { WindowCounts } from "./counts.ts";
import type { Share } from "./share.ts";
import type { LoadRange, LoadWindow } from "./window.ts";

/**
 * What a load asks of a database, so that its core writes no SQL. A dialect keeps no state, decides nothing about a
 * declaration and repeats nothing; all that it does is inside the transaction it is given. Names are quoted in every
 * statement, values are parameters.
 */
export interface Dialect {
  readonly name: SqlDialect;
  /** Windows of rows are at most so large, whatever is declared. Left out: as declared. */
  readonly mostRows?: number;

  // ── what is there ──

  /** The table that is filled; `null`: there is none of this name, or it is something that takes no rows by key. */
  readonly target: (session: Session, table: TableName) => Promise<Target | null>;
  /** What the rows come from; `null`: there is no such table or view. A query that is wrong rejects as the database does. */
  readonly source: (session: Session, source: SourceName) => Promise<Source | null>;
  /** Of pairs of columns of one name, those of which the first cannot become the second, keep its value and be compared. */
  readonly misfits: (session: Session, pairs: readonly ColumnPair[]) => Promise<readonly Misfit[]>;
  /** Whether windows of rows are cut at values of such a column, which are kept as text. Left out: of every one. */
  readonly isBound?: (column: Column) => boolean;
  /** Statements for people, as text to be copied. */
  readonly statements: Statements;

  // ── before the first write ──

  /** Looks once through the rows of the range, writing nothing. */
  readonly survey: (session: Session, job: Job, range: LoadRange, wants: SurveyWants) => Promise<Survey>;
  /**
   * Identities, in their order and as text, that cut the rows that have one into windows of about so many. At most
   * `atMost`: no more windows are wanted than one more.
   */
  readonly cut: (session: Session, job: Job, rows: number, atMost: number) => Promise<readonly (readonly string[])[]>;

  // ── a window ──

  /**
   * Marks what is lost, writes what is new or newer, and tells what became of every row of the window. Rows are locked in
   * the order of the identity, so that two windows never wait for each other; where another wrote a row first, the
   * constraint and the version decide. Lost rows come first: their share is one of what the window held before, as a preview
   * sees it, not of what came with it.
   */
  readonly apply: (session: Session, job: Job, window: LoadWindow, hints: Hints) => Promise<WindowCounts>;
  /** What `apply` would tell, writing nothing. */
  readonly preview: (session: Session, job: Job, range: LoadRange) => Promise<WindowCounts>;
  /** How source and table differ; `list`: so many of the keys too. */
  readonly compare: (session: Session, job: Job, range: LoadRange, list: number) => Promise<Comparison>;

  /** Whether the database asks for the transaction again: conflict, deadlock, a row that another inserted first. */
  readonly isConflict: (error: unknown) => boolean;
  /**
   * Whether a row meets one in a unique key that is not the identity's, which may be so for ever. Left out: nobody can
   * tell.
   */
  readonly isOtherKey?: (error: unknown, job: Job) => boolean;
  /** Whether source or table may have become since the survey what is refused: a repeated key, a key that was dropped. */
  readonly mayBeRefused: (error: unknown) => boolean;
}

/** Sends statements inside one open transaction. */
export interface Session {
  readonly query: (text: string, params?: readonly unknown[]) => Promise<QueryResult>;
}

/** As declared; `schema: null`: wherever the connection finds it. */
export interface TableName {
  readonly schema: string | null;
  readonly name: string;
}
export type SourceName = TableName | { readonly query: string };

/** How the windows of a column are cut. `instant`: one of the time line; `timestamp`: of a calendar and clock without zone. */
export type ColumnKind = "date" | "timestamp" | "instant" | "integer" | "other";

export interface Column {
  readonly name: string;
  /** As the database writes it in a cast. */
  readonly type: string;
  readonly kind: ColumnKind;
  /** Two columns of the same say alike which of two values is less, as far as the dialect can tell. */
  readonly order: string;
  /** Written as in a statement, where a dialect names it in them. */
  readonly collation?: string | null;
  readonly isNullable: boolean;
}

export interface Target {
  /** With the schema that it was found in. */
  readonly table: TableName;
  readonly columns: readonly TargetColumn[];
  readonly keys: readonly UniqueKey[];
  /** Whether it consists of partitions, for dialects in which that makes a difference. */
  readonly isPartitioned: boolean;
  /** Why rows are not safe in it, whatever a load declares. Left out: nothing is against it. */
  readonly faults?: readonly TableFault[];
}
export interface TableFault {
  /** About the table, which is named before it: "its engine has no transactions". */
  readonly why: string;
  readonly mend: readonly string[];
}
export interface TargetColumn extends Column {
  /** The database makes its value: generated, or an identity. */
  readonly isGenerated: boolean;
  readonly hasDefault: boolean;
  /** A number that a sequence makes, or SQLite's of a row: written where it is declared, not for its name alone. */
  readonly isNumbered?: boolean;
}

export interface UniqueKey {
  readonly name: string;
  /** `null`: an expression stands there. */
  readonly columns: readonly (string | null)[];
  /** Over all rows, not those of a predicate. */
  readonly isTotal: boolean;
  /** Built to the end, and kept with each statement. */
  readonly isValid: boolean;
  readonly isDeferrable: boolean;
}

export interface Source {
  readonly columns: readonly Column[];
  /** Of a table: those over columns that cannot be null. They spare the search for repeated keys. */
  readonly keys: readonly UniqueKey[];
}

export interface ColumnPair {
  readonly source: Column;
  readonly target: Column;
}
export interface Misfit {
  readonly column: string;
  readonly why: "not-assignable" | "loses-value" | "depends-on-session" | "not-comparable";
}

/** A declaration and what was found: all that a statement needs. */
export interface Job {
  readonly source: SourceName;
  readonly target: Target;
  /** In the declaration's order; the columns of the unique key that was found. */
  readonly identity: readonly JobColumn[];
  /** `null`: what comes later overwrites. */
  readonly version: JobColumn | null;
  /** All else that is written. */
  readonly content: readonly JobColumn[];
  /** What windows are cut by; `null`: not by a column. */
  readonly by: JobColumn | null;
  /** Whether equal keys are in the same window: the column that windows are cut by is part of the identity. */
  readonly keyTellsWindow: boolean;
  readonly ifSameVersionDiffers: "refuse" | "overwrite";
  readonly ifSourceRepeatsKey: "refuse" | "newest";
  readonly mark: { readonly column: TargetColumn; readonly atMost: Share } | null;
}
export interface JobColumn {
  readonly name: string;
  readonly source: Column;
  readonly target: Column;
}

export interface SurveyWants {
  /** Whether keys are to be searched for repetitions; null keys are none. */
  readonly repeated: boolean;
  /** Whether the bounds take in the table that is filled, for rows that the source lost. */
  readonly targetBounds: boolean;
}
export interface Survey {
  readonly rows: number;
  readonly keyless: number;
  /** Of those with a whole key: rows without a version. */
  readonly versionless: number;
  /** Rows without a value of the column that windows are cut by. */
  readonly windowless: number;
  /** Rows whose value the table would round, by column, where the types do not tell. Left out: they always do. */
  readonly rounded?: readonly { readonly column: JobColumn; readonly rows: number }[];
  /** Whether the table has such rows too, where its bounds are wanted. */
  readonly targetIsWindowless: boolean;
  /** Keys that come more than once, and their rows. */
  readonly repeated: { readonly keys: number; readonly rows: number };
  /** Of the column that windows are cut by, finite, as text in ISO 8601 or digits; `null`: none. */
  readonly least: string | null;
  readonly greatest: string | null;
  readonly targetIsEmpty: boolean;
}

export interface Hints {
  /** How many rows the window has, about. */
  readonly rows: number;
  /** The table was empty when this call looked: then nothing is to be joined with, unless another writes there too. */
  readonly targetWasEmpty: boolean;
}

export interface Comparison {
  /** Rows of the source's keys that the table lacks. */
  readonly missing: number;
  /** Same key, other content, and the table's is not newer. */
  readonly differing: number;
  /** The table has a newer one. */
  readonly older: number;
  /** Rows of the table, without mark, whose key the source lacks. */
  readonly extra: number;
  readonly keys: readonly ListedKey[];
}
export interface ListedKey {
  readonly is: "missing" | "differing" | "older" | "extra";
  /** Column of the identity to value, as text. */
  readonly key: Readonly<Record<string, string>>;
}

/** What mends a table, written out. Several statements run one by one, in order. */
export interface Statements {
  readonly addUniqueKey: (target: Target, columns: readonly string[]) => readonly string[];
  readonly dropKey: (target: Target, key: UniqueKey) => readonly string[];
  readonly setNotNull: (target: Target, columns: readonly TargetColumn[]) => readonly string[];
  /** Leaves the newest row of each key; `version: null`: the last that was written, as far as the database can tell. */
  readonly deleteRepeated: (target: Target, columns: readonly string[], version: string | null) => readonly string[];
  readonly addColumn: (target: Target, name: string, type: string) => readonly string[];
  readonly setDefault: (target: Target, column: TargetColumn) => readonly string[];
  /** Of a column in which windows are marked. */
  readonly markType: string;
  /** Lists the keys that come more than once. Of a pair, the source's value is taken as the table would hold and compare it. */
  readonly listRepeated: (rows: SourceName, columns: readonly (string | JobColumn)[]) => string;
  /** Lists the rows whose value the table would round. */
  readonly listRounded?: (rows: SourceName, column: JobColumn) => string;
  /** Lists the rows in which one of the columns is null. */
  readonly listNulls: (rows: SourceName, columns: readonly string[]) => string;
}
