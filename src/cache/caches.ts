import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../base/clock.ts";
import type { Dimensions } from "../base/config.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { WriteJournal } from "../contract/write-journal.ts";
import type { Policies } from "./accept.ts";
import { type Change, changesOf, partsChangedBy } from "./change.ts";
import { checkCacheDeclaration } from "./check.ts";
import { type CacheCore, createCacheCore } from "./core.ts";
import type { CacheCounters } from "./counters.ts";
import type { CacheDeclaration, LoadMany } from "./declaration.ts";
import type { Tell } from "./events.ts";
import type { Explanation } from "./explain.ts";
import type { Load } from "./flights.ts";
import { type Ambient, createAmbient } from "./guard/context.ts";
import { createNow } from "./instants.ts";
import type { Scope } from "./key.ts";
import { type Bound, createMemory, type Eviction, type Memory } from "./memory/memory.ts";
import type { Sampler } from "./memory/sampler.ts";
import { createCacheAside } from "./patterns/cache-aside.ts";
import { createReadThrough } from "./patterns/read-through.ts";
import { createWriteBehindCache } from "./patterns/write-behind.ts";
import { createWriteThrough } from "./patterns/write-through.ts";
import { createRefresher, type Refresher } from "./refresh.ts";
import { createSource, type Source } from "./sources.ts";
import type { AsideCache, Cache, WritableCache, WriteBehindCache } from "./surface.ts";
import type { JournalOf, WriteBehind } from "./write/queue.ts";

type Given = Omit<CacheDeclaration, "pattern">;

/** The caches of one instance. They share its memory and end with it. Each declaration throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_NAME_TWICE. */
export interface Caches {
  readonly readThrough: (declaration: Given) => Cache<Scope, unknown>;
  readonly cacheAside: (declaration: Given) => AsideCache<Scope, unknown>;
  readonly writeThrough: (declaration: Given) => WritableCache<Scope, unknown>;
  readonly writeBehind: (declaration: Given) => WriteBehindCache<Scope, unknown>;
  /** @throws REPRISE_BAD_DECLARATION where a cache may lose no write and the ledger of that name has no journal for them */
  readonly checkJournal: (writes: WriteJournal | undefined, ledger: string) => void;
  /** Begins the background work and reads every `changedBy`; what such a thunk throws, this throws. */
  readonly start: () => void;
  /**
   * Stops the background, waits for the loads and writes under way and then gives loads up: their callers are rejected
   * with `REPRISE_LOAD_ABANDONED`. What memory holds is served on; no load begins any more.
   */
  readonly close: (options: { readonly drainMs: number }) => Promise<void>;
  /** Applies what the caches say that a commit of this operation changes. When it returns, no cache serves older data. */
  readonly changed: (operation: string, input: unknown) => void;
  readonly list: () => readonly ListedCache[];
  readonly memory: Pick<Memory, "bound" | "eviction" | "entries" | "bytes">;
  readonly ambient: Ambient;
}

export interface ListedCache {
  readonly name: string;
  /** The number by which the sampler knows it. */
  readonly id: number;
  readonly owner: string | undefined;
  readonly counters: CacheCounters;
  readonly entries: () => number;
  readonly declaration: CacheDeclaration;
  readonly explain: (scope: Scope) => Promise<Explanation>;
  /** Writes acknowledged that have not reached the source; `undefined`: it is no write-behind cache. */
  readonly pendingWrites: () => number | undefined;
  /** What `changedBy` lists, read once. What the thunk throws, this throws. */
  readonly changes: () => readonly Change<string>[];
}

export interface CachesOptions {
  /** Whose caches they are, for what is journalled. */
  readonly service?: string | undefined;
  readonly clock: () => Clock;
  /** The bound for all caches together. */
  readonly bound: Bound;
  readonly eviction: Eviction;
  /** False: nothing is kept and every read asks the source, as a test may want it. */
  readonly keeps?: boolean | undefined;
  readonly dimensions?: Dimensions | undefined;
  /** Loads at once of each source. */
  readonly sources?: Readonly<Record<string, { readonly loadsAtOnce: number }>> | undefined;
  readonly policies?: Policies | undefined;
  readonly sampler?: Sampler | undefined;
  /** Where acknowledged writes are kept; `undefined`: there is no journal. */
  readonly journal?: JournalOf | undefined;
  /** 0 to 1, 1 excluded; what jitter and early refreshes are drawn from. */
  readonly random?: (() => number) | undefined;
  /** Told what they do. */
  readonly tell?: Tell | undefined;
  /** Told of every load: the first one is the instance's first use. */
  readonly used?: (() => void) | undefined;
}

