import { describe, expect, test } from "vitest";
import { billOf, cheapest } from "../../src/observe/working-set/bill.ts";
import {
  bytesAt,
  type Curve,
  entriesAt,
  meanWeight,
  missRatioAt,
  missRatioAtBytes,
} from "../../src/observe/working-set/curve.ts";
import { knee, sizeFor } from "../../src/observe/working-set/sizes.ts";

const curve: Curve = {
  points: [
    { entries: 0, bytes: 0, missRatio: 1 },
    { entries: 100, bytes: 10_000, missRatio: 0.3 },
    { entries: 200, bytes: 30_000, missRatio: 0.2 },
    { entries: 1_000, bytes: 200_000, missRatio: 0.1 },
  ],
  reads: 5_000,
  keys: 1_000,
};
const nothing: Curve = { points: [{ entries: 0, bytes: 0, missRatio: 1 }], reads: 0, keys: 0 };

describe("between two points of the curve", () => {
  test("the straight line answers, in entries and in bytes", () => {
    expect(missRatioAt(curve, 50)).toBeCloseTo(0.65);
    expect(missRatioAt(curve, 100)).toBe(0.3);
    expect(missRatioAt(curve, 1e9)).toBe(0.1);
    expect(missRatioAtBytes(curve, 20_000)).toBeCloseTo(0.25);
    expect(bytesAt(curve, 150)).toBeCloseTo(20_000);
    expect(entriesAt(curve, 20_000)).toBe(150);
  });

  test("beyond the last one, entries weigh what those before do", () => {
    expect(meanWeight(curve)).toBe(200);
    expect(bytesAt(curve, 2_000)).toBe(400_000);
    expect(entriesAt(curve, 400_000)).toBe(2_000);
  });

  test("a curve of nothing misses everything and knows no weight", () => {
    expect([missRatioAt(nothing, 10), bytesAt(nothing, 10), entriesAt(nothing, 10)]).toEqual([1, 0, 0]);
    expect(knee(nothing).entries).toBe(0);
    expect(sizeFor(nothing, 0.5)).toBeNull();
  });
});

describe("sizes", () => {
  test("the knee is where the curve is highest above the straight line to its end", () => {
    expect(knee(curve).entries).toBe(200);
  });

  test("the knee of a loop, which needs all or nothing, is all of it", () => {
    const loop: Curve = {
      ...curve,
      points: [
        { entries: 0, bytes: 0, missRatio: 1 },
        { entries: 99, bytes: 99, missRatio: 1 },
        { entries: 100, bytes: 100, missRatio: 0.01 },
      ],
    };
    expect(knee(loop).entries).toBe(100);
  });

  test("the size for a hit rate is the least that has it, and null where none does", () => {
    expect(sizeFor(curve, 0.75)?.entries).toBe(200);
    expect(sizeFor(curve, 0.9)?.entries).toBe(1_000);
    expect(sizeFor(curve, 0.91)).toBeNull();
  });
});

describe("the bill", () => {
  const pricing = { readsPerSecond: 1_000, entryBytes: 1_024 };

  test("adds memory, misses and what they carry between zones, for a month", () => {
    const { then } = billOf(curve, {
      ...pricing,
      thenEntries: 1_000,
      prices: { gbMonth: 2 ** 30, millionMisses: 1, crossZoneGb: 2 ** 30 / 1e6 },
    });
    expect(then.memory).toBeCloseTo(200_000);
    // a tenth of 2,629.8 million reads
    expect(then.misses).toBeCloseTo(262.98);
    expect(then.crossZone).toBeCloseTo(262.98 * 200);
    expect(then.total).toBeCloseTo(then.memory + then.misses + then.crossZone);
    expect(then.hitRatio).toBeCloseTo(0.9);
  });

  test("says so where a change is not worth a person's time", () => {
    const bill = billOf(curve, { ...pricing, nowEntries: 200, thenEntries: 1_000 });
    expect(bill.saving).toBeGreaterThan(0);
    expect(bill.worthIt).toBe(false);
    expect(bill.sentence).toMatch(/less than one hour of a person \(\$75\.00\): not worth a person's time/);
  });

  test("says what is saved where it is", () => {
    const bill = billOf(curve, { ...pricing, readsPerSecond: 1e5, nowEntries: 100, thenEntries: 1_000 });
    expect(bill.worthIt).toBe(true);
    expect(bill.sentence).toMatch(/^The change saves \$[\d,.]+ a month\.$/);
  });

  test("says what a change costs that saves nothing, and promises nothing where now is unknown", () => {
    expect(billOf(curve, { ...pricing, nowEntries: 1_000, thenEntries: 100 }).sentence).toMatch(/saves no money/);
    const { saving, worthIt, sentence } = billOf(curve, { ...pricing, thenEntries: 100 });
    expect([saving, worthIt]).toEqual([null, null]);
    expect(sentence).toMatch(/Say what it holds now/);
  });

  test("the cheapest size is small where memory is dear, and large where misses are", () => {
    expect(cheapest(curve, { ...pricing, prices: { gbMonth: 1e9 } }).entries).toBe(0);
    expect(cheapest(curve, { ...pricing, prices: { gbMonth: 0 } }).entries).toBe(1_000);
  });
});
