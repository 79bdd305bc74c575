import { createReprise, type MemoryOptions } from "reprise";
import { productOf } from "./product.ts";

export type Eviction = "lru" | "lfu";

/** An instance as an application would have it: counters, expiry, fence and early refresh are on, as they are by default. */
export function openReprise(memory: { readonly maxEntries: number; readonly eviction: Eviction }) {
  return createReprise({ service: "bench", undecided: "listed", memory: memory as unknown as MemoryOptions });
}

export function openProducts(entries: number, eviction: Eviction) {
  return openReprise({ maxEntries: entries, eviction }).cache.readThrough({
    name: "product",
    scope: ["id"],
    freshFor: "1h",
    load: async ({ id }) => productOf(id),
  });
}

export function openProductsOfTenants(entries: number, eviction: Eviction) {
  return openReprise({ maxEntries: entries, eviction }).cache.readThrough({
    name: "product",
    scope: ["tenant", "id"],
    freshFor: "1h",
    load: async ({ id }: { readonly tenant: string; readonly id: string }) => productOf(id),
  });
}
