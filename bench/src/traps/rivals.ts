import { subscribe } from "node:diagnostics_channel";
import { cachified, createCacheEntry } from "@epic-web/cachified";
import { createCache as createDedupe } from "async-cache-dedupe";
import { BentoCache, bentostore } from "bentocache";
import { memoryDriver } from "bentocache/drivers/memory";
import { createCache as createCacheManager } from "cache-manager";
import { Cacheable, CacheableEvents } from "cacheable";
import { Keyv } from "keyv";
import { LRUCache } from "lru-cache";
import pMemoize from "p-memoize";
import QuickLRU from "quick-lru";
import { cachifiedOver } from "../rivals.ts";
import { bound, type Library } from "./subject.ts";

/** Each as its documentation tells to use it; what a trap asks for is asked of the library's own option. */

const bentocache: Library = {
  name: "bentocache",
  features: ["delete", "set", "tags", "stale", "stale-time", "timeout", "events", "own-memory"],
  open: ({ load, freshMs, staleMs, tags, hardMs, listen, unbounded }) => {
    const tell = (name: string, told: unknown) => listen?.(name, told);
    const line = (...told: readonly unknown[]) => listen?.(...told);
    const levels = { trace: line, debug: line, info: line, warn: line, error: line, fatal: line };
    const logger = { ...levels, child: () => logger };
    const cache = new BentoCache({
      default: "memory",
      ttl: freshMs,
      ...(staleMs === undefined ? {} : { grace: staleMs }),
      ...(hardMs === undefined ? {} : { hardTimeout: hardMs }),
      ...(listen === undefined ? {} : { logger: logger as never }),
      emitter: { on: () => {}, once: () => {}, off: () => {}, emit: tell },
      stores: { memory: bentostore().useL1Layer(memoryDriver(unbounded === true ? {} : { maxItems: bound })) },
    });
    return {
      get: (key) =>
        cache.getOrSet({
          key,
          ...(tags === undefined ? {} : { tags }),
          factory: async ({ setTags }) => {
            // as where a tag is only known from the value
            if (tags !== undefined) setTags(["from the value"]);
            return load(key);
          },
        }),
      purge: (key) => cache.delete({ key }),
      put: (key, value) => cache.set({ key, value }),
      purgeTag: (tag) => cache.deleteByTag({ tags: [tag] }),
    };
  },
};

const cacheable: Library = {
  name: "cacheable",
  features: ["delete", "set", "tags", "events", "own-memory"],
  open: ({ load, freshMs, tags, listen }) => {
    const cache = new Cacheable({ ttl: freshMs, tags: tags !== undefined });
    if (listen !== undefined) for (const name of Object.values(CacheableEvents)) cache.on(name, listen);
    const aside = async (key: string) => {
      const found = await cache.get(key);
      if (found !== undefined) return found;
      const value = await load(key);
      await cache.set(key, value, { tags: tags ?? [] });
      return value;
    };
    return {
      // getOrSet takes no tags
      get: (key) => (tags === undefined ? cache.getOrSet(key, () => load(key)) : aside(key)),
      purge: (key) => cache.delete(key),
      put: (key, value) => cache.set(key, value),
      purgeTag: (tag) => cache.tags.invalidateTag(tag),
    };
  },
};

const cacheManager: Library = {
  name: "cache-manager",
  features: ["delete", "set", "events", "own-memory"],
  open: ({ load, freshMs, listen }) => {
    const cache = createCacheManager({ ttl: freshMs });
    if (listen !== undefined) for (const name of ["get", "set", "del", "refresh"] as const) cache.on(name, listen);
    return {
      get: (key) => cache.wrap(key, () => load(key)),
      purge: (key) => cache.del(key),
      put: (key, value) => cache.set(key, value),
      provoke: async () => {
        const refused = async () => {
          throw new Error("the store is away");
        };
        const store = { opts: {}, get: async () => undefined, set: refused, delete: refused, clear: refused };
        // told of its errors, as Keyv is for whoever wants to know of them
        const away = new Keyv({ store: store as never, throwOnErrors: true });
        const behind = createCacheManager({ stores: [away], nonBlocking: true });
        await behind.set("key", "value").catch(noop);
        await behind.del("key").catch(noop);
      },
    };
  },
};