interface Declared {
  readonly declaration: CacheDeclaration;
  readonly core: CacheCore;
  readonly refresher: Refresher | undefined;
  writes: WriteBehind | undefined;
  /** Read late: modules may import each other. */
  changes: readonly Change<string>[] | undefined;
}

const noPolicies: Policies = { secrets: "off", freeze: false };

export function createCaches(options: CachesOptions): Caches {
  const { clock, bound, eviction, dimensions = {}, random = Math.random, used = () => {}, sampler } = options;
  const { keeps = true, policies = noPolicies, journal, tell = () => {} } = options;
  const memory = createMemory({ bound, eviction, sampler, seed: Math.floor(random() * 2 ** 32) });
  const sources = createSources(options.sources ?? {});
  const ambient = createAmbient(Object.keys(dimensions));
  const now = createNow(clock);
  const declared = new Map<string, Declared>();
  /** Queues of writes whose cache was declared again. */
  const replaced: Promise<void>[] = [];
  let started = false;
  let closing: Promise<void> | undefined;
  let stopExpiring: (() => void) | undefined;

  const declare = (declaration: CacheDeclaration) => {
    const settings = checkCacheDeclaration(declaration, dimensions);
    if (declaration.ifLost === "never" && journal === undefined)
      throw noJournal(declaration.name, "there is no ledger");
    const { name, load } = declaration;
    const source = sourceOf(declaration, sources);
    const earlier = declared.get(name);
    if (earlier !== undefined) {
      // a development server evaluates a module again when it is edited
      if (process.env["NODE_ENV"] !== "development") {
        throw new RepriseError("REPRISE_NAME_TWICE", { kind: "cache", name });
      }
      earlier.refresher?.stop();
      earlier.core.clear();
      // nobody else would send what it acknowledged, and its journal must not have two senders
      if (earlier.writes !== undefined) replaced.push(earlier.writes.close({ drainMs: defaults.drainMs }));
    }
    // loads run where the cache was declared: whoever missed first must not be seen by a load that others share
    const outside = AsyncLocalStorage.snapshot();
    const leftOut = Object.fromEntries(declaration.scope.map((part) => [part, undefined]));
    const core = createCacheCore({
      ...{ declaration, settings, clock, now, memory, keeps, random, outside, used, source, policies },
      // a part that was left out is in the scope all the same
      watch: (flight, call) => watched(ambient, name, { scope: { ...leftOut, ...flight.scope } }, call),
      tell,
    });
    const refresher =
      settings.refresh === undefined || load === undefined
        ? undefined
        : createRefresher({
            ...settings.refresh,
            clock,
            slots: memory.slots,
            index: core.index,
            refresh: (parts) => {
              const begun = core.refresh(parts, load as Load);
              if (begun) core.counters.refreshes += 1;
              return begun;
            },
          });
    const cache: Declared = { declaration, core, refresher, writes: undefined, changes: undefined };
    declared.set(name, cache);
    if (started && closing === undefined) refresher?.start();
    if (closing !== undefined) core.closing();
    return { cache, core, settings, source, outside, leftOut };
  };

  const readThrough = (
    made: ReturnType<typeof declare>,
    load: Load,
    loadMany: LoadMany | undefined = made.cache.declaration.loadMany,
  ): Cache<Scope, unknown> => {
    const { core, source, outside, cache, leftOut } = made;
    const { clone = false, name } = cache.declaration;
    return createReadThrough(core, {
      load,
      loadMany,
      source,
      clone,
      around: (call) => outside(() => watched(ambient, name, { scope: {} }, call)),
      loadAlone: async (scope) => {
        const checked = core.keys.scope(core.keys.check(scope));
        return watched(ambient, name, { scope: { ...leftOut, ...checked } }, () => core.loadAlone(checked, load));
      },
    });
  };

  const expire = (): void => {
    const share = memory.sweep(clock().monotonic(), defaults.background.expireBatch);
    const { expireAgainMs, expireEveryMs } = defaults.background;
    stopExpiring = clock().timer(share > 0.1 ? expireAgainMs : expireEveryMs, expire);
  };

  const close = async (drainMs: number): Promise<void> => {
    const all = [...declared.values()];
    stopExpiring?.();
    for (const { refresher, core } of all) {
      refresher?.stop();
      core.closing();
    }
    const flushed = all.map(({ writes }) => writes?.close({ drainMs }));
    // what ends with an error has ended: the others are waited for all the same
    const drained = Promise.allSettled([...all.map(({ core }) => core.drained()), ...flushed, ...replaced]).then(
      () => undefined,
    );
    const late = new Error();
    await withDeadline(clock(), drainMs, drained, () => late).catch(() => {
      for (const { core } of all) core.abandon();
    });
  };

  return {
    checkJournal: (writes, ledger) => {
      const needing = [...declared.values()].find(({ declaration: { ifLost } }) => ifLost === "never");
      if (needing !== undefined && writes === undefined) {
        throw noJournal(needing.core.name, `ledger '${ledger}' keeps no journal of writes`);
      }
    },
    readThrough: (given) => {
      const made = declare({ ...given, pattern: "read-through" });
      return readThrough(made, given.load as Load);
    },
    cacheAside: (given) => {
      const { core } = declare({ ...given, pattern: "cache-aside" });
      return createCacheAside(core, given.clone === true);
    },
    writeThrough: (given) => {
      const made = declare({ ...given, pattern: "write-through" });
      const { core, settings, outside } = made;
      const write = given.write as NonNullable<typeof given.write>;
      return createWriteThrough(core, readThrough(made, given.load as Load), {
        ...{ write, hardMs: settings.hardMs, clock, outside, used },
      });
    },
    writeBehind: (given) => {
      const made = declare({ ...given, pattern: "write-behind" });
      const { core, cache, outside } = made;
      const { cache: surface, writes } = createWriteBehindCache(core, {
        ...{
          declaration: cache.declaration,
          queue: `${options.service ?? ""}/${core.name}`,
          clock,
          outside,
          used,
          journal,
        },
        reads: (load, loadMany) => readThrough(made, load, loadMany),
      });
      cache.writes = writes;
      if (started && closing === undefined) writes.start();
      return surface;
    },
    start: () => {
      if (started || closing !== undefined) return;
      for (const cache of declared.values()) changesOf(cache);
      started = true;
      for (const { refresher, writes } of declared.values()) {
        refresher?.start();
        writes?.start();
      }
      stopExpiring = clock().timer(defaults.background.expireEveryMs, expire);
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
        id: cache.core.id,
        owner: cache.declaration.owner,
        counters: cache.core.counters,
        entries: cache.core.index.size,
        declaration: cache.declaration,
        explain: cache.core.explain,
        pendingWrites: () => cache.writes?.pendingCount(),
        changes: () => changesOf(cache),
      })),
    memory,
    ambient,
  };
}

