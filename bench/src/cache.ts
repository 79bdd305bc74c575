import type { Figure } from "./figure.ts";
import { measureHits, measureWorkingSetCost } from "./hits.ts";
import { measureMemory } from "./memory.ts";

export interface CacheOptions {
  /** Fewer rounds and smaller sizes: to see that it runs, not to quote. */
  readonly quick: boolean;
  /** A folder of other traces than those in `bench/traces`. */
  readonly traces: string | undefined;
  readonly progress: (said: string) => void;
}

export async function measureCache({ quick, progress }: CacheOptions): Promise<readonly Figure[]> {
  const plan = { quick, progress };
  return [...(await measureHits(plan)), ...(await measureMemory(plan)), ...(await measureWorkingSetCost(plan))];
}
