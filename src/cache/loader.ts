import type { Atom, Callable } from "../base/config.ts";
import type { MaybePromise } from "../base/promise.ts";

declare const neverCached: unique symbol;
/** A value that no cache may hold: `type CardNumber = NeverCached<string>`. */
export type NeverCached<T> = T & { readonly [neverCached]: true };

/** `V`, with a sentence in the place of each part that no cache may hold. */
type CacheableParts<V> = V extends { readonly [neverCached]: true }
  ? "declared NeverCached"
  : V extends Atom | Callable
    ? V
    : V extends object
      ? { readonly [K in keyof V]: CacheableParts<V[K]> }
      : V;
export type Cacheable<V> = V extends CacheableParts<V> ? V : CacheableParts<V>;

export interface LoadContext {
  /** Aborted at the hard deadline and on close. */
  readonly signal: AbortSignal;
}

/**
 * Reads the source. It runs in no caller's async context: whoever missed first must not be seen by a load that others
 * share. Hand on explicitly what it needs, by its scope.
 */
export type Loader<P, V> = (scope: P, context: LoadContext) => MaybePromise<Cacheable<V>>;
