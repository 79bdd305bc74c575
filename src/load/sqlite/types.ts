import type { ColumnKind, ColumnPair, Misfit } from "../dialect.ts";

/**
 * Column types as they were declared, behind them the collation of the unique key that a column is in. SQLite keeps any
 * value in any column; its affinity says what it turns values into.
 */

type Affinity = "integer" | "text" | "none" | "real" | "numeric";

export function affinityOf(type: string): Affinity {
  const declared = declaredType(type).toUpperCase();
  if (declared.includes("INT")) return "integer";
  if (/CHAR|CLOB|TEXT/.test(declared)) return "text";
  if (declared === "" || declared === "ANY" || declared.includes("BLOB")) return "none";
  return /REAL|FLOA|DOUB/.test(declared) ? "real" : "numeric";
}

/** Dates are text in ISO 8601, whose order is that of time. Of a text's bounds a day is compared as its beginning. */
export function kindOf(type: string): ColumnKind {
  const declared = declaredType(type).toUpperCase();
  if (/^(?:DATETIME|TIMESTAMP)\b/.test(declared)) return "timestamp";
  if (declared === "DATE") return "date";
  const affinity = affinityOf(type);
  if (affinity === "integer") return "integer";
  return affinity === "text" ? "date" : "other";
}

export function collationOf(type: string): string | null {
  return / collate (\S+)$/.exec(type)?.[1] ?? null;
}
/** Values of all types have one order; text is sorted by a collation. */
export function orderOf(type: string): string {
  return collationOf(type) ?? "BINARY";
}
function declaredType(type: string): string {
  return type.replace(/ collate \S+$/, "");
}

/** Of a query's column that is an expression nothing is known; what it becomes is seen when it is read. */
export function misfitOf({ source, target }: ColumnPair): Misfit["why"] | null {
  const [from, to] = [affinityOf(source.type), affinityOf(target.type)];
  if (from === to || from === "none" || to === "none" || to === "text") return null;
  // a date is text in a column of any name
  if (from === "text")
    return kindOf(target.type) === "date" || kindOf(target.type) === "timestamp" ? null : "not-assignable";
  return to === "real" || to === "integer" ? lossless(from, to) : null;
}

function lossless(from: Affinity, to: Affinity): Misfit["why"] | null {
  // a real holds 53 bits of an integer, and an integer column keeps a fraction as it is
  return from === "integer" && to === "real" ? "loses-value" : null;
}
