import { boundFor, instantOf, valueAt } from "./bounds.ts";
import type { ColumnKind } from "./dialect.ts";
import type { Step } from "./settings.ts";
import type { LoadRange, LoadWindow } from "./window.ts";

/**
 * Windows that cover a range once, without gap and overlap. Where the range is open they are open too, so that what comes
 * to the source while a run goes on is in one of them: what an unfinished window finds it loads, the rest is the next
 * run's.
 */

/** Too many to be walked through one by one. */
export interface TooMany {
  readonly tooMany: number;
}

/**
 * Windows of `step` over a column, from the least to the greatest value that was seen; `range`: as values of the column.
 * They begin where the range does, else with a calendar month, day or hour, or a multiple.
 */
export function rangeWindows(
  kind: ColumnKind,
  step: Step,
  range: LoadRange,
  seen: { readonly least: string | null; readonly greatest: string | null },
  atMost: number,
): readonly LoadWindow[] | TooMany {
  const least = range.from ?? seen.least;
  const greatest = range.to ?? seen.greatest;
  // nothing was seen: one window, for what may have come since
  if (least === null || greatest === null) return [{ is: "range", ...range }];
  const cuts =
    step.unit === "numbers"
      ? numberCuts(step.count, range.from !== null, BigInt(least), BigInt(greatest), atMost)
      : timeCuts(kind, step, range.from !== null, instantOf(least), instantOf(greatest), atMost);
  if ("tooMany" in cuts) return cuts;
  const inside = range.to === null ? cuts : cuts.filter((cut) => isBefore(kind, cut, greatest));
  const bounds = [range.from, ...inside, range.to];
  return bounds.slice(1).map((to, index) => ({ is: "range", from: bounds[index] ?? null, to }));
}

/** Windows between identities, as the dialect cut them. */
export function keyWindows(cuts: readonly (readonly string[])[]): readonly LoadWindow[] {
  if (cuts.length === 0) return [{ is: "whole" }];
  const bounds = [null, ...cuts, null];
  return bounds.slice(1).map((upTo, index) => ({ is: "keys", after: bounds[index] ?? null, upTo }));
}

/** Whether a column of such a kind can be cut in such steps. */
export function fits(kind: ColumnKind, step: Step): boolean {
  if (step.unit === "numbers") return kind === "integer";
  if (kind === "date") return step.unit === "months" || step.count % 24 === 0;
  return kind === "timestamp" || kind === "instant";
}

/** Whether nothing lies in a range. */
export function isEmptyRange(kind: ColumnKind, { from, to }: LoadRange): boolean {
  return from !== null && to !== null && !isBefore(kind, from, to);
}

/** Those after the least and up to the greatest; the first begins with the range, or with a multiple below the least. */
function numberCuts(
  step: bigint,
  fromLeast: boolean,
  least: bigint,
  greatest: bigint,
  atMost: number,
): readonly string[] | TooMany {
  const start = fromLeast ? least : floor(least, step);
  const windows = greatest < start ? 0 : Number((greatest - start) / step);
  if (windows >= atMost) return { tooMany: windows + 1 };
  return Array.from({ length: windows }, (_, index) => String(start + step * BigInt(index + 1)));
}

function floor(value: bigint, step: bigint): bigint {
  const rest = value % step;
  return rest < 0n ? value - rest - step : value - rest;
}

const hourMs = 3_600_000;
/** A Monday, so that weeks begin where calendars say. */
const monday = Date.parse("2001-01-01T00:00:00Z");

function timeCuts(
  kind: ColumnKind,
  step: Extract<Step, { unit: "months" | "hours" }>,
  fromLeast: boolean,
  least: number,
  greatest: number,
  atMost: number,
): readonly string[] | TooMany {
  const at =
    step.unit === "months" ? monthsFrom(least, fromLeast, step.count) : hoursFrom(least, fromLeast, step.count);
  const cuts: string[] = [];
  for (let index = 1; ; index++) {
    const cut = at(index);
    const value = cut <= greatest ? valueAt(kind, cut) : null;
    if (value === null) return cuts;
    if (cuts.length + 1 >= atMost) return { tooMany: index + Math.ceil((greatest - cut) / (at(index + 1) - cut)) };
    cuts.push(value);
  }
}

function hoursFrom(least: number, fromLeast: boolean, hours: number): (index: number) => number {
  const step = hours * hourMs;
  const start = fromLeast ? least : monday + Math.floor((least - monday) / step) * step;
  return (index) => start + index * step;
}

/** Months have no fixed length: a window that begins on the 31st would lose days, so later ones begin with a month. */
function monthsFrom(least: number, fromLeast: boolean, count: number): (index: number) => number {
  const date = new Date(least);
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth();
  const start = fromLeast ? months : Math.floor(months / count) * count;
  return (index) => firstOfMonth(start + index * count);
}

function firstOfMonth(months: number): number {
  const date = new Date(0);
  // the constructor takes a year below 100 for one of the last century
  date.setUTCFullYear(Math.floor(months / 12), months % 12, 1);
  return date.getTime();
}

function isBefore(kind: ColumnKind, a: string, b: string): boolean {
  return kind === "integer" ? BigInt(a) < BigInt(b) : instantOf(a) < instantOf(b);
}

/** A declared range in values of the column. `null`: a bound is no value of such a column. */
export function rangeFor(kind: ColumnKind, range: LoadRange): LoadRange | null {
  const from = range.from === null ? null : boundFor(kind, range.from);
  const to = range.to === null ? null : boundFor(kind, range.to);
  if ((range.from !== null && from === null) || (range.to !== null && to === null)) return null;
  return { from, to };
}
