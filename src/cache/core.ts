import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { isScalar } from "../base/scalar.ts";
import { type Accepted, accept, type Policies, untold } from "./accept.ts";
import type { ChangeVerb } from "./change.ts";
import type { CacheSettings } from "./check.ts";
import { type CacheCounters, createCacheCounters } from "./counters.ts";
import type { CacheDeclaration } from "./declaration.ts";
import { createLoadTime } from "./early.ts";
import { createEntries } from "./entries.ts";
import type { CacheEvents, Tell } from "./events.ts";
import { type Explanation, explain } from "./explain.ts";
import { contextOf, createFlights, type Flight, type Load } from "./flights.ts";
import { createKeys, encodeKey, type Keys, matches, type Scope } from "./key.ts";
import { isNotModified } from "./loader.ts";
import type { Memory } from "./memory/memory.ts";
import type { ScopeIndex } from "./memory/scope-index.ts";
import type { Parts } from "./memory/slots.ts";
import { createReads, entryOf, type Reads } from "./reads.ts";
import type { Source } from "./sources.ts";
import type { Entry } from "./surface.ts";
import { createWriters, type Writing } from "./writing.ts";

/** What the patterns share: one cache's entries, its loads and its changes. */
export interface CacheCore extends Reads {
  readonly name: string;
  /** The number by which memory and its sampler know it. */
  readonly id: number;
  readonly counters: CacheCounters;
  readonly keys: Keys;
  readonly index: ScopeIndex<number>;
  readonly peek: (scope: Scope) => Promise<Entry<unknown> | undefined>;
  readonly explain: (scope: Scope) => Promise<Explanation>;
  readonly put: (scope: Scope, value: unknown) => Promise<void>;
  readonly change: (verb: ChangeVerb, scope: Scope) => Promise<void>;
  readonly changeTag: (verb: ChangeVerb, tag: string) => Promise<void>;
  /** Changes every entry that these parts of a scope mean; what they leave out means every. */
  readonly changeMatching: (verb: ChangeVerb, parts: Scope) => void;
  /** What `lookup` finds; on a miss with the permission that its `store` needs. */
  readonly lookup: (scope: Scope) => Entry<unknown> | Permit;
  /** A value to be written, as memory would keep it. @throws REPRISE_SECRET_FOUND for one that no cache may hold */
  readonly admit: (value: unknown) => Accepted;
  /** Tells the cache that a write of this scope to its source is under way. */
  readonly announce: (scope: Scope) => Writing;
  /** A write was acknowledged that loads will find: what was read before it is out, and the value in. */
  readonly written: (scope: Scope, accepted: Accepted) => void;
  /** Loads behind the value that stands, unless a load is under way or has just failed. */
  readonly refresh: (parts: Parts, load: Load) => boolean;
  /** Calls a loader in the caller's async context and stores nothing. */
  readonly loadAlone: (scope: Scope, load: Load) => Promise<unknown>;
  /** Resolves when no load and no announced write is under way. */
  readonly drained: () => Promise<void>;
  /** From now on no load begins, and no write. */
  readonly closing: () => void;
  readonly isClosed: () => boolean;
  readonly abandon: () => void;
  /** Takes everything out of memory. */
  readonly clear: () => void;
}

/** The right to store one value, until something changes. */
export interface Permit {
  readonly store: (value: unknown) => boolean;
}

export interface CacheCoreOptions {
  readonly declaration: CacheDeclaration;
  readonly settings: CacheSettings;
  readonly clock: () => Clock;
  /** The clock as a hit reads it. */
  readonly now: () => number;
  readonly memory: Memory;
  /** False: nothing is kept, every read asks the source. */
  readonly keeps: boolean;
  readonly random: () => number;
  readonly outside: <R>(work: () => R) => R;
  /** Told of every load that is about to begin. */
  readonly used: () => void;
  readonly source: Source | undefined;
  readonly policies: Policies;
  /** Calls a loader such that a leak of an ambient dimension is noticed. */
  readonly watch: (flight: Flight, call: () => Promise<unknown>) => Promise<unknown>;
  readonly tell: Tell;
}

