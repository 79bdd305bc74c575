import fc from "fast-check";
import { expect, test } from "vitest";
import type { CacheCounters } from "../../src/cache/counters.ts";
import { setup, steps } from "./cache-commands.ts";
import { createWorld } from "./cache-world.ts";

const runs = 1_500;

test("C1 and C3 to C7 hold for 100,000 steps of any interleaving that one process knows", async () => {
  const reached: Partial<Record<keyof CacheCounters, number>> = {};
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  let taken = 0;
  process.on("unhandledRejection", hear);
  try {
    await fc.assert(
      fc.asyncProperty(setup, steps, async (declared, all) => {
        const world = createWorld(declared);
        for (const { step, isApart } of all) await world.step(step, isApart);
        await world.finish();
        if (unhandled.length > 0) throw unhandled.splice(0)[0];
        taken += all.length;
        for (const counters of world.counters()) {
          for (const [name, count] of Object.entries(counters) as [keyof CacheCounters, unknown][]) {
            if (typeof count === "number") reached[name] = (reached[name] ?? 0) + count;
          }
        }
      }),
      { numRuns: runs },
    );
  } finally {
    process.off("unhandledRejection", hear);
  }
  expect(taken).toBeGreaterThanOrEqual(100_000);
  // an interleaver that never gets there proves nothing
  expect(Object.entries(reached).filter(([, count]) => count === 0)).toEqual([]);
}, 120_000);
