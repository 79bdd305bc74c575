import type { CacheCore } from "./core.ts";
import type { Load } from "./flights.ts";
import type { Scope } from "./key.ts";
import type { AsideCache } from "./surface.ts";

export function createCacheAside(core: CacheCore): AsideCache<Scope, unknown> {
  return {
    name: core.name,
    get: (scope, load, options) => core.get(scope, load as Load, options),
    lookup: async (scope) => {
      const found = core.lookup(scope);
      if (!("store" in found)) return { hit: true, ...found };
      return { hit: false, store: async (value) => found.store(value) };
    },
    peek: core.peek,
    put: core.put,
    expire: (scope) => core.change("expire", scope),
    purge: (scope) => core.change("purge", scope),
  };
}
