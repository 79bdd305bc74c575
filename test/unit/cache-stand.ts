import { type CachesOptions, createCaches } from "../../src/cache/caches.ts";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
import type { Scope } from "../../src/cache/key.ts";
import { manualClock } from "../../src/testing/clock.ts";

/** One load as a test holds it: it read the source when it began and answers when the test says so. */
export interface HeldLoad {
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly read: string;
  /** Answers with what was read. */
  readonly answer: () => void;
  readonly fail: (error: unknown) => void;
}

export type Declaration = Partial<Omit<CacheDeclaration, "pattern">>;

/** Caches on a clock that stands still, over a source whose loads the test holds. Jitter draws nothing. */
export function cacheStand(options: Partial<CachesOptions> = {}) {
  const clock = manualClock();
  const caches = createCaches({ clock: () => clock, maxEntries: 100, random: () => 0, ...options });
  const source = new Map<unknown, string>();
  const loads: HeldLoad[] = [];

  const load = (scope: Scope, { signal }: { readonly signal: AbortSignal }): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const read = source.get(scope["id"]) ?? "first";
      loads.push({ scope, signal, read, answer: () => resolve(read), fail: reject });
    });

  /** The load that was begun as the n-th, from 0. */
  const held = (place: number): HeldLoad => {
    const one = loads[place];
    if (one === undefined) throw new Error(`load ${place} was not begun`);
    return one;
  };

  const declared = (declaration: Declaration): Omit<CacheDeclaration, "pattern"> => ({
    name: "workshop",
    scope: ["id"],
    freshFor: "60s",
    ...declaration,
  });

  return {
    clock,
    caches,
    source,
    loads,
    load,
    held,
    readThrough: (declaration: Declaration = {}) => caches.readThrough({ ...declared(declaration), load }),
    cacheAside: (declaration: Declaration = {}) => caches.cacheAside(declared(declaration)),
    counters: () => {
      const [first] = caches.list();
      if (first === undefined) throw new Error("no cache was declared");
      return first.counters;
    },
  };
}

/** Lets everything settle that waits for nothing from outside. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
