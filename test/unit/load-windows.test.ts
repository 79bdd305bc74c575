import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { boundFor, canonicalBound, instantOf } from "../../src/load/bounds.ts";
import type { ColumnKind } from "../../src/load/dialect.ts";
import type { Step } from "../../src/load/settings.ts";
import type { LoadWindow } from "../../src/load/window.ts";
import { isEmptyRange, keyWindows, rangeFor, rangeWindows } from "../../src/load/windows.ts";

const open = { from: null, to: null };
const months = (count: number): Step => ({ unit: "months", count });
const hours = (count: number): Step => ({ unit: "hours", count });
const numbers = (count: bigint): Step => ({ unit: "numbers", count });

function cut(
  kind: ColumnKind,
  step: Step,
  range: { from: string | null; to: string | null },
  least: string,
  greatest: string,
) {
  const windows = rangeWindows(kind, step, range, { least, greatest }, 10_000);
  if ("tooMany" in windows) throw new Error("too many");
  return windows.map((window) => (window.is === "range" ? `${window.from ?? ""}..${window.to ?? ""}` : window.is));
}

describe("windows of a column", () => {
  test("are calendar months, open at both ends where the range is", () => {
    expect(cut("date", months(1), open, "2025-12-31", "2026-02-01")).toEqual([
      "..2026-01-01",
      "2026-01-01..2026-02-01",
      "2026-02-01..",
    ]);
    expect(cut("date", months(3), open, "2026-02-10", "2026-08-01")).toEqual([
      "..2026-04-01",
      "2026-04-01..2026-07-01",
      "2026-07-01..",
    ]);
  });

  test("end where the range ends, and begin where it begins, in the middle of a month too", () => {
    const range = { from: "2026-01-31", to: "2026-03-15" };
    expect(cut("date", months(1), range, "2026-02-02", "2026-02-03")).toEqual([
      "2026-01-31..2026-02-01",
      "2026-02-01..2026-03-01",
      "2026-03-01..2026-03-15",
    ]);
    expect(cut("date", months(1), { from: "2026-02-01", to: "2026-03-01" }, "2026-02-02", "2026-02-03")).toEqual([
      "2026-02-01..2026-03-01",
    ]);
  });

  test("are weeks from Monday on, and days, through the nights in which clocks change", () => {
    expect(cut("date", hours(7 * 24), open, "2026-03-24", "2026-04-06")).toEqual([
      "..2026-03-30",
      "2026-03-30..2026-04-06",
      "2026-04-06..",
    ]);
    expect(cut("instant", hours(24), open, "2026-03-28T23:30:00+00:00", "2026-03-30T00:00:00+00:00")).toEqual([
      "..2026-03-29T00:00:00.000Z",
      "2026-03-29T00:00:00.000Z..2026-03-30T00:00:00.000Z",
      "2026-03-30T00:00:00.000Z..",
    ]);
    expect(cut("timestamp", hours(6), open, "2026-10-25T01:00:00.123456", "2026-10-25 12:00:00")).toEqual([
      "..2026-10-25 06:00:00",
      "2026-10-25 06:00:00..2026-10-25 12:00:00",
      "2026-10-25 12:00:00..",
    ]);
  });

  test("are multiples of a number, below zero too, and of numbers that JavaScript cannot count", () => {
    expect(cut("integer", numbers(10n), open, "-15", "5")).toEqual(["..-10", "-10..0", "0.."]);
    const [big, bigger] = ["9007199254740993", "9007199254741003"];
    expect(cut("integer", numbers(5n), { from: big, to: bigger }, big, bigger)).toEqual([
      "9007199254740993..9007199254740998",
      "9007199254740998..9007199254741003",
    ]);
  });

  test("are one where nothing was seen, and where a date is beyond all calendars", () => {
    const nothing = { least: null, greatest: null };
    expect(rangeWindows("date", months(1), open, nothing, 10)).toEqual([{ is: "range", from: null, to: null }]);
    expect(cut("date", months(1), open, "12026-01-01", "12026-03-01")).toEqual([".."]);
  });

  test("are refused where they are too many to be walked through", () => {
    const seen = { least: "2026-01-01", greatest: "9999-12-31" };
    expect(rangeWindows("date", hours(24), open, seen, 10_000)).toEqual({ tooMany: expect.any(Number) });
    const numbered = { least: "0", greatest: "1000000" };
    expect(rangeWindows("integer", numbers(1n), open, numbered, 10_000)).toEqual({ tooMany: 1_000_001 });
  });

  test("cover every value of the range once, whatever it is", () => {
    const day = fc.integer({ min: -3_000, max: 30_000 });
    const step = fc.oneof(
      fc.integer({ min: 1, max: 500 }).map(months),
      fc.integer({ min: 1, max: 500 }).map((n) => hours(n * 24)),
    );
    const date = (days: number) => new Date(days * 86_400_000).toISOString().slice(0, 10);
    const inYears = (days: number) => days > -10_000 && days < 40_000;
    fc.assert(
      fc.property(day, day, fc.option(day), fc.option(day), step, fc.array(day), (a, b, from, to, step, values) => {
        const [least, greatest] = [Math.min(a, b), Math.max(a, b)];
        fc.pre([least, greatest, from ?? 0, to ?? 0].every(inYears) && (from === null || to === null || from < to));
        const range = { from: from === null ? null : date(from), to: to === null ? null : date(to) };
        const windows = rangeWindows("date", step, range, { least: date(least), greatest: date(greatest) }, 1_000_000);
        if ("tooMany" in windows) throw new Error("they are not");
        for (const value of [...values.filter(inYears), least, greatest, ...(from === null ? [] : [from])]) {
          const inRange = (from === null || value >= from) && (to === null || value < to);
          expect(windows.filter((window) => holds(window, date(value))).length).toBe(inRange ? 1 : 0);
        }
      }),
    );
  });

  test("cover every number of the range once, whatever it is", () => {
    const number = fc.bigInt({ min: -1_000n, max: 1_000n });
    fc.assert(
      fc.property(
        number,
        number,
        fc.option(number),
        fc.bigInt({ min: 1n, max: 300n }),
        number,
        (a, b, from, step, value) => {
          const [least, greatest] = a < b ? [a, b] : [b, a];
          const range = { from: from === null ? null : String(from), to: null };
          const windows = rangeWindows(
            "integer",
            numbers(step),
            range,
            { least: String(least), greatest: String(greatest) },
            10_000,
          );
          if ("tooMany" in windows) throw new Error("they are not");
          const among = windows.filter(
            (window) =>
              window.is === "range" &&
              (window.from === null || value >= BigInt(window.from)) &&
              (window.to === null || value < BigInt(window.to)),
          );
          expect(among.length).toBe(from !== null && value < from ? 0 : 1);
        },
      ),
    );
  });
});

