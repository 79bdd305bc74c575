import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLfu } from "../../src/cache/memory/eviction/lfu.ts";
import { createLru } from "../../src/cache/memory/eviction/lru.ts";
import { createNearestExpiry } from "../../src/cache/memory/eviction/nearest-expiry.ts";
import type { EvictionPolicy } from "../../src/cache/memory/eviction/policy.ts";

/** What is known of a held place, in the order of coming. */
interface Held {
  weight: number;
  /** When it was last added or touched. */
  used: number;
  expiry: number;
}

type Step =
  | { readonly do: "add"; readonly key: number; readonly weight: number; readonly expiry: number }
  | { readonly do: "update"; readonly pick: number; readonly weight: number; readonly expiry: number }
  | { readonly do: "touch" | "remove"; readonly pick: number }
  | { readonly do: "evict" };

const weight = fc.integer({ min: 1, max: 40 });
const expiry = fc.integer({ min: 0, max: 50 });
const pick = fc.nat(1_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("add" as const), key: fc.nat(60), weight, expiry }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("touch" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("update" as const), pick, weight, expiry }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("evict" as const) }) },
);
const steps = fc.array(step, { maxLength: 400, size: "max" });

/** Plays the owner of a memory of that bound, and holds the policy to what every policy promises. */
function play(
  all: readonly Step[],
  bound: number,
  create: (expiryOf: (place: number) => number) => EvictionPolicy,
  judge: (victim: number, held: ReadonlyMap<number, Held>, newest: number) => void = () => undefined,
) {
  const held = new Map<number, Held>();
  const free: number[] = [];
  let places = 0;
  let newest = -1;
  let now = 0;
  const policy = create((place) => held.get(place)?.expiry ?? Number.NaN);
  const chosen = (at: number) => [...held.keys()][at % held.size] as number;
  const sum = () => [...held.values()].reduce((total, { weight }) => total + weight, 0);
  const evict = () => {
    const victim = policy.evict();
    if (held.size === 0) {
      expect(victim).toBe(-1);
      return;
    }
    expect(held.has(victim)).toBe(true);
    if (held.size > 1) expect(victim).not.toBe(newest);
    judge(victim, held, newest);
    held.delete(victim);
    free.push(victim);
  };
  for (const step of all) {
    now += 1;
    if (step.do === "evict") {
      evict();
    } else if (step.do === "add") {
      const place = free.pop() ?? places++;
      held.set(place, { weight: step.weight, used: now, expiry: step.expiry });
      newest = place;
      policy.add(place, Math.imul(step.key, 0x9e3779b1), step.weight);
    } else if (held.size > 0) {
      const place = chosen(step.pick);
      const known = held.get(place) as Held;
      if (step.do === "touch") {
        known.used = now;
        policy.touch(place);
      } else if (step.do === "update") {
        known.weight = step.weight;
        known.expiry = step.expiry;
        policy.update(place, step.weight);
      } else {
        held.delete(place);
        free.push(place);
        policy.remove(place);
      }
    }
    while (policy.weight() > bound && held.size > 0) evict();
    expect(policy.weight()).toBe(sum());
  }
  // Whoever came is let go again: none is lost.
  while (held.size > 0) evict();
  expect(policy.evict()).toBe(-1);
  expect(policy.weight()).toBe(0);
}

const policies: Readonly<Record<string, (bound: number, expiryOf: (place: number) => number) => EvictionPolicy>> = {
  lru: () => createLru(),
  lfu: (bound) => createLfu({ maxWeight: bound }),
  "nearest-expiry": (_bound, expiryOf) => createNearestExpiry(expiryOf),
};

describe.each(Object.entries(policies))("%s", (_name, create) => {
  test("keeps to its bound, keeps weights right, loses no slot and lets no absent one go", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 400 }), (all, bound) => {
        play(all, bound, (expiryOf) => create(bound, expiryOf));
      }),
      { numRuns: 150 },
    );
  });
});

test("lru lets go whoever was used least recently, the newest slot left out", () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 400 }), (all, bound) => {
      play(all, bound, createLru, (victim, held, newest) => {
        const others = [...held].filter(([place]) => held.size === 1 || place !== newest);
        const [oldest] = others.reduce((a, b) => (b[1].used < a[1].used ? b : a));
        expect(victim).toBe(oldest);
      });
    }),
    { numRuns: 100 },
  );
});

test("nearest-expiry lets go whoever expires first, the newest slot left out", () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 400 }), (all, bound) => {
      play(all, bound, createNearestExpiry, (victim, held, newest) => {
        const others = [...held].filter(([place]) => held.size === 1 || place !== newest);
        const first = Math.min(...others.map(([, { expiry }]) => expiry));
        expect(held.get(victim)?.expiry).toBe(first);
      });
    }),
    { numRuns: 100 },
  );
});
