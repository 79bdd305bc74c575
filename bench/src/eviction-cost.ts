import { LRUCache } from "lru-cache";
import { simulateEviction } from "reprise/working-set";
import type { Figure } from "./figure.ts";
import { compare } from "./rounds.ts";
import { readTraces, type Trace } from "./traces.ts";

/** Of the unique keys of a trace: with the traces at hand, half to nearly all of the requests are hits. */
const share = 0.2;
/** A round takes a few tens of milliseconds. */
const mostRequests = 400_000;

/**
 * What a step costs, a hit or a miss with eviction, beside `lru-cache` in the same loop: `get`, then `set` after a miss.
 * The geometric mean of the traces in the folder.
 */
export async function measureEvictionCost(
  folder: string,
  { rounds = 15, progress }: { readonly rounds?: number; readonly progress: (said: string) => void },
): Promise<readonly Figure[]> {
  const ratios = new Map<string, number[]>();
  for await (const trace of readTraces(folder)) {
    const times = await timesOf(trace, rounds);
    const rival = times.get(lruCache) ?? Number.NaN;
    for (const [name, time] of times) {
      progress(`eviction: ${trace.name}: ${name} ${time.toFixed(0)} ns a step`);
      if (name !== lruCache) ratios.set(name, [...(ratios.get(name) ?? []), time / rival]);
    }
  }
  const figure = (name: string, policy: string): Figure => ({
    name,
    value: geometricMean(ratios.get(policy) ?? []),
    unit: "times",
    better: "lower",
  });
  return [
    figure("eviction.ofLruCache", "lfu"),
    figure("eviction.lru.ofLruCache", "lru"),
    figure("eviction.nearestExpiry.ofLruCache", "nearest-expiry"),
  ];
}

const lruCache = "lru-cache";

function timesOf({ keys: all, unique }: Trace, rounds: number): Promise<ReadonlyMap<string, number>> {
  const keys = all.slice(0, mostRequests);
  const maxEntries = Math.max(2, Math.round(share * unique));
  const ours = (["lfu", "lru", "nearest-expiry"] as const).map((eviction) => ({
    name: eviction,
    run: async () => {
      simulateEviction(keys, { eviction, maxEntries });
    },
  }));
  const theirs = {
    name: lruCache,
    run: async () => {
      const cache = new LRUCache<number, number>({ max: maxEntries });
      for (const key of keys) if (cache.get(key) === undefined) cache.set(key, key);
    },
  };
  return compare([...ours, theirs], { rounds, count: keys.length });
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
