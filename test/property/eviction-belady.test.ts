import fc from "fast-check";
import { expect, test } from "vitest";
import { beladyHits } from "../../bench/src/belady.ts";
import { simulateEviction } from "../../src/cache/memory/simulate.ts";

/** By trying every victim at every miss. */
function mostHits(keys: readonly number[], maxEntries: number, at = 0, held: readonly number[] = []): number {
  const key = keys[at];
  if (key === undefined) return 0;
  if (held.includes(key)) return 1 + mostHits(keys, maxEntries, at + 1, held);
  if (held.length < maxEntries) return mostHits(keys, maxEntries, at + 1, [...held, key]);
  return Math.max(
    ...held.map((victim) => mostHits(keys, maxEntries, at + 1, [...held.filter((other) => other !== victim), key])),
  );
}

const keys = fc.array(fc.nat(5), { minLength: 1, maxLength: 14 });
const maxEntries = fc.integer({ min: 1, max: 4 });

test("the bound that hit ratios are measured beside is the best that trying everything finds, and no policy is above it", () => {
  fc.assert(
    fc.property(keys, maxEntries, (requested, entries) => {
      const trace = { name: "any", keys: Uint32Array.from(requested), unique: 6 };
      const bound = beladyHits(trace, entries);
      expect(bound).toBe(mostHits(requested, entries));
      for (const eviction of ["lfu", "lru", "nearest-expiry"] as const) {
        expect(simulateEviction(requested, { eviction, maxEntries: entries }).hits).toBeLessThanOrEqual(bound);
      }
    }),
    { numRuns: 200 },
  );
});
