import { createReprise, type MemoryOptions } from "reprise";
import { productOf } from "./product.ts";

/** An instance as an application would have it: counters, expiry, fence and early refresh are on, as they are by default. */
export function openReprise(memory: MemoryOptions) {
  return createReprise({ service: "bench", undecided: "listed", memory });
}

export function openProducts(memory: MemoryOptions) {
  return openReprise(memory).cache.readThrough({
    name: "product",
    scope: ["id"],
    freshFor: "1h",
    load: async ({ id }) => productOf(id),
  });
}

export function openProductsOfTenants(memory: MemoryOptions) {
  return openReprise(memory).cache.readThrough({
    name: "product",
    scope: ["tenant", "id"],
    freshFor: "1h",
    load: async ({ id }: { readonly tenant: string; readonly id: string }) => productOf(id),
  });
}
