import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { Caution } from "../../src/consume/caution.ts";

const { atOnce, singly, longestMs } = defaults.consume.batch;

/** How many go singly, one after the other, before the next shared transaction. */
function gone(caution: Caution): number {
  let count = 0;
  while (caution.goesSingly(0)) count += 1;
  return count;
}

describe("the caution about shared transactions", () => {
  test("sends twice as many singly after each failure, up to a bound, and half as many after each success", () => {
    const caution = new Caution();
    expect(gone(caution)).toBe(0);
    for (let expected: number = singly.least; expected < 2 * singly.most; expected *= 2) {
      caution.begin()(1, false);
      expect(gone(caution)).toBe(Math.min(expected, singly.most));
    }
    caution.begin()(1, false);
    expect(gone(caution)).toBe(singly.most);
    caution.begin()(1, true);
    caution.begin()(1, false);
    expect(gone(caution)).toBe(singly.most);
    for (let penalty: number = singly.most; penalty >= singly.least; penalty /= 2) caution.begin()(1, true);
    caution.begin()(1, false);
    expect(gone(caution)).toBe(singly.least);
  });

  test("counts transactions that fail beside each other once, and hears nothing of those begun before a failure", () => {
    const caution = new Caution();
    const ends = Array.from({ length: 4 }, () => caution.begin());
    for (const end of ends) end(1, false);
    expect(gone(caution)).toBe(singly.least);
    ends[0]?.(1, true);
    caution.begin()(1, false);
    expect(gone(caution)).toBe(2 * singly.least);
  });

  test("tries one transaction at a time until it pays again, and keeps nobody waiting for it", () => {
    const caution = new Caution();
    expect(caution.maySend(atOnce - 1)).toBe(true);
    expect(caution.maySend(atOnce)).toBe(false);
    caution.begin()(1, false);
    expect(caution.maySend(0)).toBe(false);
    gone(caution);
    expect(caution.maySend(0)).toBe(true);
    expect(caution.maySend(1)).toBe(false);
    expect(caution.goesSingly(1)).toBe(true);
  });

  test("takes what is slower than by itself for a failure, and lets nobody wait that long", () => {
    const caution = new Caution();
    expect(caution.longestMs).toBe(longestMs.least);
    caution.wentAlone(30);
    expect(caution.longestMs).toBe(60);
    caution.begin()(60, true);
    expect(gone(caution)).toBe(0);
    caution.begin()(61, true);
    expect(gone(caution)).toBe(singly.least);
    for (let count = 0; count < 100; count += 1) caution.wentAlone(1_000);
    expect(caution.longestMs).toBeGreaterThan(1_900);
    expect(caution.longestWaitMs).toBe(longestMs.wait);
  });
});
