import { createEvents } from "../../src/base/events.ts";
import { type CachesOptions, createCaches } from "../../src/cache/caches.ts";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
import type { CacheEvents } from "../../src/cache/events.ts";
import type { Scope } from "../../src/cache/key.ts";
import { manualClock } from "../../src/testing/clock.ts";

/** One load as a test holds it: it read the source when it began and answers when the test says so. */
export interface HeldLoad {
  readonly scope: Scope;
  readonly signal: AbortSignal;
  readonly etag: string | undefined;
  readonly read: string;
  /** Answers with what was read. */
  readonly answer: () => void;
  readonly answerWith: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/** One write as a test holds it. */
export interface HeldWrite {
  readonly scope: Scope;
  readonly value: unknown;
  readonly signal: AbortSignal;
  /** The source has the value from now on, and says so. */
  readonly arrive: () => void;
  readonly fail: (error: unknown) => void;
}

export type Declaration = Partial<Omit<CacheDeclaration, "pattern">>;

/** Caches on a clock that stands still, over a source whose loads and writes the test holds. Jitter draws nothing. */
export interface StandOptions extends Partial<Omit<CachesOptions, "bound" | "clock">> {
  readonly maxEntries?: number;
  /** In the place of the bound in entries. */
  readonly maxBytes?: number;
}

export function cacheStand({ maxEntries = 100, maxBytes, ...options }: StandOptions = {}) {
  const clock = manualClock();
  const events = createEvents<CacheEvents>();
  const caches = createCaches({
    tell: events.emit,
    clock: () => clock,
    bound: maxBytes === undefined ? { unit: "entries", most: maxEntries } : { unit: "bytes", most: maxBytes },
    eviction: "lru",
    random: () => 0,
    ...options,
  });
  const source = new Map<unknown, string>();
  const loads: HeldLoad[] = [];
  const writes: HeldWrite[] = [];

  const load = (scope: Scope, context: { readonly signal: AbortSignal; readonly etag?: string | undefined }) =>
    new Promise<unknown>((resolve, reject) => {
      const { signal, etag } = context;
      const read = source.get(scope["id"]) ?? "first";
      loads.push({ scope, signal, etag, read, answer: () => resolve(read), answerWith: resolve, fail: reject });
    });
  const write = (scope: Scope, value: unknown, { signal }: { readonly signal: AbortSignal }): Promise<void> =>
    new Promise((resolve, reject) => {
      const arrive = () => {
        source.set(scope["id"], value as string);
        resolve();
      };
      writes.push({ scope, value, signal, arrive, fail: reject });
    });

  /** The load that was begun as the n-th, from 0. */
  const held = (place: number): HeldLoad => {
    const one = loads[place];
    if (one === undefined) throw new Error(`load ${place} was not begun`);
    return one;
  };
  const written = (place: number): HeldWrite => {
    const one = writes[place];
    if (one === undefined) throw new Error(`write ${place} was not begun`);
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
    events,
    source,
    loads,
    load,
    held,
    writes,
    written,
    readThrough: (declaration: Declaration = {}) => caches.readThrough({ load, ...declared(declaration) }),
    cacheAside: (declaration: Declaration = {}) => caches.cacheAside(declared(declaration)),
    writeThrough: (declaration: Declaration = {}) => caches.writeThrough({ load, write, ...declared(declaration) }),
    counters: (name?: string) => {
      const found = caches.list().find((cache) => name === undefined || cache.name === name);
      if (found === undefined) throw new Error("no such cache was declared");
      return found.counters;
    },
    /** What is told of this name from now on. */
    hear: <N extends keyof CacheEvents>(name: N): readonly CacheEvents[N][] => {
      const heard: CacheEvents[N][] = [];
      events.on(name, (event) => heard.push(event));
      return heard;
    },
  };
}

/** Lets everything settle that waits for nothing from outside. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What has become of it by now. */
export function watch(work: Promise<unknown>): { state: "waits" | "resolved" | "rejected"; result: unknown } {
  const watched: ReturnType<typeof watch> = { state: "waits", result: undefined };
  work.then(
    (value) => Object.assign(watched, { state: "resolved", result: value }),
    (error: unknown) => Object.assign(watched, { state: "rejected", result: error }),
  );
  return watched;
}
