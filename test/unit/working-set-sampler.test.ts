import { describe, expect, test } from "vitest";
import { isRepriseError } from "../../src/base/errors.ts";
import { hashOfNumber } from "../../src/base/hash.ts";
import { missRatioAt } from "../../src/observe/working-set/curve.ts";
import { createSampler, type Sampler } from "../../src/observe/working-set/sampler.ts";
import { manualClock } from "../../src/testing/clock.ts";

function read(sampler: Sampler, keys: Iterable<number>, { cache = 0, bytes = 0 } = {}): void {
  for (const key of keys) {
    const hash = hashOfNumber(key, cache);
    if (hash < sampler.threshold()) sampler.record(hash, cache, bytes);
  }
}

function* range(from: number, to: number): Generator<number> {
  for (let key = from; key < to; key += 1) yield key;
}

describe("memory stays fixed", () => {
  test("the threshold falls as keys come, and the sample never holds more than it may", () => {
    const sampler = createSampler({ most: 100, share: 1 });
    let last = sampler.threshold();
    for (const key of range(0, 5_000)) {
      read(sampler, [key]);
      expect(sampler.keys()).toBeLessThanOrEqual(100);
      expect(sampler.threshold()).toBeLessThanOrEqual(last);
      last = sampler.threshold();
    }
    expect(last / 2 ** 32).toBeLessThan(0.03);
    expect(sampler.keys()).toBeGreaterThan(50);
    expect(sampler.curve().keys / 5_000).toBeCloseTo(1, 0);
  });

  test("keys of all caches together are bounded", () => {
    const sampler = createSampler({ most: 100, share: 1 });
    for (const cache of [0, 1, 2, 3]) read(sampler, range(0, 500), { cache });
    expect(sampler.keys()).toBeLessThanOrEqual(100);
    expect([0, 1, 2, 3].every((cache) => sampler.curve(cache).keys > 0)).toBe(true);
  });

  test("even where all keys have one hash", () => {
    const sampler = createSampler({ most: 8, share: 1 });
    for (const cache of range(0, 100)) sampler.record(0, cache, 0);
    expect(sampler.keys()).toBeLessThanOrEqual(8);
  });

  test("a sample that cannot be held is refused", () => {
    for (const most of [0, 1.5, 8_193, Number.NaN]) {
      expect(() => createSampler({ most })).toThrowError(
        expect.toSatisfy((error) => isRepriseError(error, "REPRISE_BAD_DECLARATION")),
      );
    }
  });
});

describe("what is not in the sample", () => {
  test("is told so, and not counted", () => {
    const sampler = createSampler({ most: 10, share: 1 / 2 });
    expect(sampler.record(2 ** 31, 0, 0)).toBe(false);
    expect(sampler.record(2 ** 31 - 1, 0, 0)).toBe(true);
    expect(sampler.curve().reads).toBe(2);
  });

  test("a key that the threshold has left behind is told at its next read", () => {
    const sampler = createSampler({ most: 10, share: 1 });
    const greatest = 2 ** 32 - 1;
    expect(sampler.record(greatest, 0, 0)).toBe(true);
    read(sampler, range(0, 100));
    expect(sampler.record(greatest, 0, 0)).toBe(false);
  });

  test("reads of a hot key outside the sample are counted where the caches count reads", () => {
    let reads = 0;
    const sampler = createSampler({ most: 1_000, share: 1 / 2, reads: () => reads });
    const cold = [...range(0, 1_000)];
    // each cold key once, and between two of them the hot one, which is never in the sample
    for (const key of cold) {
      reads += 2;
      read(sampler, [key]);
    }
    expect(missRatioAt(sampler.curve(), 100)).toBeCloseTo(0.5, 1);
    expect(sampler.curve().reads).toBe(2_000);
  });
});

describe("bytes", () => {
  test("an entry of unknown weight weighs what others of its cache do", () => {
    const sampler = createSampler({ most: 100, share: 1 });
    read(sampler, [1, 2], { bytes: 1_000 });
    read(sampler, range(3, 50));
    read(sampler, [1], { bytes: 1_000 });
    const last = sampler.curve().points.at(-1);
    expect(last?.bytes).toBeGreaterThan(45_000);
    expect(last?.bytes).toBeLessThan(52_000);
  });

  test("are zero where no weight was ever told", () => {
    const sampler = createSampler({ most: 100, share: 1 });
    read(sampler, [1, 2, 3, 1, 2, 3]);
    expect(sampler.curve().points.every(({ bytes }) => bytes === 0)).toBe(true);
  });
});

describe("recent traffic counts", () => {
  const hour = 3_600_000;
  const start = () => {
    const clock = manualClock();
    const sampler = createSampler({ most: 100, share: 1, windowMs: hour, now: clock.monotonic });
    return { clock, sampler };
  };

  test("what was read more than two windows ago is not told", async () => {
    const { clock, sampler } = start();
    read(sampler, [1, 1, 1, 1]);
    await clock.advance(hour);
    // the clock is looked at now and then, and whenever the curve is asked for
    sampler.curve();
    read(sampler, range(0, 64));
    expect(sampler.curve().reads).toBe(68);
    await clock.advance(hour);
    expect(sampler.curve().reads).toBe(64);
  });

  test("a key that was not read for a whole window is forgotten", async () => {
    const { clock, sampler } = start();
    read(sampler, [1, 2]);
    await clock.advance(hour);
    sampler.curve();
    expect(sampler.keys()).toBe(2);
    read(sampler, [1]);
    await clock.advance(hour);
    sampler.curve();
    expect(sampler.keys()).toBe(1);
  });

  test("a night without reads takes nothing of the curve away", async () => {
    const { clock, sampler } = start();
    read(sampler, [1, 2, 1, 2]);
    await clock.advance(10 * hour);
    expect(sampler.curve().reads).toBe(4);
    expect(sampler.keys()).toBe(0);
  });

  test("after a flood of keys the threshold rises again, and the window in which it does is not counted", async () => {
    const { clock, sampler } = start();
    read(sampler, range(0, 10_000));
    const flooded = sampler.threshold();
    await clock.advance(hour);
    sampler.curve();
    // so few that hardly any is in the sample
    for (let round = 0; round < 3; round += 1) read(sampler, range(0, 200));
    await clock.advance(hour);
    const { reads } = sampler.curve();
    expect(sampler.threshold()).toBeGreaterThan(4 * flooded);
    read(sampler, range(0, 200));
    expect(sampler.curve().reads).toBe(reads);
    await clock.advance(hour);
    sampler.curve();
    for (let round = 0; round < 3; round += 1) read(sampler, range(0, 200));
    // the keys are known to the sample, so that no read is taken for a first one
    expect(sampler.curve().reads).toBeGreaterThan(reads);
    expect(missRatioAt(sampler.curve(), 10_000)).toBeLessThan(0.5);
  });
});
