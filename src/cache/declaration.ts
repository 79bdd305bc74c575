import type { Config, Decision, Owned } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { Scalar } from "../base/scalar.ts";
import type { Schema } from "../base/schema.ts";
import type { Change } from "./change.ts";
import type { Cacheable, LoadContext, Loaded, Loader } from "./loader.ts";
import type { AsideCache, Cache, WritableCache, WriteBehindCache } from "./surface.ts";

/**
 * What a cache declares, and what the compiler refuses of it. Where a declaration breaks a rule, the rule stands as a
 * sentence in the place of the property's type, so that the sentence is what the compiler prints.
 */

export type Names = readonly string[];

/** The scope lists what `load` takes: no less, no more. */
type ScopeCheck<S extends Names, P> = string extends S[number]
  ? "scope lists the names themselves: a string[] says nothing"
  : [Exclude<keyof P & string, S[number]>] extends [never]
    ? [Exclude<S[number], keyof P>] extends [never]
      ? S
      : `'${Exclude<S[number], keyof P & string>}' is in scope, but load does not take it`
    : `'${Exclude<keyof P & string, S[number]>}' is a parameter of load and must be in scope`;

/** Every dimension of the application is in the scope, or said not to matter. A scope of unknown names has its own sentence. */
type SameCheck<D extends string, S extends Names, F extends Names> = string extends S[number]
  ? F
  : [Exclude<D, S[number] | F[number]>] extends [never]
    ? [F[number] & S[number]] extends [never]
      ? F
      : `'${F[number] & S[number]}' is in scope, so the answer is not the same for every ${F[number] & S[number]}`
    : `'${Exclude<D, S[number] | F[number]>}' is neither in scope nor in sameForEvery: can two answers differ by it?`;

type HoldsCheck<H extends string, S extends Names, Person extends string> = H extends "public"
  ? H
  : H extends "personal"
    ? [Person] extends [never]
      ? "personal data needs a personal dimension: declare one in createReprise"
      : [S[number] & Person] extends [never]
        ? `personal data needs a personal dimension in scope: '${Person}'`
        : H
    : `'${H}' data is never cached: read it from the source`;

/** Completion offers the two that are allowed; anything else is answered with the reason. */
export type Holds = "public" | "personal" | (string & {});

export type ScopeOf<S extends Names> = { readonly [K in S[number]]: string };
export type Scalars<P> = { readonly [K in keyof P]: Scalar | undefined };

/**
 * Apart from what else a cache declares: the compiler infers nothing from a part of the declaration in which a property
 * is missing, and would then complain of the scope instead.
 */
export interface Scoped<S extends Names, P> {
  /** All the loader's parameters: every dimension that makes the answer unique. Strings, unless the loader says otherwise. */
  readonly scope: ScopeCheck<S, P>;
}

/** What every pattern declares. */
export interface Cached<P> {
  /** Unique among the caches of an instance. */
  readonly name: string;
  /** How long a value is served without asking the source, counted from the start of its load; up to a tenth shorter. */
  readonly freshFor: Duration;
  /** Served while one refresh runs and while the source fails. Added to `freshFor`, never instead of it. */
  readonly staleFor?: Duration | undefined;
  /** How long it is kept that there is no such thing (`load` returned `undefined`). Default: as any value. */
  readonly absentFor?: Duration | undefined;
  /**
   * `soft`: a read of a stale value waits so long for the new one and is served stale after it; the load goes on. Without
   * it a stale value is served at once. `hard`: a load is aborted after so long; its readers are rejected with
   * `REPRISE_LOAD_TIMEOUT`. As long as a loader does not heed its signal, no other load of its key begins.
   */
  readonly deadline?: { readonly soft?: Duration | undefined; readonly hard?: Duration | undefined } | undefined;
  /**
   * How many reads may wait for loads at once. One more is rejected with `REPRISE_QUEUE_FULL`, or with `then: "stale"`
   * served stale at once where there is a value to serve. With `then: "reject"` it is rejected although a stale value is
   * at hand, if it would wait for that value's load (`deadline.soft`).
   */
  readonly queue?: { readonly most: number; readonly then: "stale" | "reject" } | undefined;
  /** What loads read from: one of `createReprise({ sources })`. All caches that name it share its cap on loads at once. */
  readonly source?: string | undefined;
  /**
   * How eagerly a value is refreshed ahead of its expiry, so that nobody waits for it: XFetch's beta, default 1. The more a
   * value is read and the longer its loads take, the earlier. `"never"`: only once it has expired.
   */
  readonly early?: number | "never" | undefined;
  /** `"high"`: when memory is full, entries of this cache leave after those of all others. */
  readonly protect?: "high" | undefined;
  /**
   * Each read gets a copy of its own (`structuredClone`), which it may change. A value that cannot be copied is refused
   * with `REPRISE_NOT_CLONEABLE`. Without it all share one value, which nobody may change: outside production its plain
   * objects, arrays, maps, sets and dates throw a TypeError where somebody tries; typed arrays, buffers and instances of
   * classes cannot be held so and are changed for all.
   */
  readonly clone?: boolean | undefined;
  /**
   * How much shorter than `freshFor` a life may be, 0 to 1 (default 0.1), drawn for each entry: keys that were stored
   * together do not expire together.
   */
  readonly jitter?: number | undefined;
  /** What changes this cache's data. A thunk, so that modules may import each other; read at start. */
  readonly changedBy?: (() => readonly Change<keyof NoInfer<P> & string, Partial<NoInfer<P>>>[]) | undefined;
}

