import { createLru } from "./lru.ts";
import type { EvictionPolicy } from "./policy.ts";

export interface LfuOptions {
  /** The bound of memory, in the unit of the weights. */
  readonly maxWeight: number;
}

/** Not yet: the least recently used leaves. */
export function createLfu(_options: LfuOptions): EvictionPolicy {
  return createLru();
}
