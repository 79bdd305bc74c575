import type { Column, Job, JobColumn } from "../dialect.ts";
import { place, writtenOf } from "../rows.ts";
import type { LoadRange, LoadWindow } from "../window.ts";
import { quote, rowsOf } from "./names.ts";
import { characterSetOf, collationOf, familyOf } from "./types.ts";

/** A statement's parameters, in the order in which its text names them. Values are in no text. */
export class Params {
  readonly values: unknown[] = [];

  /** Text that stands for a value of such a column. */
  add(value: string, { type }: Pick<Column, "type">): string {
    switch (familyOf(type)) {
      case "integer":
        return this.push(BigInt(value), "?");
      case "decimal":
        return this.push(value, "cast(? as decimal(65, 30))");
      case "float":
        return this.push(value, "(? + 0e0)");
      case "date":
        return this.push(value, "cast(? as date)");
      case "datetime":
        return this.push(value, "cast(? as datetime(6))");
      case "timestamp":
        // both windows beside a bound compare with it by the same clock, so that no row is in both or in none
        return this.push(secondsOf(value), "from_unixtime(cast(? as decimal(20, 6)))");
      case "time":
        return this.push(value, "cast(? as time(6))");
      case "binary":
        return this.push(value, "unhex(?)");
      default:
        // bytes, which no setting of a connection converts
        return this.push(Buffer.from(value), asKept("?", type));
    }
  }
  push(value: unknown, text: string): string {
    this.values.push(value);
    return text;
  }
}

/** Text in the character set of a column, and compared as the column compares. */
function asKept(text: string, type: string): string {
  const set = characterSetOf(type);
  return set === null ? `convert(${text} using utf8mb4)` : `convert(${text} using ${set}) collate ${collationOf(type)}`;
}

/** `s` is the source's row, `f` the table's. */
export type Side = "source" | "target";
const alias = { source: "s", target: "f" } as const;

/** A source's value as the table would hold and compare it. */
export function asTarget({ name, source, target }: JobColumn): string {
  const column = `s.${quote(name)}`;
  if (source.type === target.type) return column;
  const family = familyOf(target.type);
  if (family !== "text" && family !== "choice") return column;
  const text = asKept(column, target.type);
  if (target.type.startsWith("char")) return `trim(trailing ' ' from ${text})`;
  // of blanks behind its length an insert keeps none
  const length = /^varchar\((\d+)\)/.exec(target.type)?.[1];
  if (length === undefined || isVarcharUpTo(source.type, Number(length))) return text;
  const isBlankBehind = `char_length(${text}) > ${length} and char_length(trim(trailing ' ' from ${text})) <= ${length}`;
  return `if(${isBlankBehind}, left(${text}, ${length}), ${text})`;
}

function isVarcharUpTo(type: string, length: number): boolean {
  const own = /^varchar\((\d+)\)/.exec(type)?.[1];
  return own !== undefined && Number(own) <= length;
}

/** The identity in the order of bounds: a choice is sorted by its place in its type, but compared with a bound as text. */
export function boundsOf(job: Job, side: Side): readonly string[] {
  return job.identity.map((column) => {
    const value = side === "source" ? asTarget(column) : `f.${quote(column.name)}`;
    return familyOf(column.target.type) === "choice" ? asKept(value, column.target.type) : value;
  });
}

/** Whether a row lies in a window. On the table's side a row without key is in none. */
export function inWindow(job: Job, window: LoadWindow, side: Side, params: Params): string {
  switch (window.is) {
    case "whole":
      return "true";
    case "range":
      return inRange(job, window, side, params);
    case "keys": {
      const { after, upTo } = window;
      return [
        ...(after === null ? [] : [isBehind(job, side, after, params)]),
        ...(upTo === null ? [] : [`not ${isBehind(job, side, upTo, params)}`]),
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

/** `(a, b) > (?, ?)`, written out so that an index of the first column is of use. */
function isBehind(job: Job, side: Side, values: readonly string[], params: Params): string {
  const columns = boundsOf(job, side);
  const compare = (index: number): string => {
    const column = columns[index] ?? "";
    const bound = () => params.add(values[index] ?? "", job.identity[index]?.target ?? { type: "" });
    if (index === columns.length - 1) return `${column} > ${bound()}`;
    return `(${column} > ${bound()} or (${column} = ${bound()} and ${compare(index + 1)}))`;
  };
  return compare(0);
}

export function inRange(job: Job, { from, to }: LoadRange, side: Side, params: Params): string {
  const { by } = job;
  if (by === null || (from === null && to === null)) return "true";
  const column = `${alias[side]}.${quote(by.name)}`;
  return [
    ...(from === null ? [] : [`${column} >= ${params.add(from, by[side])}`]),
    ...(to === null ? [] : [`${column} < ${params.add(to, by[side])}`]),
    // of an open window, rows without a value are in the window of those
    `${column} is not null`,
  ].join(" and ");
}

export function selectSource(job: Job, where: string): string {
  const columns = writtenOf(job).map((column, index) => `${asTarget(column)} as c${index}`);
  return `select ${columns.join(", ")} from ${rowsOf(job.source)} s where ${where}`;
}

/** Of rows of one key and version one is the first that is the same each time. */
export function newestFirst(job: Job): readonly string[] {
  const version = job.version === null ? [] : [`${place(job, job.version)} desc`];
  const rest = [...job.content, ...job.identity].map((column) => {
    const value = place(job, column);
    return familyOf(column.target.type) === "text" ? `cast(${value} as binary)` : value;
  });
  return [...version, ...rest];
}

/** Whether two values are the same: text by its bytes, for another case is a change, though a collation equates the two. */
export function isSame({ target }: JobColumn, a: string, b: string): string {
  if (familyOf(target.type) === "text") return `cast(${a} as binary) <=> cast(${b} as binary)`;
  return `${a} <=> ${b}`;
}

/** A value as text that no setting of a connection changes: `readText` reads it. */
export function asText(value: string, { type }: Pick<Column, "type">): string {
  switch (familyOf(type)) {
    case "text":
    case "choice":
      return `hex(convert(${value} using utf8mb4))`;
    case "binary":
      return `hex(${value})`;
    case "timestamp":
      return `cast(unix_timestamp(${value}) as char)`;
    default:
      return `cast(${value} as char)`;
  }
}
export function readText(value: unknown, { type }: Pick<Column, "type">): string | null {
  if (value === null || value === undefined) return null;
  const text = String(value);
  switch (familyOf(type)) {
    case "text":
    case "choice":
      return Buffer.from(text, "hex").toString();
    case "timestamp":
      return instantOf(text);
    default:
      return text;
  }
}

/** To the microsecond, which a date of JavaScript's cannot hold. */
function instantOf(seconds: string): string {
  const [whole = "0", fraction = ""] = seconds.split(".");
  const digits = fraction.replace(/0+$/, "").padEnd(3, "0");
  return new Date(Number(whole) * 1_000).toISOString().replace("000Z", `${digits}Z`);
}
function secondsOf(instant: string): string {
  const [whole = "", fraction = "0"] = instant.replace(/Z$/, "").split(".");
  return `${Date.parse(`${whole}Z`) / 1_000}.${fraction}`;
}
