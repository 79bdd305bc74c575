import { instantOf } from "./bounds.ts";
import { type LostCounts, noCounts, type WindowCounts } from "./counts.ts";
import type { Job, JobColumn, Survey, UniqueKey } from "./dialect.ts";
import { isAtMost } from "./share.ts";

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
    ({ columns, isTotal, isDeferrable }) =>
      isTotal &&
      !isDeferrable &&
      columns.length === identity.length &&
      columns.every((name) => identity.some((one) => one.name === name)),
  );
}

/** What becomes of a row. */
export const rowClasses = ["new", "newer", "same", "older", "tied", "duplicate", "keyless"] as const;
export type RowClass = (typeof rowClasses)[number];

/** How many rows are of each class. `read`: of all, counted without the classes, so that a row of none is noticed. */
export interface ClassCounts {
  readonly read: number;
  readonly of: (wanted: RowClass) => number;
}

/** Of rows that name a class and how many are of it. */
export function classCounts(rows: readonly Readonly<Record<string, unknown>>[]): ClassCounts {
  const counts = new Map(rows.map((row) => [row["class"], numberOf(row["n"])]));
  const read = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return { read, of: (wanted) => counts.get(wanted) ?? 0 };
}

/** What was to be written and was not, because another wrote it first, has become unchanged. */
export function countsOf(
  { read, of }: ClassCounts,
  written: Pick<WindowCounts, "inserted" | "updated"> | null,
): WindowCounts {
  const { inserted, updated } = written ?? { inserted: of("new"), updated: of("newer") };
  const wanted = of("new") + of("newer");
  return {
    ...noCounts,
    ...{ read, inserted, updated, unchanged: of("same") + wanted - inserted - updated },
    ...{ refusedOlder: of("older"), tied: of("tied"), duplicates: of("duplicate"), keyless: of("keyless") },
  };
}

/** The condition under which a row that is there is written over. `differs`: what is no key and no version is another. */
export function isNewer(
  { version, mark, ifSameVersionDiffers }: Job,
  has: (name: string) => string,
  comes: (name: string) => string,
  differs: string,
): string {
  const isMarked = mark === null ? "false" : `${has(mark.column.name)} is not null`;
  const same = ifSameVersionDiffers === "overwrite" ? `${differs} or ${isMarked}` : `${isMarked} and not (${differs})`;
  if (version === null) return `(${same})`;
  const [there, given] = [has(version.name), comes(version.name)];
  return `(${there} < ${given} or ${there} = ${given} and (${same}))`;
}

/** What would be marked of the lost, if what was looked at were one window. */
export function markedOf({ mark }: Job, lost: number, held: number): LostCounts {
  return { lost, marked: mark !== null && isAtMost(lost, held, mark.atMost) ? lost : 0 };
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
