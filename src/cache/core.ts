import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { isScalar } from "../base/scalar.ts";
import type { ChangeVerb } from "./change.ts";
import type { CacheTimes } from "./check.ts";
import { type CacheCounters, createCacheCounters } from "./counters.ts";
import type { CacheDeclaration } from "./declaration.ts";
import { createFlights, type Flight, type Load } from "./flights.ts";
import { type CheckedScope, createKeys, type Key, matches, type Scope } from "./key.ts";
import type { Memory } from "./memory.ts";
import { fail, fill, isPermitted, outdate, permit, type Slot } from "./slot.ts";
import type { Entry, ReadOptions } from "./surface.ts";

/** What the patterns share: one cache's slots, its loads, and the fence between them. */
export interface CacheCore {
  readonly name: string;
  readonly counters: CacheCounters;
  readonly slots: ReadonlyMap<Key, Slot>;
  readonly get: (scope: Scope, load: Load, options: ReadOptions | undefined) => Promise<unknown>;
  readonly getEntry: (scope: Scope, load: Load, options: ReadOptions | undefined) => Promise<Entry<unknown>>;
  readonly peek: (scope: Scope) => Promise<Entry<unknown> | undefined>;
  readonly put: (scope: Scope, value: unknown) => Promise<void>;
  readonly change: (verb: ChangeVerb, scope: Scope) => Promise<void>;
  /** Changes every entry that these parts of a scope mean; what they leave out means every. */
  readonly changeMatching: (verb: ChangeVerb, parts: Scope) => void;
  /** What `lookup` finds; on a miss with the permission that its `store` needs. */
  readonly lookup: (scope: Scope) => Entry<unknown> | Permit;
  /** Loads behind the value that stands, unless a load is under way or has just failed. */
  readonly refresh: (slot: Slot, load: Load) => boolean;
  readonly drained: () => Promise<void>;
  /** From now on no load begins. */
  readonly closing: () => void;
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
  readonly times: CacheTimes;
  readonly clock: () => Clock;
  readonly memory: Memory;
  readonly random: () => number;
  readonly outside: <R>(work: () => R) => R;
  /** Told of every load that is about to begin. */
  readonly used: () => void;
}