/** Calls a loader; a dimension that it read and that its scope does not have fails the load, whatever it answers. */
async function watched<T>(
  ambient: Ambient,
  cache: string,
  load: { readonly scope: Scope },
  call: () => Promise<T>,
): Promise<T> {
  const { result, leaked } = ambient.watch({ cache, scope: load.scope }, call);
  const refuseLeak = () => {
    const dimension = leaked();
    if (dimension !== undefined) throw new RepriseError("REPRISE_SCOPE_LEAK", { cache, dimension });
  };
  const value = await result.catch((error: unknown) => {
    refuseLeak();
    throw error;
  });
  refuseLeak();
  return value;
}

function noJournal(cache: string, why: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `Cache '${cache}', ifLost`,
    why: `${why}.`,
    mend: "Give createReprise a ledger that keeps one, such as sqliteLedger, or accept a loss.",
  });
}

function createSources(given: NonNullable<CachesOptions["sources"]>): ReadonlyMap<string, Source> {
  return new Map(
    Object.entries(given).map(([name, { loadsAtOnce }]) => {
      if (!(Number.isInteger(loadsAtOnce) && loadsAtOnce >= 1)) {
        throw new RepriseError("REPRISE_BAD_DECLARATION", {
          where: `sources.${name}.loadsAtOnce`,
          why: "it is no whole number above zero.",
          mend: "Say how many loads of this source may run at once.",
        });
      }
      return [name, createSource(name, loadsAtOnce)];
    }),
  );
}

function sourceOf({ name, source }: CacheDeclaration, sources: ReadonlyMap<string, Source>): Source | undefined {
  if (source === undefined) return undefined;
  const found = sources.get(source);
  if (found !== undefined) return found;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `Cache '${name}', source`,
    why: `there is no source '${source}'.`,
    mend: "Declare it in createReprise: sources: { name: { loadsAtOnce: 20 } }.",
  });
}
