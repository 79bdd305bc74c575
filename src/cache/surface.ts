import type { Explanation } from "./explain.ts";
import type { Loaded, Loader } from "./loader.ts";

/** What a cache offers to its users. Functions are properties, so that their variance is checked. */

export interface ReadOptions {
  /** Ends this caller's waiting; a load that others share goes on. */
  readonly signal?: AbortSignal | undefined;
}

export interface Entry<out V> {
  readonly value: V;
  readonly origin: "memory" | "source";
  readonly state: "fresh" | "stale";
  /** Since its load began. */
  readonly ageMs: number;
}

export type Settled<V> =
  | { readonly status: "ok"; readonly value: V }
  | { readonly status: "failed"; readonly error: Error };

/**
 * What most code needs of a cache, and all that a test has to fake.
 *
 * @example
 * const fake: Reader<{ workshop: string }, Seats> = { get: async () => ({ left: 3 }), getMany: async (s) => s.map(() => ({ left: 3 })) };
 */
export interface Reader<in P, out V> {
  /**
   * The value: from memory while fresh; while stale from memory with one refresh behind it; else by one load that all
   * callers of the key share. A caller never gets a value that was loaded before an invalidation which was acknowledged
   * before its call. Every caller gets the same object: do not change it.
   *
   * Rejects with the load's own error, with `REPRISE_LOAD_TIMEOUT` or `REPRISE_LOAD_ABANDONED`. A failure is shared by
   * all who wait, and by all who come in the second after it.
   */
  readonly get: (scope: P, options?: ReadOptions) => Promise<V>;
  /** In the order asked for; rejects with the first failure. */
  readonly getMany: (scopes: readonly P[], options?: ReadOptions) => Promise<readonly V[]>;
}

export interface Changes<P, V> {
  readonly name: string;
  /** What memory holds, fresh or stale, as `get` would serve it. Never loads. `undefined`: nothing to serve. */
  readonly peek: (scope: P) => Promise<Entry<V> | undefined>;
  /** Stores a value that is newer than every load under way: none of them overwrites it. The last put wins. */
  readonly put: (scope: P, value: V | Loaded<V>) => Promise<void>;
  /** The value may be served stale while it is refreshed. When this resolves, no load begun before is ever stored. */
  readonly expire: (scope: P) => Promise<void>;
  /** The value is never served again, not even while the source fails. When this resolves, no load begun before is ever stored. */
  readonly purge: (scope: P) => Promise<void>;
  /** As `expire`, for every value that was loaded with this tag. One record is written, however many there are. */
  readonly expireTag: (tag: string) => Promise<void>;
  /** As `purge`, for every value that was loaded with this tag, also one whose load is under way. */
  readonly purgeTag: (tag: string) => Promise<void>;
  /** What a read of this scope would do now, and why; it does nothing and tells no value. */
  readonly explain: (scope: P) => Promise<Explanation>;
}

export interface Cache<P, V> extends Reader<P, V>, Changes<P, V> {
  /** As `get`, with where the value came from and its age. */
  readonly getEntry: (scope: P, options?: ReadOptions) => Promise<Entry<V>>;
  /** As `getMany`; each failure stands in its place. */
  readonly getManySettled: (scopes: readonly P[], options?: ReadOptions) => Promise<readonly Settled<V>[]>;
  /** For `verifyScope` of `reprise/testing`: loads in the caller's async context and stores nothing. */
  readonly "~load": (scope: P) => Promise<V>;
}

export interface WritableCache<P, V> extends Cache<P, V> {
  /**
   * Writes the source, then the cache. When it resolves, no read gives an older value. Rejects with the source's error, or
   * with `REPRISE_WRITE_TIMEOUT` when nobody knows whether the write arrived; the cache then holds nothing of the scope.
   * `loaded(value, { tags })` says which tags it has; one of which nobody says it changes with every tag.
   */
  readonly write: (scope: P, value: V | Loaded<V>) => Promise<void>;
}

/** A write that its source refused for good. */
export interface DeadWrite<out P> {
  readonly id: string;
  readonly scope: P;
  readonly version: number;
  readonly attempts: number;
  /** When it was given up, milliseconds since the epoch. */
  readonly at: number;
  /** The last error's code or class; never its text. */
  readonly error: string;
}

export interface WriteBehindCache<P, V> extends Cache<P, V> {
  /**
   * Resolves when the write is journalled; it reaches the source later. When it resolves, no read of this process gives an
   * older value, and none of another process once its memory asks again. Rejects with `REPRISE_WRITE_QUEUE_FULL` where
   * the source has been away for too long. `loaded(value, { tags })` says which tags it has, to this process; elsewhere, and
   * where nobody says it, it changes with every tag.
   */
  readonly write: (scope: P, value: V | Loaded<V>, options?: Pick<ReadOptions, "signal">) => Promise<void>;
  /** Resolves when everything acknowledged so far has reached the source, or is dead: as long as the source is away it waits. */
  readonly flush: (options?: Pick<ReadOptions, "signal">) => Promise<void>;
  /** What the source refused for good, oldest first. Loads find the source's older value in its place. */
  readonly dead: () => Promise<readonly DeadWrite<P>[]>;
  /** Sends a dead write once more, unless a newer one of its scope was written since. False: there is none of this id. */
  readonly requeue: (id: string) => Promise<boolean>;
  readonly discard: (id: string) => Promise<boolean>;
}

export interface AsideCache<P, V> extends Changes<P, V> {
  /** As a read-through `get`, with the loader handed over. Callers of one key at one time share the first one's load. */
  readonly get: <const U extends V>(scope: P, load: Loader<P, U>, options?: ReadOptions) => Promise<V>;
  /**
   * What memory holds, or the right to store what the caller then loads. While a value is stale one caller at a time
   * misses, so that it loads; the others find the stale value.
   */
  readonly lookup: (scope: P) => Promise<Found<V> | Miss<V>>;
}

export interface Found<out V> extends Entry<V> {
  readonly hit: true;
}

export interface Miss<in V> {
  readonly hit: false;
  /**
   * Stores under the permission that the miss took out. False, and nothing is stored: the data changed since, another
   * load was stored first, the hard deadline passed, or the permission was forgotten under pressure.
   */
  readonly store: (value: V | Loaded<V>) => Promise<boolean>;
}
