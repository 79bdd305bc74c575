/**
 * Why a run wrote nothing. Each tells in `why` what is amiss, in `mend` the statements that mend it, to be run one by one
 * and in order, and in `list` a query that shows the rows in question. Nothing of this has run.
 */
export type LoadRefusal = LoadRefusalReason & {
  readonly why: string;
  /** Empty: no statement mends it, the declaration or the source must change. */
  readonly mend: readonly string[];
  /** `null`: no rows are in question. */
  readonly list: string | null;
};

export type LoadRefusalReason =
  | { readonly what: "table-missing"; readonly table: string }
  /** What it is written to would not be kept as it was written: no transactions, or values that are cut short. */
  | { readonly what: "table-unsafe"; readonly table: string }
  | { readonly what: "column-missing"; readonly table: string; readonly column: string }
  | { readonly what: "column-generated"; readonly table: string; readonly column: string }
  /** Rows that the load inserts would lack a value that the table demands. */
  | { readonly what: "column-unfilled"; readonly table: string; readonly column: string }
  | { readonly what: "key-missing"; readonly table: string; readonly columns: readonly string[] }
  | { readonly what: "key-partial"; readonly table: string; readonly key: string }
  | { readonly what: "key-invalid"; readonly table: string; readonly key: string }
  | { readonly what: "key-expression"; readonly table: string; readonly key: string }
  | { readonly what: "key-deferrable"; readonly table: string; readonly key: string }
  | { readonly what: "key-nullable"; readonly table: string; readonly column: string }
  /** MySQL and MariaDB: a row that meets two keys would update one of them silently. */
  | { readonly what: "second-key"; readonly table: string; readonly key: string }
  | { readonly what: "version-nullable"; readonly table: string; readonly column: string }
  | {
      readonly what: "type-mismatch";
      readonly column: string;
      readonly from: string;
      readonly to: string;
      readonly is: "not-assignable" | "loses-value" | "depends-on-session" | "not-comparable";
    }
  | { readonly what: "mark-unfit"; readonly table: string; readonly column: string }
  | { readonly what: "window-column-unfit"; readonly column: string; readonly type: string }
  | { readonly what: "windows-too-many"; readonly windows: number; readonly atMost: number }
  | { readonly what: "source-repeats-key"; readonly keys: number; readonly rows: number }
  | { readonly what: "source-lacks-version"; readonly rows: number }
  | { readonly what: "source-lacks-window"; readonly rows: number };
