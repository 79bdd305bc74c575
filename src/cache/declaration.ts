import type { Config, Decision, Owned } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { Scalar } from "../base/scalar.ts";
import type { Schema } from "../base/schema.ts";
import type { Change } from "./change.ts";
import type { Loader } from "./loader.ts";
import type { AsideCache, Cache } from "./surface.ts";

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
  /** `hard`: a load is aborted after so long; its callers are rejected with `REPRISE_LOAD_TIMEOUT`. */
  readonly deadline?: { readonly hard?: Duration | undefined } | undefined;
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
  /** Keeps the `hottest` most read keys fresh in the background, each once in `every`, evenly spread. */
  readonly refresh?: RefreshPlan | undefined;
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
    declaration: Scoped<S, P> & Cached<P> & { readonly value: Schema<unknown, V> } & Answered<C, S, F, H>,
  ) => AsideCache<P, V>;
}

/** A declaration as `createReprise` received it, its types checked by the compiler, its rest by `start`. */
export interface CacheDeclaration {
  readonly pattern: "read-through" | "cache-aside";
  readonly name: string;
  readonly scope: readonly string[];
  readonly sameForEvery?: readonly string[] | undefined;
  readonly owner?: string | undefined;
  readonly holds?: string | undefined;
  readonly ifStale?: string | undefined;
  readonly freshFor: Duration;
  readonly staleFor?: Duration | undefined;
  readonly refresh?: RefreshPlan | undefined;
  readonly deadline?: { readonly hard?: Duration | undefined } | undefined;
  readonly jitter?: number | undefined;
  readonly changedBy?: (() => readonly Change<string>[]) | undefined;
  readonly load?: Loader<never, unknown> | undefined;
  readonly value?: Schema | undefined;
}
