import { hashOf, hashOfNumber } from "../../base/hash.ts";
import { createLfu } from "./eviction/lfu.ts";
import { createLru } from "./eviction/lru.ts";
import { createNearestExpiry } from "./eviction/nearest-expiry.ts";
import type { EvictionPolicy } from "./eviction/policy.ts";

export interface SimulationOptions {
  readonly eviction: "lfu" | "lru" | "nearest-expiry";
  /** How many entries memory holds, at least 1. */
  readonly maxEntries: number;
  /** Picks the hash function. A policy that guesses by hashes has luck: compare means over several. 0 unless given. */
  readonly salt?: number;
}

export interface SimulationResult {
  readonly hits: number;
  readonly requests: number;
}

/**
 * How often a cache of that size would have answered these requests, by the policy it runs with: every miss is admitted,
 * and nothing changes or expires (`nearest-expiry`: all live equally long, so the first in leaves first).
 *
 * @example
 * const { hits, requests } = simulateEviction(["a", "b", "a"], { eviction: "lfu", maxEntries: 2 }); // 1 of 3
 */
export function simulateEviction(
  keys: Iterable<number> | Iterable<string>,
  options: SimulationOptions,
): SimulationResult {
  const { maxEntries, salt = 0 } = options;
  const policy = createPolicy(options);
  const places = new Map<number | string, number>();
  const keysAt: (number | string)[] = [];
  let free = 0;
  let hits = 0;
  let requests = 0;
  for (const key of keys) {
    requests += 1;
    const found = places.get(key);
    if (found !== undefined) {
      hits += 1;
      policy.touch(found);
      continue;
    }
    const place = free;
    places.set(key, place);
    keysAt[place] = key;
    policy.add(place, typeof key === "number" ? hashOfNumber(key, salt) : hashOf(key, salt), 1);
    if (places.size <= maxEntries) {
      free += 1;
    } else {
      free = policy.evict();
      places.delete(keysAt[free] as number | string);
    }
  }
  return { hits, requests };
}

function createPolicy({ eviction, maxEntries }: SimulationOptions): EvictionPolicy {
  if (eviction === "lru") return createLru();
  if (eviction === "lfu") return createLfu({ maxWeight: maxEntries });
  let added = 0;
  return createNearestExpiry(() => {
    added += 1;
    return added;
  });
}
