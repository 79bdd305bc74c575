/** What SQL is read as. */
export const dialects = ["postgres", "mysql", "sqlite", "tsql"] as const;
export type Dialect = (typeof dialects)[number];

export type Rule =
  | "check-then-insert"
  | "update-then-insert"
  | "insert-where-not-exists"
  | "insert-ignore"
  | "replace-deletes"
  | "merge-without-guard"
  | "delete-then-insert"
  | "lock-then-insert"
  | "find-or-create"
  | "upsert-not-native"
  | "accepted-without-reason";

/** A place that is not safe to run again, or twice at once. It holds names, and no value of a literal. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly rule: Rule;
  /** One sentence that names the failure. */
  readonly why: string;
  /** What to write instead, in the dialect of the place, with its own tables and columns where they could be read. */
  readonly instead: string;
}

/** A finding by its place in the text. */
export interface Fault {
  readonly rule: Rule;
  /** Where the writing begins. */
  readonly at: number;
  /** Where what it depends on begins: a comment there accepts the finding too. */
  readonly from: number;
  readonly why: string;
  readonly instead: string;
}
