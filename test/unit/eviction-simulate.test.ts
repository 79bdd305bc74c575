import { expect, test } from "vitest";
import { hashOf, hashOfNumber } from "../../src/base/hash.ts";
import { simulateEviction } from "../../src/cache/memory/simulate.ts";

const policies = ["lfu", "lru", "nearest-expiry"] as const;

test("every policy answers from a memory that holds all keys, whatever kind of key they are", () => {
  for (const eviction of policies) {
    expect(simulateEviction(["a", "b", "a", "b"], { eviction, maxEntries: 2 })).toEqual({ hits: 2, requests: 4 });
    expect(simulateEviction(Uint32Array.of(7, 8, 7), { eviction, maxEntries: 9 })).toEqual({ hits: 1, requests: 3 });
    expect(simulateEviction(new Set([1, 2]), { eviction, maxEntries: 1 })).toEqual({ hits: 0, requests: 2 });
  }
});

test("every policy admits every miss: a key asked for twice in a row is found", () => {
  const keys = Array.from({ length: 2_000 }, (_, index) => index >> 1);
  for (const eviction of policies) {
    for (const maxEntries of [1, 2, 50]) {
      expect(simulateEviction(keys, { eviction, maxEntries }).hits).toBe(1_000);
    }
  }
});

test("lru finds nothing in a loop one key longer than memory, and lfu most of it", () => {
  const keys = Array.from({ length: 50_000 }, (_, index) => index % 201);
  expect(simulateEviction(keys, { eviction: "lru", maxEntries: 200 }).hits).toBe(0);
  expect(simulateEviction(keys, { eviction: "lfu", maxEntries: 200 }).hits).toBeGreaterThan(40_000);
});

test("nearest-expiry keeps the order of coming", () => {
  // 1 came first and leaves for 3, though it was read meanwhile
  expect(simulateEviction([1, 2, 1, 3, 1], { eviction: "nearest-expiry", maxEntries: 2 }).hits).toBe(1);
  expect(simulateEviction([1, 2, 1, 3, 1], { eviction: "lru", maxEntries: 2 }).hits).toBe(2);
});

test("the same salt gives the same result", () => {
  const keys = Array.from({ length: 20_000 }, (_, index) =>
    Math.floor(2_000 * (hashOfNumber(index, 3) / 2 ** 32) ** 3),
  );
  const run = (salt: number) => simulateEviction(keys, { eviction: "lfu", maxEntries: 100, salt });
  expect(run(5)).toEqual(run(5));
});

test("hashes are spread evenly, differ by seed, and depend on each character", () => {
  const buckets = new Array<number>(64).fill(0);
  for (let index = 0; index < 64_000; index += 1) {
    const bucket = hashOf(`product-${index}`, 1) >>> 26;
    buckets[bucket] = (buckets[bucket] as number) + 1;
  }
  expect(Math.min(...buckets)).toBeGreaterThan(850);
  expect(Math.max(...buckets)).toBeLessThan(1_150);
  expect(new Set([0, 1, 2].map((seed) => hashOf("a", seed))).size).toBe(3);
  expect(
    new Set(["", "\0", "\0\0", "a", "b", "ab", "ba", "aba", "\u0161", "a\u0100"].map((text) => hashOf(text, 0))).size,
  ).toBe(10);
  expect(hashOf("product-17", 0)).toBeGreaterThanOrEqual(0);
});
