import type { CacheCore } from "../core.ts";
import type { Load } from "../flights.ts";
import type { Scope } from "../key.ts";
import type { AsideCache } from "../surface.ts";
import { changesOf } from "./changes.ts";

export function createCacheAside(core: CacheCore, clone: boolean): AsideCache<Scope, unknown> {
  const copy = (value: unknown) => (clone ? structuredClone(value) : value);
  return {
    ...changesOf(core, clone),
    get: clone
      ? async (scope, load, options) => copy(await core.get(scope, load as Load, options))
      : (scope, load, options) => core.get(scope, load as Load, options),
    lookup: async (scope) => {
      const found = core.lookup(scope);
      if ("store" in found) return { hit: false, store: async (value) => found.store(value) };
      return { hit: true, ...found, value: copy(found.value) };
    },
  };
}
