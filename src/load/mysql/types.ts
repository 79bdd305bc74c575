import type { ColumnKind, ColumnPair, Misfit } from "../dialect.ts";

/** Column types as `show full columns` writes them, with their collation behind: `varchar(40) collate utf8mb4_bin`. */

export type Family =
  | "integer"
  | "decimal"
  | "float"
  | "date"
  | "datetime"
  | "timestamp"
  | "time"
  | "text"
  | "choice"
  | "binary"
  | "shape"
  | "other";

const families: readonly (readonly [RegExp, Family])[] = [
  [/^(?:tiny|small|medium|big)?int\b/, "integer"],
  [/^decimal\b/, "decimal"],
  [/^(?:float|double)\b/, "float"],
  [/^date\b/, "date"],
  [/^datetime\b/, "datetime"],
  [/^timestamp\b/, "timestamp"],
  [/^time\b/, "time"],
  [/^(?:char|varchar|(?:tiny|medium|long)?text)\b/, "text"],
  [/^(?:enum|set)\(/, "choice"],
  [/^(?:binary|varbinary|(?:tiny|medium|long)?blob)\b/, "binary"],
  [/^(?:geometry|point|linestring|polygon|multi\w+|geom\w*collection)\b/, "shape"],
];
export function familyOf(type: string): Family {
  return families.find(([pattern]) => pattern.test(type))?.[1] ?? "other";
}

export function kindOf(type: string): ColumnKind {
  switch (familyOf(type)) {
    case "integer":
      return "integer";
    case "date":
      return "date";
    case "datetime":
      return "timestamp";
    case "timestamp":
      return "instant";
    default:
      return "other";
  }
}

export function collationOf(type: string): string | null {
  return / collate (\w+)$/.exec(type)?.[1] ?? null;
}
/** A collation is named after its character set. */
export function characterSetOf(type: string): string | null {
  return collationOf(type)?.split("_")[0] ?? null;
}

/**
 * Why values of a column do not stay what they are in another; `null`: they do. Strict mode refuses what is too large or
 * too long, and rounds what has too many digits.
 */
export function misfitOf({ source, target }: ColumnPair): Misfit["why"] | null {
  const [from, to] = [familyOf(source.type), familyOf(target.type)];
  if (to === "shape") return "not-comparable";
  if (source.type === target.type) return null;
  // an instant is written as what the clock of the session's zone shows
  const zoned = from !== to && (from === "timestamp" || to === "timestamp");
  if (zoned && ofTime.has(from) && ofTime.has(to)) return "depends-on-session";
  switch (to) {
    case "text":
      if (from === "timestamp") return "depends-on-session";
      return from === "binary" || from === "shape" || from === "other" ? "not-assignable" : null;
    case "choice":
      return target.type.startsWith("set") || !(from === "text" || from === "choice") ? "not-assignable" : null;
    case "integer":
      if (from === "integer") return null;
      if (from === "decimal") return scaleOf(source.type) === 0 ? null : "loses-value";
      return from === "float" ? "loses-value" : "not-assignable";
    case "decimal":
      if (from === "integer") return null;
      if (from === "decimal") return scaleOf(source.type) <= scaleOf(target.type) ? null : "loses-value";
      return from === "float" ? "loses-value" : "not-assignable";
    case "float":
      return intoFloat(source.type, target.type);
    case "date":
      return from === "datetime" ? "loses-value" : "not-assignable";
    case "datetime":
      if (from === "date") return null;
      return from === "datetime" ? finer(source.type, target.type) : "not-assignable";
    case "timestamp":
    case "time":
      return from === to ? finer(source.type, target.type) : "not-assignable";
    case "binary":
      // `binary(8)` fills up with zeros
      if (from !== "binary") return "not-assignable";
      return target.type.startsWith("binary") ? "loses-value" : null;
    default:
      return "not-assignable";
  }
}

const ofTime: ReadonlySet<Family> = new Set(["date", "datetime", "timestamp"]);

/** A float holds 24 bits, a double 53. */
function intoFloat(from: string, to: string): Misfit["why"] | null {
  switch (familyOf(from)) {
    case "float":
      return from.startsWith("double") && to.startsWith("float") ? "loses-value" : null;
    case "integer":
      return from.startsWith("bigint") || to.startsWith("float") ? "loses-value" : null;
    case "decimal":
      return "loses-value";
    default:
      return "not-assignable";
  }
}
function scaleOf(type: string): number {
  return Number(/^decimal\(\d+,(\d+)\)/.exec(type)?.[1] ?? 0);
}
function finer(from: string, to: string): Misfit["why"] | null {
  const digits = (type: string) => Number(/^\w+\((\d)\)/.exec(type)?.[1] ?? 0);
  return digits(from) <= digits(to) ? null : "loses-value";
}
