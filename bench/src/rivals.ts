import { type Cache as CachifiedCache, cachified, totalTtl } from "@epic-web/cachified";
import { createCache as createDedupe } from "async-cache-dedupe";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache as createCacheManager } from "cache-manager";
import { Cacheable } from "cacheable";
import { Keyv } from "keyv";
import { LRUCache } from "lru-cache";
import pMemoize from "p-memoize";
import QuickLRU from "quick-lru";
import { type Product, productOf } from "./product.ts";

/** A read of a product by its id that loads what is not there. */
export type ReadById = (id: string) => Promise<unknown>;

const hour = 3_600_000;
const load = async (id: string): Promise<Product> => productOf(id);

/** Each in the configuration that its documentation recommends for a process's memory, bounded where it can be. */
export const rivals: Readonly<Record<string, (entries: number) => ReadById>> = {
  "lru-cache": (entries) => {
    const cache = new LRUCache<string, Product>({ max: entries, ttl: hour, fetchMethod: load });
    return (id) => cache.fetch(id);
  },
  "p-memoize": (entries) => pMemoize(load, { cache: new QuickLRU({ maxSize: entries, maxAge: hour }) }),
  "async-cache-dedupe": (entries) => {
    const storage = { type: "memory", options: { size: entries } } as const;
    const cache = createDedupe({ ttl: 3_600, storage }).define("product", load);
    return (id) => cache.product(id);
  },
  cachified: (entries) => {
    const cache = cachifiedOver(entries);
    return (id) => cachified({ key: id, cache, ttl: hour, getFreshValue: () => load(id) });
  },
  keyv: () => {
    const cache = new Keyv<Product>({ ttl: hour });
    return async (id) => {
      const found = await cache.get(id);
      if (found !== undefined) return found;
      const value = await load(id);
      await cache.set(id, value);
      return value;
    };
  },
  cacheable: () => {
    const cache = new Cacheable({ ttl: hour });
    return (id) => cache.getOrSet(id, () => load(id));
  },
  bentocache: (entries) => {
    const memory = bentostore().useL1Layer(memoryDriver({ maxItems: entries, serialize: false }));
    const cache = new BentoCache({ default: "memory", ttl: hour, stores: { memory } });
    return (id) => cache.getOrSet({ key: id, factory: () => load(id) });
  },
  "cache-manager": () => {
    const cache = createCacheManager({ ttl: hour });
    return (id) => cache.wrap(id, () => load(id));
  },
};

/** As cachified's own documentation puts lru-cache under it. */
export function cachifiedOver(entries: number): CachifiedCache {
  const lru = new LRUCache<string, Exclude<Awaited<ReturnType<CachifiedCache["get"]>>, null | undefined>>({
    max: entries,
  });
  return {
    set: (key, entry) => {
      const ttl = totalTtl(entry.metadata);
      return ttl === Number.POSITIVE_INFINITY
        ? lru.set(key, entry)
        : lru.set(key, entry, { ttl, start: entry.metadata.createdTime });
    },
    get: (key) => lru.get(key),
    delete: (key) => lru.delete(key),
  };
}
