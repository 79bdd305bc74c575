import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import { untilAborted } from "../base/promise.ts";
import type { CacheSettings } from "./check.ts";
import type { CacheCounters } from "./counters.ts";
import { drawEarly, type LoadTime } from "./early.ts";
import type { Entries, Served } from "./entries.ts";
import type { Tell } from "./events.ts";
import type { Flight, Flights, Load } from "./flights.ts";
import type { Keys, Scope } from "./key.ts";
import type { Memory } from "./memory/memory.ts";
import { type Parts, phase } from "./memory/slots.ts";
import type { Entry, ReadOptions } from "./surface.ts";

/** A read: from memory, behind a load that is under way, or with one of its own. */
export interface Reads {
  readonly get: (scope: Scope, load: Load, options: ReadOptions | undefined) => Promise<unknown>;
  readonly getEntry: (scope: Scope, load: Load, options: ReadOptions | undefined) => Promise<Entry<unknown>>;
}

export interface ReadsOptions {
  readonly name: string;
  readonly settings: CacheSettings;
  readonly clock: () => Clock;
  readonly random: () => number;
  readonly memory: Memory;
  readonly keys: Keys;
  readonly counters: CacheCounters;
  readonly entries: Entries;
  readonly flights: Flights;
  readonly loadTime: LoadTime;
  /** The name of a key in events. */
  readonly keyOf: (parts: Parts) => string;
  /** Loads behind the value that stands. */
  readonly refresh: (parts: Parts, load: Load) => boolean;
  readonly isClosed: () => boolean;
  /** Told of every load that is about to begin. */
  readonly used: () => void;
  readonly tell: Tell;
}

export function createReads(options: ReadsOptions): Reads {
  const { name, settings, clock, random, keys, counters, entries, flights, loadTime, keyOf, refresh, tell } = options;
  const { slots } = options.memory;

  /** What is due for a fresh value whose calm is over: to see how often it is read, and later to load it ahead. */
  const lookAhead = ({ place, parts }: Served, at: number, load: Load): void => {
    const fresh = slots.freshUntil(place);
    if (slots.phases[place] === phase.review) {
      const aheadMs = drawEarly({
        rate: slots.reads(place) / Math.max(1, at - slots.began(place)),
        loadMs: loadTime.ms(),
        beta: settings.beta,
        uniform: random(),
      });
      slots.phases[place] = aheadMs > 0 ? phase.drawn : phase.settled;
      slots.calmUntilIs(place, aheadMs > 0 ? fresh - aheadMs : fresh);
    }
    if (slots.phases[place] !== phase.drawn || at < slots.calmUntil(place)) return;
    slots.phases[place] = phase.settled;
    slots.calmUntilIs(place, fresh);
    if (!refresh(parts, load)) return;
    counters.early += 1;
    tell("cache.refresh", () => ({ cache: name, key: keyOf(parts), aheadMs: fresh - at }));
  };

  const isCrowded = (): boolean => settings.queueMost !== undefined && flights.waiting() >= settings.queueMost;

  const turnedAway = (): RepriseError => {
    counters.crowded += 1;
    tell("cache.crowded", () => ({ cache: name, waiting: flights.waiting() }));
    return new RepriseError("REPRISE_QUEUE_FULL", { cache: name, most: settings.queueMost ?? 0 });
  };

  /** A value that can be served, or the load to wait for. Throws where the read is to be rejected. */
  const read = (scope: Scope, load: Load, signal: AbortSignal | undefined): Served | Flight => {
    const parts = keys.check(scope);
    const at = clock().monotonic();
    const served = entries.find(parts, at);
    if (served !== undefined) {
      entries.read(served);
      if (served.state === "stale") refresh(parts, load);
      else if (at >= slots.calmUntil(served.place)) lookAhead(served, at, load);
      return served;
    }
    entries.missed(parts);
    const pending = entries.pending(parts);
    if (pending !== undefined && at < pending.retryAt) throw pending.failure;
    if (signal?.aborted === true) throw signal.reason;
    if (options.isClosed()) throw new RepriseError("REPRISE_LOAD_ABANDONED", { cache: name });
    if (isCrowded()) throw turnedAway();
    options.used();
    return flights.join(parts, keys.scope(parts), load);
  };

  /** While a value is stale a read waits for its load until the soft deadline, and is served stale after it. */
  const waitSoftly = async (served: Served, softMs: number): Promise<Entry<unknown>> => {
    const flight = flights.find(served.parts);
    if (flight === undefined || flight.state === "settled") return entryOf(served);
    if (isCrowded()) {
      if (settings.queueThen === "stale") return entryOf(served);
      counters.stale -= 1;
      counters.failed += 1;
      throw turnedAway();
    }
    // counted where it is answered
    counters.stale -= 1;
    const loaded = await flights.waitFor(flight, softMs).catch(() => {
      counters.failed -= 1;
      return undefined;
    });
    if (loaded !== undefined) return loadedEntry(flight, loaded.value);
    // what a purge took meanwhile is not served, not even to those who were there before it
    const still = entries.find(served.parts, clock().monotonic());
    if (still === undefined) return loadedEntry(flight, await flights.wait(flight, undefined));
    counters[still.state === "fresh" ? "memory" : "stale"] += 1;
    return entryOf(still);
  };
  const isSoft = (served: Served): boolean => served.state === "stale" && settings.softMs !== undefined;
  const softly = (served: Served, signal: AbortSignal | undefined): Promise<Entry<unknown>> =>
    untilAborted(waitSoftly(served, settings.softMs ?? 0), signal);
  const loadedEntry = (flight: Flight, value: unknown): Entry<unknown> => ({
    value,
    origin: "source",
    state: "fresh",
    ageMs: clock().monotonic() - flight.began,
  });

  const rejected = (error: unknown): Promise<never> => {
    counters.failed += 1;
    return Promise.reject(error);
  };

  return {
    get: (scope, load, readOptions) => {
      const answer = entries.hit(scope);
      if (answer !== undefined) return answer;
      try {
        const found = read(scope, load, readOptions?.signal);
        if ("outcome" in found) return flights.wait(found, readOptions?.signal);
        return isSoft(found)
          ? softly(found, readOptions?.signal).then(({ value }) => value)
          : Promise.resolve(found.value);
      } catch (error) {
        return rejected(error);
      }
    },
    getEntry: (scope, load, readOptions) => {
      try {
        const found = read(scope, load, readOptions?.signal);
        if ("outcome" in found) {
          return flights.wait(found, readOptions?.signal).then((value) => loadedEntry(found, value));
        }
        return isSoft(found) ? softly(found, readOptions?.signal) : Promise.resolve(entryOf(found));
      } catch (error) {
        return rejected(error);
      }
    },
  };
}

export function entryOf({ value, state, ageMs }: Served): Entry<unknown> {
  return { value, origin: "memory", state, ageMs };
}
