import { createReprise, loaded } from "reprise";
import { bound, type Library } from "./subject.ts";

export const reprise: Library = {
  name: "reprise",
  features: ["delete", "set", "tags", "stale", "stale-time", "timeout", "events", "own-memory"],
  open: ({ load, freshMs, staleMs, tags, hardMs, mutates = false, listen, unbounded }) => {
    const instance = createReprise({
      service: "bench",
      undecided: "listed",
      memory: unbounded === true ? undefined : { maxEntries: bound, eviction: "lfu" },
    });
    if (listen !== undefined) for (const name of events) instance.on(name, (told) => listen(name, told));
    const cache = instance.cache.readThrough({
      name: "value",
      scope: ["id"],
      freshFor: `${freshMs}ms`,
      staleFor: staleMs === undefined ? undefined : `${staleMs}ms`,
      deadline: hardMs === undefined ? undefined : { hard: `${hardMs}ms` },
      clone: mutates,
      load: async ({ id }) => (tags === undefined ? load(id) : loaded(await load(id), { tags })),
    });
    return {
      get: (id) => cache.get({ id }),
      purge: (id) => cache.purge({ id }),
      put: (id, value) => cache.put({ id }, value),
      purgeTag: (tag) => cache.purgeTag(tag),
    };
  },
};

const events = ["cache.load", "cache.refresh", "cache.change", "cache.evict", "cache.secret", "cache.crowded"] as const;
