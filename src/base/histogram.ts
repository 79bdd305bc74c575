/**
 * Durations in logarithmic buckets: four to a doubling, so a percentile is right within 19%. Fixed memory, one addition
 * an observation, and histograms of several instances add up, which percentiles do not.
 */
export interface Histogram {
  readonly observe: (ms: number) => void;
  /** How many fell into each bucket since the start; trailing zeros left out. */
  readonly counts: () => readonly number[];
}

const bucketsPerDoubling = 4;
/** The first bucket ends at this many milliseconds. */
const smallest = 0.0625;
const bucketCount = 96;

export function createHistogram(): Histogram {
  const counts = new Array<number>(bucketCount).fill(0);
  let used = 0;
  return {
    observe: (ms) => {
      const bucket = bucketOf(ms);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
      if (bucket >= used) used = bucket + 1;
    },
    counts: () => counts.slice(0, used),
  };
}

function bucketOf(ms: number): number {
  if (!(ms > smallest)) return 0;
  return Math.min(bucketCount - 1, Math.ceil(Math.log2(ms / smallest) * bucketsPerDoubling));
}

/** The `share` percentile (0.99) of counts, in ms: the upper end of its bucket. `null`: nothing was observed. */
export function percentile(counts: readonly number[], share: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [bucket, count] of counts.entries()) {
    seen += count;
    if (seen >= total * share) return smallest * 2 ** (bucket / bucketsPerDoubling);
  }
  return null;
}

/** Adds up or takes apart two sets of counts, bucket by bucket. */
export function combineCounts(a: readonly number[], b: readonly number[], sign: 1 | -1 = 1): readonly number[] {
  return Array.from(
    { length: Math.max(a.length, b.length) },
    (_, bucket) => (a[bucket] ?? 0) + sign * (b[bucket] ?? 0),
  );
}
