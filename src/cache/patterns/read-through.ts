import { untilAborted } from "../../base/promise.ts";
import { type Batch, createBatch } from "../batch.ts";
import type { CacheCore } from "../core.ts";
import type { LoadMany } from "../declaration.ts";
import type { Load } from "../flights.ts";
import type { Scope } from "../key.ts";
import type { Source } from "../sources.ts";
import type { Cache, ReadOptions, Settled } from "../surface.ts";
import { changesOf } from "./changes.ts";

export interface ReadThroughOptions {
  readonly load: Load;
  readonly loadMany: LoadMany | undefined;
  readonly source: Source | undefined;
  readonly clone: boolean;
  /** Calls a bulk loader in no caller's async context. */
  readonly around: (call: () => Promise<readonly unknown[]>) => Promise<readonly unknown[]>;
  /** Calls the loader in the caller's async context, and stores nothing: for a test that looks for a forgotten dimension. */
  readonly loadAlone: (scope: Scope) => Promise<unknown>;
}

export function createReadThrough(core: CacheCore, options: ReadThroughOptions): Cache<Scope, unknown> {
  const { load, loadMany, source, clone, around } = options;
  const copy = (value: unknown) => (clone ? structuredClone(value) : value);
  // where nobody asked for copies a hit passes through no further function
  const get = clone
    ? async (scope: Scope, readOptions?: ReadOptions) => copy(await core.get(scope, load, readOptions))
    : (scope: Scope, readOptions?: ReadOptions) => core.get(scope, load, readOptions);
  const { name: cache } = core;

  const readAll = (scopes: readonly Scope[]): readonly Promise<unknown>[] => {
    const batch: Batch | undefined =
      loadMany === undefined ? undefined : createBatch({ cache, loadMany, alone: load, source, around });
    const reads = scopes.map((scope) => core.get(scope, batch?.load ?? load, undefined));
    batch?.send();
    return clone ? reads.map(async (read) => copy(await read)) : reads;
  };

  return {
    ...changesOf(core, clone),
    get,
    getEntry: async (scope, readOptions) => {
      const entry = await core.getEntry(scope, load, readOptions);
      return clone ? { ...entry, value: copy(entry.value) } : entry;
    },
    // the signal ends the waiting for all at once
    getMany: async (scopes, readOptions) => {
      readOptions?.signal?.throwIfAborted();
      return untilAborted(Promise.all(readAll(scopes)), readOptions?.signal);
    },
    getManySettled: async (scopes, readOptions) => {
      readOptions?.signal?.throwIfAborted();
      const settled = await untilAborted(Promise.allSettled(readAll(scopes)), readOptions?.signal);
      return settled.map(
        (one): Settled<unknown> =>
          one.status === "fulfilled"
            ? { status: "ok", value: one.value }
            : { status: "failed", error: errorOf(one.reason) },
      );
    },
    "~load": options.loadAlone,
  };
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("The load rejected with no Error.", { cause: reason });
}
