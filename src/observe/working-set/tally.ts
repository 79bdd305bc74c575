import { bucketCount } from "./buckets.ts";

/** Reads, by the bucket of the smallest memory that would have answered them, and behind the buckets those that none would. */
export interface Reads {
  /** Each read of the sample stands for as many as there are keys to one of it. */
  readonly byEntries: Float64Array;
  readonly byBytes: Float64Array;
  /** All that there were, where somebody counts them; else NaN. */
  readonly counted: number;
}

/** The reads of a cache, or of all, in the window that runs and the one before it. */
export interface Tally {
  /** `bucketCount` for both: the key was not read before, or too long ago. */
  readonly add: (inEntries: number, inBytes: number, standsFor: number) => void;
  /** Ends the window. One without a read is not kept: a quiet night takes nothing away. `counts`: whether the next one counts. */
  readonly turn: (counts: boolean) => void;
  /** Of both windows. */
  readonly sum: () => Reads;
}

/** `readsSoFar`: how many reads there were, of the sample or not; NaN where nobody counts. */
export function createTally(readsSoFar: () => number, startedAt: number, countsNow: boolean): Tally {
  let previous = nothing();
  let current = nothing();
  let counts = countsNow;
  let began = startedAt;

  return {
    add: (inEntries, inBytes, standsFor) => {
      if (!counts) return;
      const { byEntries, byBytes } = current;
      byEntries[inEntries] = (byEntries[inEntries] as number) + standsFor;
      byBytes[inBytes] = (byBytes[inBytes] as number) + standsFor;
    },
    turn: (next) => {
      const now = readsSoFar();
      if (current.byEntries.some((reads) => reads > 0)) {
        previous = { ...current, counted: now - began };
        current = nothing();
      }
      counts = next;
      began = now;
    },
    sum: () => {
      const counted = counts ? readsSoFar() - began : 0;
      return {
        byEntries: previous.byEntries.map((reads, bucket) => reads + (current.byEntries[bucket] as number)),
        byBytes: previous.byBytes.map((reads, bucket) => reads + (current.byBytes[bucket] as number)),
        counted: previous.counted + counted,
      };
    },
  };
}

function nothing(): Reads {
  return { byEntries: new Float64Array(bucketCount + 1), byBytes: new Float64Array(bucketCount + 1), counted: 0 };
}
