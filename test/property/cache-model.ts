import type { CacheCounters } from "../../src/cache/counters.ts";
import type { Scope } from "../../src/cache/key.ts";
import type { AsideCache, Cache, Entry, ReadOptions, WritableCache } from "../../src/cache/surface.ts";
import { type Declared, times } from "./cache-commands.ts";
import type { History, Instant, Reading } from "./cache-history.ts";
import { away, type HeldSource } from "./cache-source.ts";

/** What a caller may meet beside the source's own error. */
export interface Allowed {
  readonly isClosed: () => boolean;
  readonly now: () => Instant;
  /** The next place in the order of all events. */
  readonly next: () => Instant;
}

export interface ModelOptions extends Allowed {
  readonly declared: Declared;
  readonly scopes: readonly Scope[];
  readonly keyOf: (scope: Scope) => string;
  readonly history: History;
  readonly source: HeldSource;
  readonly counters: CacheCounters;
  readonly caches: {
    readonly through?: Cache<Scope, unknown> | undefined;
    readonly writable?: WritableCache<Scope, unknown> | undefined;
    readonly aside?: AsideCache<Scope, unknown> | undefined;
  };
  /** Follows a promise that must have settled in the end, and must not reject. */
  readonly follow: (work: Promise<unknown>) => void;
}

/** One cache, its source and its history; every answer is judged. */
export type Model = ReturnType<typeof createModel>;

export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

