import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { canonicalBound } from "../../src/load/bounds.ts";
import { addCounts, addsUp, noCounts, type WindowCounts } from "../../src/load/counts.ts";
import {
  decodeCounts,
  decodeRun,
  decodeToken,
  encodeCounts,
  encodeRun,
  registerNames,
  runKey,
} from "../../src/load/record.ts";
import type { LoadBound } from "../../src/load/surface.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/load/v1.json", import.meta.url), "utf8")) as {
  readonly run: string;
  readonly runWithoutPrint: string;
  readonly window: string;
  readonly names: Readonly<Record<string, string>>;
};

const run = {
  run: "backfill",
  key: runKey({ from: "2026-01-01", to: null }, "backfill"),
  range: { from: "2026-01-01", to: null },
  startedAt: 1_767_225_600_000,
  endedAt: null,
  rows: 1_000,
  windows: [
    { is: "range", from: "2026-01-01", to: "2026-02-01" },
    { is: "range", from: "2026-02-01", to: null },
    { is: "keys", after: null, upTo: ["a", "1"] },
    { is: "keyless" },
    { is: "whole" },
  ],
  print: { declared: "d".repeat(8), found: "f".repeat(8) },
} as const;
const counts: WindowCounts = {
  ...{ read: 28, inserted: 1, updated: 2, unchanged: 3, refusedOlder: 4, tied: 5, duplicates: 6, keyless: 7 },
  ...{ lost: 9, marked: 8 },
};

test("what is kept of a run is written and read as every version has", () => {
  expect(encodeRun(run)).toBe(golden.run);
  expect(decodeRun(golden.run)).toEqual(run);
  expect(decodeRun(golden.runWithoutPrint)).toEqual({ ...run, print: null });
  expect(encodeRun({ ...run, print: null })).toBe(golden.runWithoutPrint);
  expect(encodeCounts(counts)).toBe(golden.window);
  expect(decodeToken(encodeCounts(counts, 7))).toBe(7);
  expect(decodeCounts(encodeCounts(counts, 7))).toEqual(counts);
  expect(decodeToken(golden.window)).toBeNull();
  expect(decodeCounts(golden.window)).toEqual(counts);
  const names = registerNames("shop/eu", "sales.fact");
  expect({ load: names.load, key: names.key(run.key), run: names.run(7), window: names.window(7, 12) }).toEqual(
    golden.names,
  );
});

test("what a newer version wrote is not read", () => {
  expect(decodeRun(golden.run.replace('"form":1', '"form":2'))).toBeNull();
  expect(decodeCounts(golden.window.replace('"form":1', '"form":2'))).toBeNull();
});

test("the newest run comes first in the order of names, and its number is in its name", () => {
  const { run, numberOf } = registerNames("shop", "sales");
  expect([run(1), run(12), run(2)].sort()).toEqual([run(12), run(2), run(1)]);
  expect(numberOf(run(123))).toBe(123);
});

test("no service or load writes into what another keeps", () => {
  expect(registerNames("a/b", "c").load).not.toBe(registerNames("a", "b/c").load);
});

test("a run is known by its range and by what its caller calls it", () => {
  const keys = [
    runKey({ from: null, to: null }, undefined),
    runKey({ from: "2026-01-01", to: null }, undefined),
    runKey({ from: null, to: "2026-01-01" }, undefined),
    runKey({ from: null, to: null }, "a"),
    runKey({ from: null, to: null }, ""),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test("a day and its first instant are the same bound of a run", () => {
  const key = (from: LoadBound) => runKey({ from: canonicalBound(from), to: null }, undefined);
  expect(key(new Date("2026-01-01"))).toBe(key("2026-01"));
  expect(key("2026-01-01 00:00")).toBe(key("2026-01-01"));
  expect(key("2026-01-01T02:00+02:00")).toBe(key("2026-01-01"));
  expect(key("2026-01-01T00:00:00.001Z")).not.toBe(key("2026-01-01"));
  expect(key("2026-01-01 00:00:00.1")).not.toBe(key("2026-01-01"));
});

test("counts add up when every row is in one class", () => {
  expect(addsUp(counts)).toBe(true);
  expect(addsUp({ ...counts, read: 27 })).toBe(false);
  expect(addsUp({ ...counts, inserted: -1, updated: 4 })).toBe(false);
  expect(addCounts(counts, counts)).toMatchObject({ read: 56, tied: 10, marked: 16 });
  expect(addCounts(counts, noCounts)).toEqual(counts);
});
