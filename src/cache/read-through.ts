import { untilAborted } from "../base/promise.ts";
import type { CacheCore } from "./core.ts";
import type { Load } from "./flights.ts";
import type { Scope } from "./key.ts";
import type { Cache, ReadOptions, Settled } from "./surface.ts";

export function createReadThrough(core: CacheCore, load: Load): Cache<Scope, unknown> {
  const get = (scope: Scope, options?: ReadOptions) => core.get(scope, load, options);
  return {
    name: core.name,
    get,
    getEntry: (scope, options) => core.getEntry(scope, load, options),
    // the signal ends the waiting for all at once: a listener for each key would be one leak warning too many
    getMany: async (scopes, options) => {
      options?.signal?.throwIfAborted();
      return untilAborted(Promise.all(scopes.map((scope) => get(scope))), options?.signal);
    },
    getManySettled: async (scopes, options) => {
      options?.signal?.throwIfAborted();
      const reads = Promise.allSettled(scopes.map((scope) => get(scope)));
      const settled = await untilAborted(reads, options?.signal);
      return settled.map(
        (one): Settled<unknown> =>
          one.status === "fulfilled"
            ? { status: "ok", value: one.value }
            : { status: "failed", error: errorOf(one.reason) },
      );
    },
    peek: core.peek,
    put: core.put,
    expire: (scope) => core.change("expire", scope),
    purge: (scope) => core.change("purge", scope),
  };
}

function errorOf(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error("The load rejected with no Error.", { cause: reason });
}
