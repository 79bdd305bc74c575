import type { Atom, Callable } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { MaybePromise } from "../base/promise.ts";

declare const neverCached: unique symbol;
/** A value that no cache may hold: `type CardNumber = NeverCached<string>`. */
export type NeverCached<T> = T & { readonly [neverCached]: true };

/** `V`, with a sentence in the place of each part that no cache may hold. */
type CacheableParts<V> = V extends { readonly [neverCached]: true }
  ? "declared NeverCached"
  : V extends Atom | Callable
    ? V
    : V extends ReadonlyMap<infer K, infer U>
      ? ReadonlyMap<CacheableParts<K>, CacheableParts<U>>
      : V extends ReadonlySet<infer U>
        ? ReadonlySet<CacheableParts<U>>
        : V extends PromiseLike<infer U>
          ? PromiseLike<CacheableParts<U>>
          : V extends object
            ? { readonly [K in keyof V]: CacheableParts<V[K]> }
            : V;
/** `V` where a cache may hold all of it; else a type that no such value has, and that says which part is the reason. */
export type Cacheable<V> = V extends CacheableParts<V> ? V : CacheableParts<V>;

export interface LoadContext {
  /** Aborted at the hard deadline and on close. As long as the loader does not heed it, no other load of its key begins. */
  readonly signal: AbortSignal;
  /** Of the value that is being refreshed, for a conditional request; answer `notModified()` where it still holds. */
  readonly etag: string | undefined;
}

/** What a source says of a value. */
export interface About {
  /** Handed to the load that refreshes the value. */
  readonly etag?: string | undefined;
  /** In the place of the declared one: the source may shorten or extend this value's life. */
  readonly freshFor?: Duration | undefined;
  /** What `expireTag` and `purgeTag` know the value by. */
  readonly tags?: readonly string[] | undefined;
}

/** A value with what its source says of it. Made by `loaded`. */
export interface Loaded<out V> {
  readonly "~loaded": V;
  readonly about: About;
}
/** Made by `notModified`. */
export interface NotModified {
  readonly "~notModified": true;
}

/**
 * A loaded value, and what its source says of it.
 *
 * @example
 * load: async ({ id }) => {
 *   const response = await fetch(`${catalogue}/products/${id}`);
 *   return loaded(await response.json(), { etag: response.headers.get("etag") ?? undefined, tags: [`brand:${brand}`] });
 * }
 */
export function loaded<V>(value: V, about: About): Loaded<V> {
  return { "~loaded": value, about };
}

/**
 * The value that `etag` named still holds: its life begins anew, with its tags. A load that was given no `etag` must not
 * answer so: it is rejected with `REPRISE_NOTHING_TO_KEEP`.
 */
export function notModified(): NotModified {
  return unmodified;
}
const unmodified: NotModified = { "~notModified": true };

/** Loaded from the journal of a cache that writes behind, in the place of the source. */
export interface PendingWrite {
  readonly "~pending": unknown;
}
export function isPendingWrite(result: unknown): result is PendingWrite {
  return typeof result === "object" && result !== null && "~pending" in result;
}

export function isLoaded(result: unknown): result is Loaded<unknown> {
  return typeof result === "object" && result !== null && "~loaded" in result;
}
export function isNotModified(result: unknown): result is NotModified {
  return result === unmodified;
}

/**
 * Reads the source. It runs in no caller's async context: whoever missed first must not be seen by a load that others
 * share. Hand on explicitly what it needs, by its scope. A returned `undefined` means that there is no such thing; it is
 * kept for `absentFor`.
 */
export type Loader<P, V> = (
  scope: P,
  context: LoadContext,
) => MaybePromise<Cacheable<V> | Loaded<Cacheable<V>> | NotModified>;