export interface RefreshPlan {
  /** How many keys. One that nobody read since its last load falls out until it is read again. */
  readonly hottest: number;
  /** Shorter than the shortest life: `freshFor` less its jitter. */
  readonly every: Duration;
}

interface Loads<P, V> {
  /** Stands first among the functions: those that follow are typed by it. */
  readonly load: Loader<P, V>;
  /**
   * One call for all that `getMany` misses: a value, `undefined` (there is none) or an Error for each scope, in order. An
   * Error rejects its scope alone. Its signal aborts when the last of its loads is given up. It is for several
   * scopes at once, so it must read no ambient dimension, not even one of them.
   */
  readonly loadMany?:
    | ((
        scopes: readonly NoInfer<P>[],
        context: Pick<LoadContext, "signal">,
      ) => Promise<readonly (NoInfer<V> | Loaded<NoInfer<V>> | Error | undefined)[]>)
    | undefined;
  /** Keeps the `hottest` most read keys fresh in the background, each once in `every`, evenly spread. */
  readonly refresh?: RefreshPlan | undefined;
}

interface Holding<V> {
  /**
   * The type of the values, and no more: the schema is run neither when a value is stored nor when it is read. Check
   * what you load before you store it, with the same schema if you like; `unchecked<T>()` needs none.
   */
  readonly value: Schema<unknown, Cacheable<V>>;
}

interface WritesThrough<P, V> {
  /** Writes the source. Heed the signal: it aborts at the hard deadline. */
  readonly write: (scope: NoInfer<P>, value: NoInfer<V>, context: Pick<LoadContext, "signal">) => Promise<void>;
}

interface WritesBehind<C extends Config, P, V> {
  /**
   * Writes the source: for each scope its newest value, one of each scope at most. A crash may send a write again, never
   * an older one after a newer one: an upsert needs nothing else, anything else compares `version`, which rises with
   * each write of a scope.
   */
  readonly writeMany: (
    writes: readonly { readonly scope: NoInfer<P>; readonly value: NoInfer<V>; readonly version: number }[],
    context: Pick<LoadContext, "signal">,
  ) => Promise<void>;
  /**
   * `"never"`: a write is acknowledged once it is on the disk, in a journal beside the ledger. `{ accept: "5s" }`: it is
   * acknowledged at once, and a crash loses what was written in the last so many seconds, or more where the source is away.
   */
  readonly ifLost:
    | { readonly accept: Duration }
    | (C["ledger"] extends true ? "never" : "a journal needs a ledger: give createReprise one");
}

type Answered<C extends Config, S extends Names, F extends Names, H extends string> = Owned<C> &
  Decision<C, { readonly holds: HoldsCheck<H, S, C["personal"]>; readonly ifStale: string }> &
  ([C["dimension"]] extends [never] ? unknown : { readonly sameForEvery: SameCheck<C["dimension"], S, F> });

