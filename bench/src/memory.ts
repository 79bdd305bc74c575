import { LRUCache } from "lru-cache";
import type { Answer } from "./child.ts";
import { askChild } from "./child-process.ts";
import type { Figure } from "./figure.ts";
import { flat } from "./flat.ts";
import { heapBytes } from "./heap.ts";
import { openProducts } from "./ours.ts";
import { type Product, productOf } from "./product.ts";

/** What one small entry costs in memory, of a million: each loaded once and read once, as the bound allows. */

type Get = (id: string) => unknown;

const contenders: Readonly<Record<string, (entries: number) => Get>> = {
  reprise: (entries) => {
    const product = openProducts({ maxEntries: entries, eviction: "lfu" });
    return (id) => product.get({ id });
  },
  "reprise-lru": (entries) => {
    const product = openProducts({ maxEntries: entries, eviction: "lru" });
    return (id) => product.get({ id });
  },
  "lru-cache": (entries) => {
    const cache = new LRUCache<string, Product>({
      max: entries,
      ttl: 3_600_000,
      fetchMethod: async (id) => productOf(id),
    });
    return (id) => cache.fetch(id);
  },
  map: () => {
    const map = new Map<string, Product>();
    return (id) => {
      const found = map.get(id);
      if (found === undefined) map.set(id, productOf(id));
      return found;
    };
  },
};

export async function serveMemory(contender = "", entries = "1000000"): Promise<Answer> {
  const count = Number(entries);
  return async () => {
    const before = await heapBytes();
    const get = contenders[contender]?.(count);
    if (get === undefined) throw new Error(`no contender ${contender}`);
    for (let index = 0; index < count; index += 1) {
      await get(keyOf(index));
      await get(keyOf(index));
      // what waits for a turn of the event loop must not pile up as it never would in a server
      if (index % 1_000 === 0) await new Promise(setImmediate);
    }
    const after = await heapBytes();
    // used after the measurement: a collected cache would cost nothing
    await get(keyOf(0));
    return (after - before) / count;
  };
}

const keyOf = (index: number): string => flat(`item-${String(index).padStart(9, "0")}`);

export async function measureMemory(plan: {
  readonly quick: boolean;
  readonly progress: (said: string) => void;
}): Promise<readonly Figure[]> {
  const entries = plan.quick ? 200_000 : 1_000_000;
  const bytes = new Map<string, number>();
  for (const name of Object.keys(contenders)) {
    plan.progress(`memory.perEntry: ${name}, ${entries} entries`);
    const flags = ["--expose-gc", "--max-old-space-size=4096"];
    bytes.set(name, Number(await askChild("memory", [name, String(entries)], { flags })));
  }
  const of = (name: string) => bytes.get(name) ?? Number.NaN;
  const perEntry = (name: string): Figure => ({
    name: name === "reprise" ? "memory.perEntry" : `memory.${name}.perEntry`,
    value: of(name),
    unit: "bytes",
    better: "lower",
  });
  const toLruCache = (name: string): Figure => ({
    name: name === "reprise" ? "memory.perEntry.ofLruCache" : `memory.${name}.perEntry.ofLruCache`,
    value: of(name) / of("lru-cache"),
    unit: "times",
    better: "lower",
  });
  return [...Object.keys(contenders).map(perEntry), toLruCache("reprise"), toLruCache("reprise-lru")];
}
