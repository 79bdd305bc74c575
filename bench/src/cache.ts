import type { Figure } from "./figure.ts";
import { measureHits } from "./hits.ts";
import { measureMemory } from "./memory.ts";

export interface CacheOptions {
  /** Fewer rounds and smaller sizes: to see that it runs, not to quote. */
  readonly quick: boolean;
  /** A folder of other traces than those in `bench/traces`. */
  readonly traces: string | undefined;
}

const progress = (said: string) => console.error(said);

export async function measureCache({ quick }: CacheOptions): Promise<readonly Figure[]> {
  return [...(await measureHits({ quick, progress })), ...(await measureMemory({ quick, progress }))];
}
