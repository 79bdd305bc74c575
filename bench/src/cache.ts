import { LRUCache } from "lru-cache";
import { createReprise } from "reprise";
import type { Figure } from "./figure.ts";
import { compare } from "./rounds.ts";

const keys = 1_000;

interface Product {
  readonly id: string;
  readonly price: number;
}
const productOf = (id: string): Product => ({ id, price: id.length });

/**
 * A hot hit: the value is in memory and fresh, counters are on. The floor is what any asynchronous cache costs at least,
 * an async function around `Map.get`; `lru-cache` is what most would use instead.
 */
export async function measureCache(): Promise<readonly Figure[]> {
  const scopes = Array.from({ length: keys }, (_, index) => ({ id: `product-${index}` }));

  const map = new Map(scopes.map(({ id }) => [id, productOf(id)]));
  const floor = async (scope: { readonly id: string }) => map.get(scope.id);

  const lru = new LRUCache<string, Product>({
    max: keys,
    ttl: 3_600_000,
    fetchMethod: async (id) => productOf(id),
  });

  const reprise = createReprise({ service: "bench", undecided: "listed" });
  const product = reprise.cache.readThrough({
    name: "product",
    scope: ["id"],
    freshFor: "1h",
    load: async ({ id }) => productOf(id),
  });
  for (const scope of scopes) {
    await lru.fetch(scope.id);
    await product.get(scope);
  }

  const each = (read: (scope: { readonly id: string }) => Promise<unknown>) => async (count: number) => {
    for (let index = 0; index < count; index += 1) await read(scopes[index % keys] as { readonly id: string });
  };
  const times = await compare(
    [
      { name: "reprise", run: each((scope) => product.get(scope)) },
      { name: "floor", run: each(floor) },
      { name: "lru-cache", run: each((scope) => lru.fetch(scope.id)) },
    ],
    { rounds: 15, count: 200_000 },
  );
  await reprise.close();

  const of = (name: string) => times.get(name) ?? Number.NaN;
  return [
    { name: "cache: hot hit", value: of("reprise"), unit: "ns", better: "lower" },
    { name: "cache: an async function around Map.get", value: of("floor"), unit: "ns", better: "lower" },
    { name: "cache: lru-cache fetch", value: of("lru-cache"), unit: "ns", better: "lower" },
    { name: "cache: hot hit to the floor", value: of("reprise") / of("floor"), unit: "times", better: "lower" },
    { name: "cache: hot hit to lru-cache", value: of("reprise") / of("lru-cache"), unit: "times", better: "lower" },
  ];
}
