import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../base/clock.ts";
import type { Dimensions } from "../base/config.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import { createCacheAside } from "./cache-aside.ts";
import type { Change, ChangeVerb } from "./change.ts";
import { checkCacheDeclaration } from "./check.ts";
import { type CacheCore, createCacheCore } from "./core.ts";
import type { CacheCounters } from "./counters.ts";
import type { CacheDeclaration } from "./declaration.ts";
import type { Load } from "./flights.ts";
import type { Scope } from "./key.ts";
import { createMemory } from "./memory.ts";
import { createReadThrough } from "./read-through.ts";
import { createRefresher, type Refresher } from "./refresh.ts";
import type { AsideCache, Cache } from "./surface.ts";

/** The caches of one instance. They share its memory and end with it. */
export interface Caches {
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE */
  readonly readThrough: (declaration: Omit<CacheDeclaration, "pattern">) => Cache<Scope, unknown>;
  /** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE */
  readonly cacheAside: (declaration: Omit<CacheDeclaration, "pattern">) => AsideCache<Scope, unknown>;
  /** Begins the background refreshes and reads every `changedBy`; what such a thunk throws, this throws. */
  readonly start: () => void;
  /**
   * Stops the background, waits for the loads under way and then gives them up: their callers are rejected with
   * `REPRISE_LOAD_ABANDONED`. What memory holds is served on; no load begins any more.
   */
  readonly close: (options: { readonly drainMs: number }) => Promise<void>;
  /** Applies what the caches say that a commit of this operation changes. When it returns, no cache serves older data. */
  readonly changed: (operation: string, input: unknown) => void;
  readonly list: () => readonly ListedCache[];
  readonly memory: () => { readonly entries: number; readonly maxEntries: number };
}

export interface ListedCache {
  readonly name: string;
  readonly owner: string | undefined;
  readonly counters: CacheCounters;
  readonly entries: () => number;
  readonly declaration: CacheDeclaration;
  /** What `changedBy` lists, read once. What the thunk throws, this throws. */
  readonly changes: () => readonly Change<string>[];
}

export interface CachesOptions {
  readonly clock: () => Clock;
  /** The bound for all caches together. */
  readonly maxEntries: number;
  readonly dimensions?: Dimensions | undefined;
  /** 0 to 1, 1 excluded; what jitter is drawn from. */
  readonly random?: (() => number) | undefined;
  /** Told of every load: the first one is the instance's first use. */
  readonly used?: (() => void) | undefined;
}

interface Declared {
  readonly declaration: CacheDeclaration;
  readonly core: CacheCore;
  readonly refresher: Refresher | undefined;
  /** Read late: modules may import each other. */
  changes: readonly Change<string>[] | undefined;
}

export function createCaches(options: CachesOptions): Caches {
  const { clock, dimensions = {}, random = Math.random, used = () => {} } = options;
  const memory = createMemory(options.maxEntries);
  const declared = new Map<string, Declared>();
  let started = false;
  let closing: Promise<void> | undefined;

  const declare = (declaration: CacheDeclaration): CacheCore => {
    const times = checkCacheDeclaration(declaration, dimensions);
    const { name, load } = declaration;
    const earlier = declared.get(name);
    if (earlier !== undefined) {
      // a development server evaluates a module again when it is edited
      if (process.env["NODE_ENV"] !== "development") {
        throw new RepriseError("REPRISE_NAME_TWICE", { kind: "cache", name });
      }
      earlier.refresher?.stop();
      earlier.core.clear();
    }
    // loads run where the cache was declared: whoever missed first must not be seen by a load that others share
    const outside = AsyncLocalStorage.snapshot();
    const core = createCacheCore({ declaration, times, clock, memory, random, outside, used });
    const refresher =
      times.refresh === undefined || load === undefined
        ? undefined
        : createRefresher({
            ...times.refresh,
            clock,
            slots: core.slots,
            refresh: (slot) => {
              const begun = core.refresh(slot, load as Load);
              if (begun) core.counters.refreshes += 1;
              return begun;
            },
          });
    declared.set(name, { declaration, core, refresher, changes: undefined });
    if (started && closing === undefined) refresher?.start();
    if (closing !== undefined) core.closing();
    return core;
  };

  const changesOf = (cache: Declared): readonly Change<string>[] => {
    cache.changes ??= cache.declaration.changedBy?.() ?? [];
    return cache.changes;
  };
  /** After a commit nothing may stand in the way of its invalidation: a cache that cannot say what changes it loses all. */
  const partsChangedBy = (
    cache: Declared,
    operation: string,
    input: unknown,
  ): readonly (readonly [ChangeVerb, Scope])[] => {
    try {
      return changesOf(cache)
        .filter((change) => change.operation === operation)
        .flatMap((change) => partsOf(change, input).map((parts) => [change.verb, parts] as const));
    } catch {
      return [["purge", {}]];
    }
  };

  const close = async (drainMs: number): Promise<void> => {
    const all = [...declared.values()];
    for (const { refresher, core } of all) {
      refresher?.stop();
      core.closing();
    }
    const drained = Promise.all(all.map(({ core }) => core.drained())).then(() => undefined);
    const late = new Error();
    await withDeadline(clock(), drainMs, drained, () => late).catch(() => {
      for (const { core } of all) core.abandon();
    });
  };

  return {
    readThrough: (given) => {
      const core = declare({ ...given, pattern: "read-through" });
      return createReadThrough(core, given.load as Load);
    },
    cacheAside: (given) => createCacheAside(declare({ ...given, pattern: "cache-aside" })),
    start: () => {
      if (started || closing !== undefined) return;
      for (const cache of declared.values()) changesOf(cache);
      started = true;
      for (const { refresher } of declared.values()) refresher?.start();
    },
    close: ({ drainMs }) => {
      closing ??= close(drainMs);
      return closing;
    },
    changed: (operation, input) => {
      for (const cache of declared.values()) {
        for (const [verb, parts] of partsChangedBy(cache, operation, input)) cache.core.changeMatching(verb, parts);
      }
    },
    list: () =>
      [...declared.values()].map((cache) => ({
        name: cache.core.name,
        owner: cache.declaration.owner,
        counters: cache.core.counters,
        entries: () => cache.core.slots.size,
        declaration: cache.declaration,
        changes: () => changesOf(cache),
      })),
    memory: () => ({ entries: memory.entries(), maxEntries: memory.maxEntries }),
  };
}

/** A scope that cannot be told means every entry. */
function partsOf(change: Change<string>, input: unknown): readonly Scope[] {
  try {
    return change.scopesOf(input as never);
  } catch {
    return [{}];
  }
}
