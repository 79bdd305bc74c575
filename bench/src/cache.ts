import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { measureEvictionCost } from "./eviction-cost.ts";
import type { Figure } from "./figure.ts";
import { measureHitRatio } from "./hit-ratio.ts";
import { measureHits, measureWorkingSetCost } from "./hits.ts";
import { measureMemory } from "./memory.ts";
import { readTraces } from "./traces.ts";
import { measureWorkingSet } from "./working-set.ts";

export interface CacheOptions {
  /** Fewer rounds and smaller sizes: to see that it runs, not to quote. */
  readonly quick: boolean;
  /** A folder of other traces than those in `bench/traces`. */
  readonly traces: string | undefined;
  readonly progress: (said: string) => void;
}

export async function measureCache({ quick, traces, progress }: CacheOptions): Promise<readonly Figure[]> {
  const plan = { quick, progress };
  // as it was given, not from where npm runs this
  const folder =
    traces === undefined
      ? fileURLToPath(new URL("../traces", import.meta.url))
      : resolve(process.env["INIT_CWD"] ?? ".", traces);
  const figures = [
    ...(await measureHits(plan)),
    ...(await measureMemory(plan)),
    ...(await measureWorkingSetCost(plan)),
  ];
  progress(`workingset.error: traces in ${folder}`);
  figures.push(...(await measureWorkingSet(readTraces(folder))));
  figures.push(...(await measureHitRatio(folder, progress)));
  figures.push(...(await measureEvictionCost(folder, { rounds: quick ? 5 : 9, progress })));
  return figures;
}
