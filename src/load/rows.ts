import { instantOf } from "./bounds.ts";
import { noCounts, type WindowCounts } from "./counts.ts";
import type { Job, JobColumn, Survey, UniqueKey } from "./dialect.ts";

/** What the statements of dialects have in common. */

/** Everything that is written, the identity first, the version next. In statements each is known by its place: `c0`. */
export function writtenOf(job: Job): readonly JobColumn[] {
  return [...job.identity, ...(job.version === null ? [] : [job.version]), ...job.content];
}
export function place(job: Job, column: JobColumn): string {
  return `c${writtenOf(job).indexOf(column)}`;
}

/** The unique key that the identity is. */
export function keyOf({ target, identity }: Job): UniqueKey | undefined {
  return target.keys.find(
    ({ columns, isTotal }) =>
      isTotal &&
      columns.length === identity.length &&
      columns.every((name) => identity.some((one) => one.name === name)),
  );
}

/** What becomes of a row. */
export type RowClass = "new" | "newer" | "same" | "older" | "tied" | "duplicate" | "keyless";

/** What was to be written and was not, because another wrote it first, has become unchanged. */
export function countsOf(
  of: (wanted: RowClass) => number,
  written: Pick<WindowCounts, "inserted" | "updated"> | null,
): WindowCounts {
  const { inserted, updated } = written ?? { inserted: of("new"), updated: of("newer") };
  const wanted = of("new") + of("newer");
  const counts = {
    ...{ inserted, updated, unchanged: of("same") + wanted - inserted - updated },
    ...{ refusedOlder: of("older"), tied: of("tied"), duplicates: of("duplicate"), keyless: of("keyless") },
  };
  return { ...noCounts, ...counts, read: Object.values(counts).reduce((sum, count) => sum + count, 0) };
}

/** In a window, two rows of one key, which came to the source after the survey. */
export class RepeatedKey extends Error {
  constructor(cause?: unknown) {
    super("the source has two rows of one key", { cause });
  }
}

export function numberOf(value: unknown): number {
  return Number(value ?? 0);
}
export function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** The lesser and the greater of two bounds of a survey. */
export function outer(
  a: Survey["least"],
  b: Survey["least"],
  wanted: "least" | "greatest",
  isNumber: boolean,
): string | null {
  if (a === null || b === null) return a ?? b;
  const aIsLess = isNumber ? BigInt(a) < BigInt(b) : instantOf(a) < instantOf(b);
  return aIsLess === (wanted === "least") ? a : b;
}
