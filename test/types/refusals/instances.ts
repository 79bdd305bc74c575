/** What the compiler refuses of an instance; `declared.ts` tells how to read this file. */
import { createReprise } from "../../../src/index.ts";
import { first, reprise } from "./declared.ts";

// ── the memory, the sources, the secrets of an instance ──

createReprise({
  service: "a",
  // refused at `maxBytes`: Type 'string' is not assignable to type
  memory: { maxEntries: 1_000, maxBytes: "64mb", eviction: "lfu" },
});
// refused at `memory`: Property 'eviction' is missing
createReprise({ service: "a", memory: { maxEntries: 1_000 } });
// refused at `memory`: Property 'maxBytes' is missing
createReprise({ service: "a", memory: { eviction: "lfu" } });
// refused at `eviction`: Type '"random"' is not assignable to type 'Eviction'
createReprise({ service: "a", memory: { maxEntries: 1_000, eviction: "random" } });
// refused at `maxBytes`: Type '"64 megabytes"' is not assignable to type
createReprise({ service: "a", memory: { maxBytes: "64 megabytes", eviction: "lru" } });
// refused at `secrets`: Type '"log"' is not assignable to type '"refuse" | "warn" | "off"
createReprise({ service: "a", secrets: "log" });
// refused at `db`: Property 'loadsAtOnce' is missing
createReprise({ service: "a", sources: { db: {} } });

// ── the ambient context and the events ──

// refused at `flag`: 'flag' does not exist in type
void reprise.context.run({ flag: "on" }, () => 1);
// refused at `tenant`: Type 'number' is not assignable to type 'string'
void reprise.context.run({ tenant: 1 }, () => 1);
// refused at `"flag"`: Argument of type '"flag"' is not assignable to parameter of type '"tenant" | "user" | "role" | "locale"'
void reprise.context.get("flag");
// refused at `user`: Type 'string' is not assignable to type 'never'
void first.context.run({ user: "u" }, () => 1);
// refused at `"cache.hit"`: Argument of type '"cache.hit"' is not assignable to parameter of type
reprise.on("cache.hit", () => {});
// refused at `value`: Property 'value' does not exist on type
reprise.on("cache.load", ({ value }) => value);
