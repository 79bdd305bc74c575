import type { CacheCore } from "../core.ts";
import type { Scope } from "../key.ts";
import type { Changes } from "../surface.ts";

/** What every pattern offers beside its reads. */
export function changesOf(core: CacheCore, clone: boolean): Changes<Scope, unknown> {
  return {
    name: core.name,
    peek: async (scope) => {
      const entry = await core.peek(scope);
      return entry === undefined || !clone ? entry : { ...entry, value: structuredClone(entry.value) };
    },
    put: core.put,
    expire: (scope) => core.change("expire", scope),
    purge: (scope) => core.change("purge", scope),
    expireTag: (tag) => core.changeTag("expire", tag),
    purgeTag: (tag) => core.changeTag("purge", tag),
    explain: core.explain,
  };
}
