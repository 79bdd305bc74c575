import type { Scope } from "../../src/cache/key.ts";
import { loaded, notModified } from "../../src/cache/loader.ts";
import type { History, Instant, Reading } from "./cache-history.ts";

/** A loader that has not returned. What it read, it read when it was called. */
export interface Load extends Instant {
  readonly key: string;
  /** The call of a loader that it is, alone or with others. */
  readonly call: object;
  readonly answer: () => void;
  /** Of a load in a batch: those that the mask names fail alone, the others are answered; of none: all fail at once. */
  readonly fail: (mask: number) => void;
}

/** A writer that has not returned. */
export interface Write {
  readonly key: string;
  /** The source has it. */
  readonly land: () => void;
  readonly arrive: () => void;
  readonly refuse: () => void;
}

export interface SourceOptions {
  readonly history: History;
  readonly next: () => Instant;
  readonly keyOf: (scope: Scope) => string;
  readonly tells: boolean;
  readonly heeds: boolean;
  /** Called with every load that begins. */
  readonly check: () => void;
}

type Context = { readonly signal: AbortSignal; readonly etag?: string | undefined };

/** What a load that began then is rejected with. */
export const failure = ({ order }: Instant) => Object.assign(new Error(away), { order });
export const away = "the source is away";

/** The source of one cache, as loaders and writers see it: they return when a step says so, or never. */
export function createHeldSource({ history, next, keyOf, tells, heeds, check }: SourceOptions) {
  const loads = new Set<Load>();
  const writes = new Set<Write>();
  const written = new Map<string, { count: number; announced: number }>();
  let begun = 0;

  const read = (scope: Scope, etag: string | undefined): { readonly began: Instant; readonly tell: () => unknown } => {
    const began = next();
    const key = keyOf(scope);
    const reading = history.read(key, tells);
    begun += 1;
    const tell = () => {
      if (etag === etagOf(reading)) {
        history.confirm(key, reading.version, began);
        return notModified();
      }
      reading.confirmed.push(began);
      return result(reading, tells);
    };
    return { began, tell };
  };

  const begin = (load: Load): void => {
    loads.add(load);
    check();
  };

  const load = (scope: Scope, { signal, etag }: Context): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const { began, tell } = read(scope, etag);
      const one: Load = {
        ...began,
        key: keyOf(scope),
        call: tell,
        answer: () => {
          loads.delete(one);
          resolve(tell());
        },
        fail: () => {
          loads.delete(one);
          reject(failure(began));
        },
      };
      if (heeds) {
        const aborted = () => {
          loads.delete(one);
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", aborted, { once: true });
      }
      begin(one);
    });

  const loadMany = (scopes: readonly Scope[], { signal }: Context): Promise<readonly unknown[]> =>
    new Promise((resolve, reject) => {
      const all = scopes.map((scope) => ({ key: keyOf(scope), ...read(scope, undefined) }));
      const leave = () => {
        for (const one of batch) loads.delete(one);
      };
      const answer = (mask: number) => {
        leave();
        resolve(all.map(({ began, tell }, place) => ((mask >> place) & 1 ? failure(began) : tell())));
      };
      const fail = (mask: number) => {
        if (mask > 0) return answer(mask);
        leave();
        reject(failure((all[0] as (typeof all)[number]).began));
      };
      const batch = all.map(({ key, began }): Load => ({ ...began, key, call: all, answer: () => answer(0), fail }));
      if (heeds) {
        const aborted = () => {
          leave();
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", aborted, { once: true });
      }
      for (const one of batch) begin(one);
    });

  const write = (scope: Scope, reading: Reading, { signal }: Context): Promise<void> =>
    new Promise((resolve, reject) => {
      const key = keyOf(scope);
      const mark = written.get(key) ?? { count: 0, announced: 0 };
      written.set(key, mark);
      mark.count += 1;
      mark.announced = history.announce(key).order;
      let landed: Instant & { readonly version: number } = { order: 0, at: 0, version: 0 };
      const end = (by?: Reading): Instant => {
        writes.delete(one);
        mark.count -= 1;
        if (mark.count === 0) written.delete(key);
        return history.change("purge", [key], landed.version, by);
      };
      const one: Write = {
        key,
        land: () => {
          if (landed.version > 0) return;
          landed = { ...next(), version: history.modify(key) };
          reading.version = landed.version;
        },
        arrive: () => {
          one.land();
          // what was changed since it landed is newer; its life in memory begins now
          reading.confirmed.push({ ...end(reading), order: landed.order });
          resolve();
        },
        refuse: () => {
          end();
          reject(new Error(away));
        },
      };
      const aborted = () => {
        if (writes.has(one)) one.refuse();
      };
      if (heeds) signal.addEventListener("abort", aborted, { once: true });
      writes.add(one);
    });

  return {
    load,
    loadMany,
    write,
    loads,
    writes,
    /** Loaders called so far, each scope of a batch. */
    begun: () => begun,
    /** When the last of the writes under way was announced; `undefined`: there is none. */
    announced: (key: string): number | undefined => written.get(key)?.announced,
  };
}
export type HeldSource = ReturnType<typeof createHeldSource>;

const etagOf = ({ version }: Reading): string => `version ${version}`;

/** As a loader answers, or as it is put. */
export function result(reading: Reading, isTold: boolean): unknown {
  const value = reading.isAbsent ? undefined : reading;
  if (!isTold) return value;
  const freshFor = reading.isOwnLife ? (`${reading.freshMs}ms` as const) : undefined;
  return loaded(value, { etag: etagOf(reading), tags: reading.tags, freshFor });
}
