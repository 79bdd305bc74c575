import type { Column, Job, JobColumn } from "../dialect.ts";
import type { LoadRange, LoadWindow } from "../window.ts";
import { quote } from "./names.ts";
import { affinityOf, collationOf } from "./types.ts";

/** A statement's parameters, in the order in which its text names them. Values are in no text. */
export class Params {
  readonly values: unknown[] = [];

  push(value: unknown): string {
    this.values.push(value);
    return "?";
  }
}

/** `s` is the source's row, `f` the table's. */
export type Side = "source" | "target";
const alias = { source: "s", target: "f" } as const;

/** The identity, compared as the table's unique key compares it. */
export function keyOn(job: Job, side: Side): readonly string[] {
  return job.identity.map((column) => comparedAs(column, side));
}
export function comparedAs(column: JobColumn, side: Side = "source"): string {
  const collation = collationOf(column.target.type);
  const value = side === "source" ? asTarget(column) : `f.${quote(column.name)}`;
  return collation === null ? value : `${value} collate ${quote(collation)}`;
}

/** A source's value as the table would hold it: 5 and '5' are two values, and one in a column of text or of numbers. */
export function asTarget({ name, source, target }: JobColumn): string {
  const value = `s.${quote(name)}`;
  const [from, to] = [affinityOf(source.type), affinityOf(target.type)];
  if (from === to || to === "none") return value;
  if (to === "text") return `iif(typeof(${value}) in ('integer', 'real'), cast(${value} as text), ${value})`;
  const number = `cast(${value} as numeric)`;
  return `iif(typeof(${value}) = 'text' and cast(${number} as text) = ${value}, ${number}, ${value})`;
}
export function isWhole(job: Job): string {
  return job.identity.map(({ name }) => `s.${quote(name)} is not null`).join(" and ");
}

/** Whether a row lies in a window. On the table's side a row without key is in none. */
export function inWindow(job: Job, window: LoadWindow, side: Side, params: Params): string {
  switch (window.is) {
    case "whole":
      return "true";
    case "range":
      return inRange(job, window, side, params);
    case "keys": {
      const columns = keyOn(job, side).join(", ");
      const bound = (values: readonly string[]) => values.map((value) => params.push(readLiteral(value))).join(", ");
      return [
        ...(window.after === null ? [] : [`(${columns}) > (${bound(window.after)})`]),
        ...(window.upTo === null ? [] : [`(${columns}) <= (${bound(window.upTo)})`]),
        // of a comparison that is decided by the first column, null in another would not be noticed
        ...job.identity.map(({ name }) => `${alias[side]}.${quote(name)} is not null`),
      ].join(" and ");
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
  // a day without a clock is less than its own beginning with one
  const bound = (value: string) =>
    params.push(by[side].kind === "integer" ? BigInt(value) : value.replace(/ 00:00:00$/, ""));
  return [
    ...(from === null ? [] : [`${column} >= ${bound(from)}`]),
    ...(to === null ? [] : [`${column} < ${bound(to)}`]),
    // of an open window, rows without a value are in the window of those
    `${column} is not null`,
  ].join(" and ");
}

/** What `quote` made of a value, in the type that it had: a column may hold 5 beside '5'. */
export function readLiteral(literal: string): string | number | bigint | Uint8Array {
  if (literal.startsWith("'")) return literal.slice(1, -1).replaceAll("''", "'");
  if (literal.startsWith("X'")) return Buffer.from(literal.slice(2, -1), "hex");
  return /^-?\d+$/.test(literal) ? BigInt(literal) : Number(literal);
}

/** For people. */
export function asText(value: string): string {
  return `case typeof(${value}) when 'blob' then hex(${value}) else cast(${value} as text) end`;
}

/** The type of a column of a table beside, which then keeps and compares values as the table's column does. */
export function typeBeside({ type }: Column): string {
  // in a table that is not strict, this type would turn text into numbers
  return type.replace(/^ANY\b/i, "");
}