const cachifiedLibrary: Library = {
  name: "cachified",
  features: ["delete", "set", "stale", "stale-time", "events"],
  open: ({ load, freshMs, staleMs = 0, listen, mutates }) => {
    // a bare Map is the first adapter its documentation shows
    const cache = mutates === true ? (new Map() as never) : cachifiedOver(bound);
    const ttl = { ttl: freshMs, swr: staleMs };
    const reporter = listen === undefined ? undefined : () => (event: unknown) => listen(event);
    return {
      get: (key) => cachified({ key, cache, ...ttl, getFreshValue: () => load(key) }, reporter),
      purge: async (key) => cache.delete(key),
      put: async (key, value) => cache.set(key, createCacheEntry(value, ttl)),
    };
  },
};

/** It counts in whole seconds. */
const seconds = (milliseconds: number): number => Math.max(1, Math.round(milliseconds / 1_000));

const asyncCacheDedupe: Library = {
  name: "async-cache-dedupe",
  features: ["delete", "tags", "stale", "stale-time", "events", "own-memory"],
  open: ({ load, freshMs, staleMs, tags, listen, unbounded }) => {
    const tell = (...told: readonly unknown[]) => listen?.(...told);
    const log = { debug: tell, info: tell, warn: tell, error: tell };
    const size = unbounded === true ? {} : { size: bound };
    const cache = createDedupe({
      ttl: seconds(freshMs),
      ...(staleMs === undefined ? {} : { stale: seconds(staleMs) }),
      onError: tell,
      onHit: tell,
      onMiss: tell,
      onDedupe: tell,
      storage: { type: "memory", options: { invalidation: tags !== undefined, ...size, ...(listen ? { log } : {}) } },
    });
    const value = cache.define("value", tags === undefined ? {} : { references: () => tags }, (id: string) => load(id));
    return {
      get: (id) => value.value(id),
      purge: (id) => cache.clear("value", id),
      purgeTag: (tag) => cache.invalidateAll(tag),
    };
  },
};

const keyv: Library = {
  name: "keyv",
  features: ["delete", "set", "own-memory"],
  open: ({ load, freshMs }) => {
    const cache = new Keyv({ ttl: freshMs });
    return {
      get: async (key) => {
        const found = await cache.get(key);
        if (found !== undefined) return found;
        const value = await load(key);
        await cache.set(key, value);
        return value;
      },
      purge: (key) => cache.delete(key),
      put: (key, value) => cache.set(key, value),
    };
  },
};

const lruCache: Library = {
  name: "lru-cache",
  features: ["delete", "set", "stale", "events"],
  open: ({ load, freshMs, staleMs, listen }) => {
    const stale = staleMs !== undefined;
    const cache = new LRUCache<string, object>({
      max: bound,
      ttl: freshMs,
      allowStale: stale,
      allowStaleOnFetchRejection: stale,
      noDeleteOnFetchRejection: stale,
      fetchMethod: async (id) => (await load(id)) as object,
    });
    if (listen !== undefined) subscribe("lru-cache:metrics", (told) => listen(told));
    return {
      get: (id) => cache.fetch(id),
      purge: async (id) => cache.delete(id),
      put: async (id, value) => cache.set(id, value as object),
    };
  },
};

const pMemoizeLibrary: Library = {
  name: "p-memoize",
  features: ["delete", "set", "own-memory"],
  open: ({ load, freshMs, unbounded }) => {
    const cache =
      unbounded === true
        ? new Map<string, unknown>()
        : new QuickLRU<string, unknown>({ maxSize: bound, maxAge: freshMs });
    const get = pMemoize((id: string) => load(id), { cache });
    return {
      get,
      purge: async (id) => cache.delete(id),
      put: async (id, value) => cache.set(id, value),
    };
  },
};

const noop = () => {};

export const rivals: readonly Library[] = [
  bentocache,
  cacheable,
  cacheManager,
  cachifiedLibrary,
  asyncCacheDedupe,
  keyv,
  lruCache,
  pMemoizeLibrary,
];
