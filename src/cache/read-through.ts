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
    getMany: async (scopes, options) => Promise.all(scopes.map((scope) => get(scope, options))),
    getManySettled: async (scopes, options) => {
      const settled = await Promise.allSettled(scopes.map((scope) => get(scope, options)));
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
