import type { Answer } from "./child.ts";
import { askChild } from "./child-process.ts";
import type { Figure } from "./figure.ts";
import { heapBytes } from "./heap.ts";
import { openReprise } from "./ours.ts";
import { productOf } from "./product.ts";
import { median } from "./rounds.ts";
import { seeded } from "./zipf.ts";

/**
 * Whether memory grows while a full cache goes on: new keys for ever, entries that expire, purges, expirations, puts and
 * failing loads. A tenth of the run is one part; the second is compared with the last.
 */

const bound = 10_000;
const samples = 60;

export async function serveChurn(minutes = "10", eviction = "lfu"): Promise<Answer> {
  const sampleMs = (Number(minutes) * 60_000) / samples;
  const reprise = openReprise({ maxEntries: bound, eviction: eviction === "lru" ? "lru" : "lfu" });
  const product = reprise.cache.readThrough({
    name: "product",
    scope: ["id"],
    freshFor: "2s",
    staleFor: "2s",
    load: async ({ id }) => {
      if (id.endsWith("7")) throw new Error("the source is away");
      return productOf(id);
    },
  });
  const random = seeded(11);
  let newest = 0;
  const step = async () => {
    const draw = random();
    if (draw < 0.3) newest += 1;
    // mostly what is new, at times what left long ago
    const back = draw < 0.9 ? Math.floor(random() ** 2 * 2 * bound) : Math.floor(random() * newest);
    const scope = { id: `item-${String(Math.max(0, newest - back)).padStart(9, "0")}` };
    if (draw < 0.94) await product.get(scope).catch(() => {});
    else if (draw < 0.96) await product.purge(scope);
    else if (draw < 0.98) await product.expire(scope);
    else await product.put(scope, productOf(scope.id));
  };
  return async () => {
    const heap: number[] = [];
    for (let sample = 0; sample < samples; sample += 1) {
      const until = performance.now() + sampleMs;
      while (performance.now() < until) {
        for (let count = 0; count < 200; count += 1) await step();
        await new Promise(setImmediate);
      }
      heap.push(await heapBytes());
    }
    return heap;
  };
}

export async function measureChurn(plan: {
  readonly minutes: number;
  readonly progress: (said: string) => void;
}): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const eviction of ["lfu", "lru"] as const) {
    plan.progress(`churn.growth: ${eviction}, ${plan.minutes} minutes at ${bound} entries`);
    const heap = (await askChild("churn", [String(plan.minutes), eviction], {
      flags: ["--expose-gc"],
      withinMs: (plan.minutes + 5) * 60_000,
    })) as readonly number[];
    plan.progress(`MiB after each sixtieth: ${heap.map((bytes) => (bytes / 2 ** 20).toFixed(1)).join(" ")}`);
    const part = samples / 10;
    const second = median(heap.slice(part, 2 * part));
    const last = median(heap.slice(-part));
    const name = eviction === "lfu" ? "churn.growth" : `churn.${eviction}.growth`;
    figures.push({ name, value: 100 * (last / second - 1), unit: "percent", better: "lower" });
  }
  return figures;
}