function holds(window: LoadWindow, value: string): boolean {
  if (window.is !== "range") return false;
  const at = instantOf(value);
  return (window.from === null || at >= instantOf(window.from)) && (window.to === null || at < instantOf(window.to));
}

test("windows of keys lie between the cuts, open at both ends", () => {
  expect(keyWindows([])).toEqual([{ is: "whole" }]);
  expect(
    keyWindows([
      ["a", "1"],
      ["b", "2"],
    ]),
  ).toEqual([
    { is: "keys", after: null, upTo: ["a", "1"] },
    { is: "keys", after: ["a", "1"], upTo: ["b", "2"] },
    { is: "keys", after: ["b", "2"], upTo: null },
  ]);
});

describe("a bound", () => {
  test("is one text, whatever way it was written in", () => {
    const ways: readonly (readonly [string | number | bigint | Date, string])[] = [
      ["2026-01", "2026-01-01"],
      ["2026-01-15", "2026-01-15"],
      ["2026-01-15T12:30Z", "2026-01-15T12:30:00.000Z"],
      ["2026-01-15 13:30:00+01:00", "2026-01-15T12:30:00.000Z"],
      ["2026-01-15T12:30", "2026-01-15 12:30:00"],
      ["2026-01-15 12:30:00.500000", "2026-01-15 12:30:00.5"],
      [new Date("2026-01-15T12:30:00Z"), "2026-01-15T12:30:00.000Z"],
      ["007", "7"],
      [-7, "-7"],
      [9_007_199_254_740_993n, "9007199254740993"],
    ];
    for (const [given, text] of ways) expect(canonicalBound(given)).toBe(text);
  });

  test("is none where it names no day that there is, or no whole number", () => {
    for (const given of [
      "",
      "soon",
      "2026-13",
      "2026-02-30",
      "2026-02-30 10:00",
      "2026-01-15T25:00Z",
      1.5,
      Number.NaN,
      new Date("x"),
    ]) {
      expect(canonicalBound(given)).toBeNull();
    }
  });

  test("becomes a value of a column, or none where the column has no such values", () => {
    expect(boundFor("date", "2026-01-15")).toBe("2026-01-15");
    expect(boundFor("instant", "2026-01-15")).toBe("2026-01-15T00:00:00.000Z");
    expect(boundFor("timestamp", "2026-01-15")).toBe("2026-01-15 00:00:00");
    expect(boundFor("date", "2026-01-15 12:00:00")).toBeNull();
    expect(boundFor("timestamp", "2026-01-15T12:00:00.000Z")).toBeNull();
    expect(boundFor("instant", "2026-01-15 12:00:00")).toBeNull();
    expect(boundFor("integer", "2026-01-15")).toBeNull();
    expect(boundFor("date", "7")).toBeNull();
    expect(rangeFor("integer", { from: "7", to: null })).toEqual({ from: "7", to: null });
    expect(rangeFor("integer", { from: "7", to: "2026-01-01" })).toBeNull();
    expect([
      isEmptyRange("integer", { from: "10", to: "9" }),
      isEmptyRange("integer", { from: "9", to: "10" }),
    ]).toEqual([true, false]);
  });
});

test("an instant that no calendar has, or that is finer than what is kept of it, is no bound", () => {
  for (const wrong of [
    "2026-02-30T00:00:00Z",
    "2026-02-29 12:00:00+01:00",
    "2026-01-01T24:00:00Z",
    "2026-01-01T23:60:00Z",
    "2026-01-01T00:00:00.123456Z",
    "2026-01-01T00:00:00.0001+02:00",
  ]) {
    expect(canonicalBound(wrong)).toBeNull();
  }
  expect(canonicalBound("2024-02-29T23:59:59.120000Z")).toBe("2024-02-29T23:59:59.120Z");
  expect(canonicalBound("2026-01-01T00:00:00.5+02:00")).toBe("2025-12-31T22:00:00.500Z");
});
