import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashOfNumber } from "../../src/base/hash.ts";
import { bucketOf, upperEnd } from "../../src/observe/working-set/buckets.ts";
import { missRatioAt, missRatioAtBytes } from "../../src/observe/working-set/curve.ts";
import { createSampler } from "../../src/observe/working-set/sampler.ts";

interface Read {
  readonly cache: number;
  readonly key: number;
}

/** Few keys, so that they come again, and distances that have a bucket each. */
const read = fc.record({ cache: fc.integer({ min: 0, max: 2 }), key: fc.integer({ min: 0, max: 15 }) });
const reads = fc.array(read, { minLength: 1, maxLength: 300 });

/** Least recent use by the book: how often memory of that size had the key. */
function simulate(trace: readonly Read[], most: number, weightOf: (read: Read) => number): number {
  let order: Read[] = [];
  let hits = 0;
  for (const one of trace) {
    const at = order.findIndex(({ cache, key }) => cache === one.cache && key === one.key);
    if (at >= 0) hits += 1;
    order = [one, ...order.filter((_, other) => other !== at)];
    while (order.reduce((sum, other) => sum + weightOf(other), 0) > most) order.pop();
  }
  return hits;
}

function sampled(trace: readonly Read[], weightOf: (read: Read) => number) {
  const sampler = createSampler({ most: 64, share: 1 });
  for (const one of trace) sampler.record(hashOfNumber(one.key, one.cache), one.cache, weightOf(one));
  return sampler;
}

describe("with every key in the sample", () => {
  test("the curve of all caches is what least recent use does at each size", () => {
    fc.assert(
      fc.property(reads, (trace) => {
        const curve = sampled(trace, () => 1).curve();
        for (let size = 1; size <= 50; size += 1) {
          const hits = simulate(trace, size, () => 1);
          expect(missRatioAt(curve, size)).toBeCloseTo(1 - hits / trace.length, 9);
        }
      }),
      { numRuns: 40 },
    );
  });

  test("the curve of a cache is that of its reads alone, and reads of the caches sum up", () => {
    fc.assert(
      fc.property(reads, (trace) => {
        const sampler = sampled(trace, () => 1);
        let sum = 0;
        for (const cache of [0, 1, 2]) {
          const own = trace.filter((one) => one.cache === cache);
          const curve = sampler.curve(cache);
          expect(curve.reads).toBe(own.length);
          expect(curve.keys).toBe(new Set(own.map(({ key }) => key)).size);
          sum += curve.reads;
          for (const size of [1, 2, 3, 5, 8, 13, 16]) {
            const missRatio = own.length === 0 ? 1 : 1 - simulate(own, size, () => 1) / own.length;
            expect(missRatioAt(curve, size)).toBeCloseTo(missRatio, 9);
          }
        }
        expect(sampler.curve().reads).toBe(sum);
      }),
      { numRuns: 40 },
    );
  });

  test("the curve in bytes is what memory bounded by bytes does, at the sizes it names", () => {
    const weightOf = ({ key }: Read) => 2 + (key % 2);
    fc.assert(
      fc.property(reads, (trace) => {
        const curve = sampled(trace, weightOf).curve();
        for (const { bytes } of curve.points) {
          const within = Math.min(
            ...curve.points.filter((point) => point.bytes === bytes).map((point) => point.missRatio),
          );
          const hits = simulate(trace, bytes, weightOf);
          expect(1 - hits / trace.length).toBeLessThanOrEqual(within + 1e-9);
        }
        const last = curve.points[curve.points.length - 1];
        expect(missRatioAtBytes(curve, 1e9)).toBe(last?.missRatio);
      }),
      { numRuns: 40 },
    );
  });
});

test("sizes rise along every curve, and miss ratios fall", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 400 }),
      fc.integer({ min: 1, max: 32 }),
      (keys, most) => {
        const sampler = createSampler({ most, share: 1, reads: () => keys.length });
        for (const key of keys) sampler.record(hashOfNumber(key, 7), 0, (key % 9) * 100);
        expect(sampler.keys()).toBeLessThanOrEqual(most);
        const { points } = sampler.curve();
        for (const [at, point] of points.entries()) {
          const before = points[at - 1];
          expect(point.missRatio).toBeGreaterThanOrEqual(0);
          expect(point.missRatio).toBeLessThanOrEqual(before?.missRatio ?? 1);
          expect(point.entries).toBeGreaterThan(before?.entries ?? -1);
          expect(point.bytes).toBeGreaterThanOrEqual(before?.bytes ?? 0);
        }
      },
    ),
    { numRuns: 100 },
  );
});

test("a bucket ends where it says, and is no wider than a 32nd of what it holds", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 47 }), (distance) => {
      const bucket = bucketOf(distance);
      const end = upperEnd(bucket);
      expect(bucketOf(end)).toBe(bucket);
      expect(bucketOf(end + 1)).toBe(bucket + 1);
      expect(distance).toBeLessThanOrEqual(end);
      expect(end - distance).toBeLessThanOrEqual(distance / 32);
    }),
  );
});
