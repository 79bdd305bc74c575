import type { Job, JobColumn } from "../dialect.ts";
import { place, writtenOf } from "../rows.ts";
import type { LoadRange, LoadWindow } from "../window.ts";
import { quote, rowsOf } from "./names.ts";

/** A statement's parameters, numbered as they are named. Values are in no text. */
export class Params {
  readonly values: unknown[] = [];

  /** As text, cast to a type of the catalogue. */
  add(value: string, type: string): string {
    this.values.push(value);
    // cast from text, or a driver would make of it what it thinks the type wants
    return `$${this.values.length}::text::${type}`;
  }
}

/** `s` is the source's row, `f` the table's. */
export type Side = "source" | "target";
const alias = { source: "s", target: "f" } as const;

/** Whether a row lies in a window. On the table's side a row without key is in none. */
export function inWindow(job: Job, window: LoadWindow, side: Side, params: Params): string {
  switch (window.is) {
    case "whole":
      return "true";
    case "range":
      return inRange(job, window, side, params);
    case "keys": {
      const columns = job.identity.map((column) => `${alias[side]}.${quote(column.name)}`);
      const bound = (values: readonly string[]) =>
        job.identity.map((column, index) => params.add(values[index] ?? "", column[side].type)).join(", ");
      const after = window.after === null ? [] : [`(${columns.join(", ")}) > (${bound(window.after)})`];
      const upTo = window.upTo === null ? [] : [`(${columns.join(", ")}) <= (${bound(window.upTo)})`];
      // of a comparison that is decided by the first column, null in another would not be noticed
      const whole = columns.map((column) => `${column} is not null`);
      return [...after, ...upTo, ...whole].join(" and ");
    }
    case "keyless":
      if (job.by !== null && (side === "target" || job.keyTellsWindow)) {
        return `${alias[side]}.${quote(job.by.name)} is null`;
      }
      // where the key does not tell the window, the survey has refused such rows of the source
      if (side === "target" || job.by !== null) return "false";
      return `(${job.identity.map(({ name }) => `s.${quote(name)} is null`).join(" or ")})`;
  }
}

export function inRange(job: Job, { from, to }: LoadRange, side: Side, params: Params): string {
  const { by } = job;
  if (by === null || (from === null && to === null)) return "true";
  const column = `${alias[side]}.${quote(by.name)}`;
  return [
    from === null ? "" : `${column} >= ${params.add(from, by[side].type)}`,
    to === null ? "" : `${column} < ${params.add(to, by[side].type)}`,
    // of an open window, rows without a value are in the window of those
    `${column} is not null`,
  ]
    .filter((part) => part !== "")
    .join(" and ");
}

/** A cast to a length cuts short, where an insert refuses. */
const lengths = {
  "character varying": "character varying",
  character: "bpchar",
  "bit varying": "bit varying",
  bit: "bit varying",
};
/**
 * A source's value as the table would hold and compare it: rounded, without blanks behind its length, and collated, as an
 * insert and the table's key would.
 */
export function asTarget(column: JobColumn): string {
  const { source, target } = column;
  const value = valueAsTarget(column);
  const isCollated = (target.collation ?? null) !== null && target.collation !== source.collation;
  return isCollated ? `${value} collate ${target.collation}` : value;
}
function valueAsTarget({ name, source, target }: JobColumn): string {
  const column = `s.${quote(name)}`;
  if (source.type === target.type) return column;
  const [, bounded = "", length, array] = /^([a-z ]+)\((\d+)\)(\[\])?$/.exec(target.type) ?? [];
  const bare = Object.entries(lengths).find(([name]) => name === bounded)?.[1];
  if (bare === undefined) return `${column}::${target.type}`;
  if (array !== undefined) return `${column}::${bare}[]`;
  const value = `${column}::${bare}`;
  if (bare !== "character varying") return value;
  const isBlankBehind = `length(${value}) > ${length} and length(rtrim(${value}, ' ')) <= ${length}`;
  return `case when ${isBlankBehind} then left(${value}, ${length}) else ${value} end`;
}

/** Digits behind the point that a type keeps. `null`: it does not say. */
export function digitsOf(type: string): number | null {
  const digits = /^(?:numeric\(\d+,(-?\d+)\)|(?:time|interval)[a-z ]*\((\d)\))/.exec(type);
  return digits === null ? null : Number(digits[1] ?? digits[2]);
}
/** Columns whose values alone tell whether the table would round them. */
export function mayBeRounded(job: Job): readonly JobColumn[] {
  const family = (type: string) => /^(?:numeric|timestamp|time|interval)/.exec(type)?.[0];
  return writtenOf(job).filter(
    ({ source, target }) =>
      digitsOf(target.type) !== null && digitsOf(source.type) === null && family(source.type) === family(target.type),
  );
}
export function isRounded(column: JobColumn): string {
  return `${asTarget(column)} is distinct from s.${quote(column.name)}`;
}

export function selectSource(job: Job, where: string): string {
  const columns = writtenOf(job).map((column, index) => `${asTarget(column)} as c${index}`);
  return `select ${columns.join(", ")} from ${rowsOf(job.source)} s where ${where}`;
}

/** Whether what is no key and no version is another. Text by its bytes, for a collation may equate what differs. */
export function differ({ content }: Job, a: (column: JobColumn) => string, b: (column: JobColumn) => string): string {
  if (content.length === 0) return "false";
  const bytes = (value: (column: JobColumn) => string) =>
    content.map((column) => `${value(column)}${(column.target.collation ?? null) === null ? "" : ' collate "C"'}`);
  return `(${bytes(a).join(", ")}) is distinct from (${bytes(b).join(", ")})`;
}

/** Of rows `c` of one key and version one is the first that is the same each time. */
export function newestFirst(job: Job): string {
  const version = job.version === null ? [] : [`${place(job, job.version)} desc nulls last`];
  return [...version, "(c.*)::text desc"].join(", ");
}

/** Values as text that no setting of a session changes. */
export function asText(value: string): string {
  return `to_json(${value}) #>> '{}'`;
}