export function createCacheCore(options: CacheCoreOptions): CacheCore {
  const { declaration, settings, clock, memory, random, tell, source } = options;
  const { name, scope: names } = declaration;
  const { slots } = memory;
  const counters = createCacheCounters();
  const keys = createKeys(name, names);
  const left = (reason: "full" | "expired") => {
    counters[reason === "full" ? "evicted" : "lapsed"] += 1;
    tell("cache.evict", () => ({ cache: name, reason }));
  };
  const entries = createEntries({ ...options, names, keys, counters, left });
  const loadTime = createLoadTime();
  const writers = createWriters();
  let closed = false;

  const keyOf = (parts: Parts): string => memory.hash(entries.id, parts).toString(16).padStart(8, "0");
  const admit = (value: unknown): Accepted => accept(name, value, options.policies, tell, declaration.clone === true);

  const flights = createFlights({
    cache: name,
    clock,
    hardMs: settings.hardMs,
    counters,
    source,
    outside: options.outside,
    permit: (flight) => {
      flight.previous = entries.previous(flight.parts);
      // under a write nothing is stored: whether it read the old value or the new one, nobody knows
      if (writers.isWritten(flight.key)) return;
      const at = clock().monotonic();
      const fence = entries.permit(flight.parts, at, at + settings.hardMs);
      flight.permission = fence.permission;
      flight.horizon = fence.horizon;
    },
    call: (flight) => options.watch(flight, () => run(flight)),
    loaded: (flight, result) => {
      const accepted = receive(flight, result);
      const stored = entries.store(flight.parts, flight, accepted, flight.began);
      if (!stored) counters.discarded += 1;
      tellLoad(flight, stored ? "stored" : "discarded");
      return accepted.value;
    },
    failed: (flight, error) => {
      tellLoad(flight, "failed", error);
      // a load that a change outdated says nothing about the source of now
      if (flight.detached) return;
      const retryAt = clock().monotonic() + defaults.cache.backOffMs * (1 + 0.1 * random());
      entries.fail(flight.parts, flight, error, retryAt);
    },
    // a source that fails fast says nothing of how long an answer takes
    ended: (_flight, tookMs, error) => {
      if (error === undefined) loadTime.observe(tookMs);
    },
  });

  const receive = (flight: Flight, result: unknown): Accepted => {
    if (!isNotModified(result)) {
      const accepted = admit(result);
      if (accepted.value === undefined) counters.absent += 1;
      return accepted;
    }
    const { previous } = flight;
    if (previous === undefined) throw new RepriseError("REPRISE_NOTHING_TO_KEEP", { cache: name });
    counters.unmodified += 1;
    return { value: previous.value, known: previous.known, isLoaded: true };
  };
  const tellLoad = (flight: Flight, outcome: CacheEvents["cache.load"]["outcome"], error?: unknown): void =>
    tell("cache.load", () => ({
      cache: name,
      key: keyOf(flight.parts),
      tookMs: clock().monotonic() - flight.began,
      outcome,
      error: error === undefined ? undefined : errorName(error),
    }));
  const tellChange = (
    verb: CacheEvents["cache.change"]["verb"],
    parts: Parts | null,
    by: CacheEvents["cache.change"]["by"],
  ): void => tell("cache.change", () => ({ cache: name, key: parts === null ? null : keyOf(parts), verb, by }));

  const refresh = (parts: Parts, load: Load): boolean => {
    const retryAt = entries.pending(parts)?.retryAt ?? Number.NEGATIVE_INFINITY;
    if (closed || clock().monotonic() < retryAt) return false;
    return flights.beginBehind(parts, keys.scope(parts), load);
  };
  const reads = createReads({
    ...options,
    name,
    keys,
    counters,
    entries,
    flights,
    loadTime,
    keyOf,
    refresh,
    isClosed: () => closed,
  });

  const change = (verb: ChangeVerb, parts: Parts): void => {
    flights.detach(parts);
    writers.disturb(parts);
    entries.change(verb, parts, clock().monotonic());
  };
  const put = (scope: Scope, accepted: Accepted, by: "call" | "write"): void => {
    const parts = keys.check(scope);
    change("purge", parts);
    entries.put(parts, { ...accepted, isLoaded: false }, clock().monotonic());
    tellChange("put", parts, by);
  };

  return {
    name,
    id: entries.id,
    counters,
    keys,
    index: entries.index,
    refresh,
    admit: (value) => {
      const accepted = admit(value);
      return { ...accepted, known: accepted.known ?? untold };
    },
    ...reads,
    peek: async (scope) => {
      const served = entries.find(keys.check(scope), clock().monotonic());
      return served === undefined ? undefined : entryOf(served);
    },
    explain: async (scope) => {
      const parts = keys.check(scope);
      return explain({
        now: clock().monotonic(),
        slots,
        place: entries.place(parts),
        flight: flights.find(parts),
        waiting: flights.waiting(),
        settings,
        source,
        isWritten: writers.isWritten(encodeKey(parts)),
        isClosed: closed,
        loadMs: loadTime.ms(),
        keeps: options.keeps,
      });
    },
    put: async (scope, value) => {
      put(scope, admit(value), "call");
      counters.put += 1;
    },
    change: async (verb, scope) => {
      const parts = keys.check(scope);
      change(verb, parts);
      counters[countedAs[verb]] += 1;
      tellChange(verb, parts, "call");
    },
    changeTag: async (verb, tag) => {
      entries.changeTag(verb, tag, clock().monotonic());
      // which tags a load or a write under way will bring is not known: whoever comes from now on shares no load that
      // runs, and no write that runs is stored
      flights.detachAll(() => true);
      writers.disturbAll(() => true);
      counters[countedAs[verb]] += 1;
      tellChange(verb, null, "tag");
    },
    changeMatching: (verb, parts) => {
      counters[countedAs[verb]] += 1;
      const named = names.filter((part) => isScalar(parts[part]));
      if (named.length === names.length) {
        const whole = keys.check(parts);
        change(verb, whole);
        tellChange(verb, whole, "commit");
        return;
      }
      const isMeant = (of: Parts) => matches(keys.scope(of), parts, named);
      flights.detachAll(isMeant);
      writers.disturbAll(isMeant);
      entries.changeWhere(verb, named, parts, clock().monotonic());
      tellChange(verb, null, "commit");
    },
    lookup: (scope) => {
      const parts = keys.check(scope);
      const began = clock().monotonic();
      const served = entries.find(parts, began);
      // while stale, one reader at a time is sent to the source
      if (
        served !== undefined &&
        (served.state === "fresh" || began < (entries.pending(parts)?.permittedUntil ?? began))
      ) {
        entries.read(served);
        return entryOf(served);
      }
      entries.missed(parts);
      options.used();
      const deadline = began + settings.hardMs;
      const fence = entries.permit(parts, began, deadline);
      counters.source += 1;
      counters.loads += 1;
      return {
        store: (value) => {
          const accepted = admit(value);
          const at = clock().monotonic();
          counters.loadTime.observe(at - began);
          loadTime.observe(at - began);
          const stored = at < deadline && entries.store(parts, fence, { ...accepted, isLoaded: false }, began);
          if (!stored) counters.discarded += 1;
          return stored;
        },
      };
    },
    announce: (scope) => {
      const parts = keys.check(scope);
      change("purge", parts);
      return writers.begin(parts, (arrived, isAlone) => {
        // loads that began meanwhile may have read the old value
        change("purge", parts);
        if (arrived === undefined) return;
        counters.written += 1;
        if (isAlone) put(scope, arrived, "write");
        else tellChange("purge", parts, "write");
      });
    },
    written: (scope, accepted) => {
      put(scope, accepted, "write");
      counters.written += 1;
    },
    loadAlone: async (scope, load) => {
      const { signal } = new AbortController();
      return admit(await load(keys.scope(keys.check(scope)), { signal, etag: undefined })).value;
    },
    drained: async () => {
      await Promise.all([flights.drained(), writers.drained()]);
    },
    closing: () => {
      closed = true;
    },
    isClosed: () => closed,
    abandon: flights.abandon,
    clear: () => {
      flights.detachAll(() => true);
      entries.clear();
    },
  };
}

const countedAs = { expire: "expired", purge: "purged" } as const;

/** A loader that throws before it returns a promise is one that rejects. */
async function run(flight: Flight): Promise<unknown> {
  return flight.load(flight.scope, contextOf(flight));
}

function errorName(error: unknown): string {
  if (error instanceof RepriseError) return error.code;
  return error instanceof Error ? error.constructor.name : typeof error;
}