export function createModel(options: ModelOptions) {
  const { declared, scopes, keyOf, history, source, counters, caches, follow, now, next, isClosed } = options;
  const { through, aside } = caches;
  const cache = through ?? aside;
  must(cache !== undefined, "the model has a cache");
  const isSoft = declared.isStale && declared.isSoft;
  /** Reads whose end the counters tell. */
  let reads = 0;
  let misses = 0;
  /** What the counters told last. */
  let shared = 0;
  let loaded = 0;
  /** When a lookup's store last succeeded. */
  const storedAt = new Map<string, number>();
  /** Reads of one scope that have not ended. */
  let waiting = 0;
  const awaited = (read: Promise<unknown>): void => {
    waiting += 1;
    follow(read.finally(() => (waiting -= 1)));
  };

  const scopeAt = (place: number): Scope => scopes[place] as Scope;
  const some = (key: string, answer: unknown, holds: (reading: Reading) => boolean): boolean =>
    history.meant(key, answer).some(holds);

  /** @param since a load that began before was outdated when the read was called */
  const checkError = (error: unknown, isAborted: boolean, since = 0): void => {
    const { code, message, order = since } = error as Partial<Record<"code" | "message", string> & Instant>;
    must(order >= since, "C1: a failure that was outdated");
    if (code === "REPRISE_LOAD_TIMEOUT") return;
    const isExpected =
      message === away ||
      isAborted ||
      (code === "REPRISE_LOAD_ABANDONED" && isClosed()) ||
      (code === "REPRISE_QUEUE_FULL" && declared.queue !== undefined);
    must(isExpected, `a read was rejected with: ${String(error)}`);
  };
  /** @param found when memory was asked */
  const isEntry = (key: string, entry: Entry<unknown>, found: Instant): boolean => {
    const isAge = ({ at }: Instant) => Math.abs(found.at - at - entry.ageMs) <= 2;
    const isRight = (reading: Reading) =>
      reading.confirmed.some(isAge) &&
      (entry.state === "fresh" ? history.isFresh(reading, found, true) : history.isStale(reading, found));
    return some(key, entry.value, isRight);
  };
  const checkEntry = (key: string, entry: Entry<unknown>, call: Instant): void => {
    // memory was asked again after the soft deadline
    const isRight = isEntry(key, entry, call) || (isSoft && isEntry(key, entry, now()));
    must(isRight, `C1, C4, C6: an entry that was found ${entry.state}`);
  };
  /** An answer that may have come from a load, or stale after the soft deadline. */
  const checkWaited = (key: string, answer: unknown, call: Instant): void => {
    const isRight = (reading: Reading) =>
      history.isFresh(reading, call, false) || (isSoft && history.isStale(reading, now()));
    must(some(key, answer, isRight), "C1, C7: the answer of a load");
  };

  const get = (scope: Scope, signal?: AbortSignal): Promise<unknown> => {
    const readOptions: ReadOptions | undefined = signal === undefined ? undefined : { signal };
    return (
      through?.get(scope, readOptions) ?? (aside as typeof aside & {}).get(scope, source.load as never, readOptions)
    );
  };

  const model = {
    declared,
    cache,
    history,
    source,
    scopes,
    get: (place: number, signal?: AbortSignal): void => {
      const scope = scopeAt(place);
      const key = keyOf(scope);
      const call = now();
      const since = history.changedAt(key);
      const isLate = isClosed();
      const { memory, stale } = counters;
      reads += 1;
      const answered = get(scope, signal);
      const from = counters.memory > memory ? "memory" : counters.stale > stale ? "stale" : "load";
      const check = (answer: unknown): void => {
        const isRight = (reading: Reading) =>
          from === "memory" ? history.isFresh(reading, call, true) : history.isStale(reading, call);
        must(from !== "load" || !isLate || isSoft, "no load begins once closed");
        if (from === "load") checkWaited(key, answer, call);
        else must(some(key, answer, isRight), `C1, C4, C6: an answer from memory, ${from}`);
      };
      awaited(answered.then(check, (error: unknown) => checkError(error, signal?.aborted === true, since)));
    },
    /** A read of quiet times, after a load: nothing stale is left. */
    getFresh: (place: number): void => {
      const scope = scopeAt(place);
      const call = now();
      const { memory } = counters;
      reads += 1;
      const answered = get(scope);
      const isOfMemory = counters.memory > memory;
      const isRight = (reading: Reading) => history.isFresh(reading, call, isOfMemory);
      follow(answered.then((answer) => must(some(keyOf(scope), answer, isRight), "C3: an answer of quiet times")));
    },
    getEntry: (place: number): void => {
      if (through === undefined) {
        model.get(place);
        return;
      }
      const scope = scopeAt(place);
      const call = now();
      reads += 1;
      const check = (entry: Entry<unknown>): void => {
        if (entry.origin === "memory") checkEntry(keyOf(scope), entry, call);
        else checkWaited(keyOf(scope), entry.value, call);
      };
      awaited(through.getEntry(scope).then(check, (error: unknown) => checkError(error, false)));
    },
    getMany: (places: readonly number[], isSettled: boolean): void => {
      if (through === undefined) {
        for (const place of places) model.get(place);
        return;
      }
      const asked = places.map(scopeAt);
      const call = now();
      reads += asked.length;
      const check = (scope: Scope, answer: unknown) => {
        const isRight = (reading: Reading) =>
          history.isFresh(reading, call, false) ||
          history.isStale(reading, call) ||
          (isSoft && history.isStale(reading, now()));
        must(some(keyOf(scope), answer, isRight), "C1: an answer of many");
      };
      if (isSettled) {
        const settled = through.getManySettled(asked).then((all) => {
          for (const [turn, one] of all.entries()) {
            if (one.status === "ok") check(asked[turn] as Scope, one.value);
            else checkError(one.error, false);
          }
        });
        follow(settled);
        return;
      }
      const all = through.getMany(asked).then(
        (answers) => {
          for (const [turn, answer] of answers.entries()) check(asked[turn] as Scope, answer);
        },
        (error: unknown) => checkError(error, false),
      );
      follow(all);
    },
    peek: (place: number): void => {
      const scope = scopeAt(place);
      const key = keyOf(scope);
      const call = now();
      const announced = source.announced(key);
      const check = (entry: Entry<unknown> | undefined) => {
        if (entry === undefined) return;
        checkEntry(key, entry, call);
        const isPut = ({ origin, confirmed }: Reading) =>
          origin === "put" && confirmed.some(({ order }) => order > (announced ?? 0));
        must(announced === undefined || some(key, entry.value, isPut), "what is loaded under a write is not stored");
      };
      follow(cache.peek(scope).then(check));
    },
    /** The right to store what was read then, if the lookup missed. */
    lookup: (place: number, hold: (store: () => void) => void): void => {
      if (aside === undefined) {
        model.getEntry(place);
        return;
      }
      const scope = scopeAt(place);
      const key = keyOf(scope);
      const call = next();
      reads += 1;
      const reading = history.read(key, false);
      const found = aside.lookup(scope).then((result) => {
        if (result.hit) return checkEntry(key, result, call);
        misses += 1;
        const store = () => {
          reading.confirmed.push(call);
          const { at, order } = next();
          const stored = result.store(reading.isAbsent ? undefined : reading);
          const isFirst = (storedAt.get(key) ?? -1) < call.order;
          const checkStore = (is: boolean): void => {
            must(!is || isFirst, "of two lookups under one permission one stores");
            must(!is || at < call.at + times.hardMs, "no store after the hard deadline");
            if (is) storedAt.set(key, order);
          };
          follow(stored.then(checkStore));
        };
        hold(store);
      });
      follow(found);
    },
    write: (place: number): void => {
      if (caches.writable === undefined) return;
      const scope = scopeAt(place);
      const reading = history.draft(keyOf(scope), "write", false);
      const check = (error: unknown) => {
        const { code, message } = error as { readonly code?: string; readonly message?: string };
        must(
          code === "REPRISE_WRITE_TIMEOUT" || code === "REPRISE_CLOSED" || message === away,
          `a write was rejected with: ${String(error)}`,
        );
      };
      follow(caches.writable.write(scope, reading).catch(check));
    },
    /** C5, at every step: loaders that have not returned are running, also past their deadline. */
    checkLoads: (): void => {
      const all = new Map<string, { running: number; current: number }>();
      for (const { key, order } of source.loads) {
        const ofKey = all.get(key) ?? { running: 0, current: 0 };
        all.set(key, ofKey);
        ofKey.running += 1;
        if (order >= history.detachedAt(key)) ofKey.current += 1;
        must(ofKey.running <= 2, "C5: loads of a key at once");
        must(ofKey.current <= 1, "C5: loads of a key that nothing outdated");
      }
      must(counters.shared >= shared && counters.source >= loaded, "what was counted stays counted");
      shared = counters.shared;
      loaded = counters.source;
    },
    /** When all has settled that waits for no loader. */
    checkQueue: (): void => must(waiting <= (declared.queue ?? waiting), "reads wait within the queue's bound"),
    checkCounters: (): void => {
      const { memory, stale, shared, source: sources, failed } = counters;
      const ended = memory + stale + shared + sources + failed;
      must(ended === reads, `the counters tell of ${ended} reads, and ${reads} ended`);
      const loads = source.begun() + misses;
      must(counters.loads === loads, `the counters tell of ${counters.loads} loads, and ${loads} began`);
    },
  };
  return model;
}