export interface CacheVerbs<C extends Config> {
  /**
   * The cache loads on a miss. Application code stays clean; a fresh deployment starts empty.
   *
   * @example
   * const product = reprise.cache.readThrough({
   *   name: "product", scope: ["id"], freshFor: "60s",
   *   load: ({ id }) => db.product(id),
   * });
   * await product.get({ id: "p1" });
   */
  readonly readThrough: <
    const S extends Names,
    const F extends readonly C["dimension"][],
    const H extends Holds,
    V,
    P extends Scalars<P> = ScopeOf<S>,
  >(
    declaration: Scoped<S, P> & Cached<P> & Loads<P, V> & Answered<C, S, F, H>,
  ) => Cache<P, V>;
  /**
   * The application loads and stores. Flexible; each change of the data is yours to tell. What `lookup` hands out stores
   * only if nothing changed since. A load inside a transaction that is still open must not be stored: its rollback would
   * leave a value that never was.
   *
   * @example
   * const search = reprise.cache.cacheAside({ name: "search", scope: ["words"], freshFor: "5m", value: unchecked<readonly Hit[]>() });
   * const found = await search.lookup({ words: "pottery" });
   * if (!found.hit) await found.store(await index.find("pottery"));
   */
  readonly cacheAside: <
    const S extends Names,
    const F extends readonly C["dimension"][],
    const H extends Holds,
    V,
    P extends Scalars<P> = ScopeOf<S>,
  >(
    declaration: Scoped<S, P> & Cached<P> & Holding<V> & Answered<C, S, F, H>,
  ) => AsideCache<P, V>;
  /**
   * A write goes to the source, then to the cache. In step: whoever reads after a write has its value or a newer one. A
   * write waits for the source and fails with it. Loads under a write are not stored, and of two writes of a scope at
   * once neither is: which one the source kept, the next load finds out.
   *
   * @example
   * const profile = reprise.cache.writeThrough({
   *   name: "profile", scope: ["user"], freshFor: "5m",
   *   load: ({ user }) => db.profile(user),
   *   write: ({ user }, profile, { signal }) => db.saveProfile(user, profile, signal),
   * });
   * await profile.write({ user: "u1" }, { name: "Ada" });
   */
  readonly writeThrough: <
    const S extends Names,
    const F extends readonly C["dimension"][],
    const H extends Holds,
    V,
    P extends Scalars<P> = ScopeOf<S>,
  >(
    declaration: Scoped<S, P> & Cached<P> & Loads<P, V> & WritesThrough<P, V> & Answered<C, S, F, H>,
  ) => WritableCache<P, V>;
  /**
   * A write is acknowledged when it is journalled and reaches the source later, in order for each scope, the newest value
   * only, many at once. Fast, and the source may be away; whoever reads the source itself reads late. Readers of the
   * cache see a write at once, also after a crash.
   *
   * @example
   * const counter = reprise.cache.writeBehind({
   *   name: "views", scope: ["page"], freshFor: "5m", ifLost: "never",
   *   load: ({ page }) => db.views(page),
   *   writeMany: (writes) => db.upsertViews(writes),
   * });
   * await counter.write({ page: "home" }, 1_204);
   */
  readonly writeBehind: <
    const S extends Names,
    const F extends readonly C["dimension"][],
    const H extends Holds,
    V,
    P extends Scalars<P> = ScopeOf<S>,
  >(
    declaration: Scoped<S, P> & Cached<P> & Loads<P, V> & WritesBehind<C, P, V> & Answered<C, S, F, H>,
  ) => WriteBehindCache<P, V>;
}

/** A declaration as `createReprise` received it, its types checked by the compiler, its rest by `start`. */
export interface CacheDeclaration extends Omit<Cached<unknown>, "changedBy"> {
  readonly pattern: "read-through" | "cache-aside" | "write-through" | "write-behind";
  readonly scope: readonly string[];
  readonly sameForEvery?: readonly string[] | undefined;
  readonly owner?: string | undefined;
  readonly holds?: string | undefined;
  readonly ifStale?: string | undefined;
  readonly refresh?: RefreshPlan | undefined;
  readonly changedBy?: (() => readonly Change<string>[]) | undefined;
  readonly load?: Loader<never, unknown> | undefined;
  readonly loadMany?: LoadMany | undefined;
  readonly write?:
    | ((scope: never, value: never, context: { readonly signal: AbortSignal }) => Promise<void>)
    | undefined;
  readonly writeMany?:
    | ((writes: readonly never[], context: { readonly signal: AbortSignal }) => Promise<void>)
    | undefined;
  readonly ifLost?: "never" | { readonly accept: Duration } | undefined;
  readonly value?: Schema | undefined;
}

/** A bulk loader, its types erased. */
export type LoadMany = (
  scopes: readonly never[],
  context: { readonly signal: AbortSignal },
) => Promise<readonly unknown[]>;
