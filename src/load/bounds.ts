import type { ColumnKind } from "./dialect.ts";
import type { LoadBound } from "./surface.ts";

/**
 * Bounds as one text each, so that the same run is known by it whoever asks: digits, `2026-01-15`, `2026-01-15 12:00:00`
 * (of a calendar and clock without zone), `2026-01-15T12:00:00.000Z` (an instant).
 */

const month = /^\d{4}-(?:0[1-9]|1[0-2])$/;
const day = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const clock = /^(\d{4}-\d\d-\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?$/;
const zoned = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d(?::?\d\d)?)$/;
/** As a bound is kept, which has milliseconds: what is finer would be another bound than the one that was written. */
const instant =
  /^(\d{4}-\d\d-\d\d)[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3}0{0,3})?)?(?:Z|[+-]\d\d(?::?\d\d)?)$/;
const digits = /^-?\d{1,19}$/;

/** One text of what was given. `null`: it is no bound. */
export function canonicalBound(given: LoadBound): string | null {
  if (typeof given === "bigint") return String(given);
  if (typeof given === "number") return Number.isSafeInteger(given) ? String(given) : null;
  if (given instanceof Date) return Number.isNaN(given.getTime()) ? null : given.toISOString();
  if (typeof given !== "string") return null;
  if (digits.test(given)) return String(BigInt(given));
  if (month.test(given)) return `${given}-01`;
  if (day.test(given)) return isDay(given) ? given : null;
  const parts = clock.exec(given);
  if (parts !== null) {
    const [, date = "", hour, minute, second = "00", fraction = ""] = parts;
    if (!isDay(date)) return null;
    return `${date} ${hour}:${minute}:${second}${/[1-9]/.test(fraction) ? `.${fraction.replace(/0+$/, "")}` : ""}`;
  }
  const date = instant.exec(given)?.[1];
  // Date.parse takes the 30th of February for a day in March
  if (date === undefined || !isDay(date)) return null;
  const at = Date.parse(given.replace(" ", "T"));
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** A canonical bound as a value of such a column. `null`: such a column has no value like it. */
export function boundFor(kind: ColumnKind, bound: string): string | null {
  const isDate = day.test(bound);
  switch (kind) {
    case "integer":
      return digits.test(bound) ? bound : null;
    case "date":
      return isDate ? bound : null;
    case "timestamp":
      if (isDate) return `${bound} 00:00:00`;
      return clock.test(bound) ? bound : null;
    case "instant":
      if (isDate) return `${bound}T00:00:00.000Z`;
      return bound.endsWith("Z") ? bound : null;
    case "other":
      return null;
  }
}

/** Milliseconds of a value of such a column, as if its clock were UTC's. Finer parts are cut off. `NaN`: it is none. */
export function instantOf(value: string): number {
  if (day.test(value)) return Date.parse(`${value}T00:00:00Z`);
  const text = value.replace(" ", "T");
  return Date.parse(zoned.test(value) ? text : `${text}Z`);
}

/** A value of such a column, of milliseconds that are in the years that four digits write; else `null`. */
export function valueAt(kind: ColumnKind, at: number): string | null {
  if (!(at >= earliest && at < latest)) return null;
  const text = new Date(at).toISOString();
  if (kind === "date") return text.slice(0, 10);
  return kind === "timestamp" ? text.slice(0, 19).replace("T", " ") : text;
}

const earliest = Date.parse("0001-01-01T00:00:00Z");
const latest = Date.parse("9999-12-31T00:00:00Z");

function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`);
  return day.test(text) && !Number.isNaN(at) && new Date(at).toISOString().slice(0, 10) === text;
}