export function createCacheCore(options: CacheCoreOptions): CacheCore {
  const { declaration, times, clock, memory, random } = options;
  const { name } = declaration;
  const counters = createCacheCounters();
  const slots = new Map<Key, Slot>();
  const owner = { slots, counters };
  const keys = createKeys(name, declaration.scope);
  const life = { ...times, random };
  let closed = false;

  const slotOf = (key: Key, scope: CheckedScope): Slot => {
    const slot = slots.get(key);
    if (slot === undefined) return memory.add(owner, key, scope);
    memory.touch(slot);
    return slot;
  };

  /** Stores what a load brought, if nothing changed since it took its permission out. */
  const store = (key: Key, permission: number | undefined, value: unknown, began: number): boolean => {
    const slot = slots.get(key);
    if (permission !== undefined && isPermitted(slot, permission)) {
      fill(slot, value, began, life);
      return true;
    }
    counters.discarded += 1;
    return false;
  };

  const flights = createFlights({
    cache: name,
    clock,
    hardMs: times.hardMs,
    counters,
    outside: options.outside,
    permit: (flight) => {
      const now = clock().monotonic();
      const slot = slotOf(flight.key, flight.scope);
      slot.triedAt = now;
      return permit(slot, now + times.hardMs);
    },
    loaded: (flight, value) => store(flight.key, flight.permission, value, flight.began),
    failed: (flight, error) => {
      const slot = slots.get(flight.key);
      // a load that a change outdated says nothing about the source of now
      if (!isPermitted(slot, flight.permission)) return;
      fail(slot, error, clock().monotonic() + defaults.cache.backOffMs * (1 + 0.1 * random()));
    },
  });

  const refresh = (slot: Slot, load: Load): boolean =>
    !closed && clock().monotonic() >= slot.retryAt && flights.beginBehind(slot.key, slot.scope, load);

  /** A slot that can be served, or the load to wait for. Throws where the read is to be rejected. */
  const read = (scope: Scope, load: Load, signal: AbortSignal | undefined): Slot | Flight => {
    const key = keys.check(scope);
    const now = clock().monotonic();
    const slot = slots.get(key);
    if (slot !== undefined) {
      if (now < slot.staleUntil) {
        memory.touch(slot);
        slot.reads += 1;
        if (now < slot.freshUntil) {
          counters.memory += 1;
        } else {
          counters.stale += 1;
          refresh(slot, load);
        }
        return slot;
      }
      if (now < slot.retryAt) throw slot.failure;
    }
    if (signal?.aborted === true) throw signal.reason;
    if (closed) throw new RepriseError("REPRISE_LOAD_ABANDONED", { cache: name });
    options.used();
    const flight = flights.join(key, keys.copy(scope), load);
    const permitted = slots.get(key);
    if (permitted !== undefined) permitted.reads += 1;
    return flight;
  };

  const rejected = (error: unknown): Promise<never> => {
    counters.failed += 1;
    return Promise.reject(error);
  };

  const changeSlot = (verb: ChangeVerb, key: Key): void => {
    flights.detach(key);
    const slot = slots.get(key);
    if (slot === undefined) return;
    const now = clock().monotonic();
    if (verb === "expire") outdate(slot, now, life);
    if (verb === "purge" || slot.staleUntil <= now) memory.remove(slot);
  };

  return {
    name,
    counters,
    slots,
    refresh,
    get: (scope, load, readOptions) => {
      try {
        const slot = slots.get(keys.find(scope));
        if (slot !== undefined && clock().monotonic() < slot.freshUntil && slot.answer !== undefined) {
          counters.memory += 1;
          slot.reads += 1;
          memory.touch(slot);
          return slot.answer;
        }
        const found = read(scope, load, readOptions?.signal);
        if (found.kind === "flight") return flights.wait(found, readOptions?.signal);
        return found.answer ?? Promise.resolve(found.value);
      } catch (error) {
        return rejected(error);
      }
    },
    getEntry: (scope, load, readOptions) => {
      try {
        const found = read(scope, load, readOptions?.signal);
        if (found.kind === "slot") return Promise.resolve(entryOf(found, clock().monotonic()));
        return flights.wait(found, readOptions?.signal).then((value) => ({
          value,
          origin: "source" as const,
          state: "fresh" as const,
          ageMs: clock().monotonic() - found.began,
        }));
      } catch (error) {
        return rejected(error);
      }
    },
    peek: async (scope) => {
      const slot = slots.get(keys.check(scope));
      const now = clock().monotonic();
      return slot !== undefined && now < slot.staleUntil ? entryOf(slot, now) : undefined;
    },
    put: async (scope, value) => {
      const key = keys.check(scope);
      flights.detach(key);
      // takes away the permission of every load under way
      fill(slotOf(key, keys.copy(scope)), value, clock().monotonic(), life);
      counters.put += 1;
    },
    change: async (verb, scope) => {
      changeSlot(verb, keys.check(scope));
      counters[countedAs[verb]] += 1;
    },
    changeMatching: (verb, parts) => {
      const names = declaration.scope;
      if (names.every((part) => isScalar(parts[part]))) {
        changeSlot(verb, keys.check(parts));
        counters[countedAs[verb]] += 1;
        return;
      }
      const meant = new Set<Key>();
      for (const slot of slots.values()) if (matches(slot.scope, parts, names)) meant.add(slot.key);
      // a load whose slot memory gave up runs on, and must be outdated too
      for (const [key, scope] of flights.scopes()) if (matches(scope, parts, names)) meant.add(key);
      for (const key of meant) changeSlot(verb, key);
      counters[countedAs[verb]] += meant.size;
    },
    lookup: (scope) => {
      const key = keys.check(scope);
      const began = clock().monotonic();
      const found = slots.get(key);
      if (found !== undefined && began < found.staleUntil) {
        const fresh = began < found.freshUntil;
        // while stale, one reader at a time is sent to the source
        if (fresh || began < found.permittedUntil) {
          memory.touch(found);
          found.reads += 1;
          counters[fresh ? "memory" : "stale"] += 1;
          return entryOf(found, began);
        }
      }
      options.used();
      const slot = slotOf(key, keys.copy(scope));
      slot.reads += 1;
      slot.triedAt = began;
      const deadline = began + times.hardMs;
      const permission = permit(slot, deadline);
      counters.source += 1;
      counters.loads += 1;
      return {
        store: (value) => {
          const now = clock().monotonic();
          counters.loadTime.observe(now - began);
          return store(key, now < deadline ? permission : undefined, value, began);
        },
      };
    },
    drained: flights.drained,
    closing: () => {
      closed = true;
    },
    abandon: flights.abandon,
    clear: () => {
      for (const slot of slots.values()) changeSlot("purge", slot.key);
    },
  };
}

const countedAs = { expire: "expired", purge: "purged" } as const;

function entryOf(slot: Slot, now: number): Entry<unknown> {
  return {
    value: slot.value,
    origin: "memory",
    state: now < slot.freshUntil ? "fresh" : "stale",
    ageMs: now - slot.began,
  };
}
