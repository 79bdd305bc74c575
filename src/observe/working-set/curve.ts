import { bucketCount, upperEnd } from "./buckets.ts";
import type { Reads } from "./tally.ts";

/** A size of memory, and how often it would not have had the answer. */
export interface CurvePoint {
  readonly entries: number;
  /** The bytes that would have answered as often; 0 where nobody knows what an entry weighs. */
  readonly bytes: number;
  /** 0 to 1. */
  readonly missRatio: number;
}

/** A miss-ratio curve of memory that is kept by least recent use. */
export interface Curve {
  /** From no memory at all on; sizes rise, and miss ratios fall. Beyond the last one, more memory changes nothing. */
  readonly points: readonly CurvePoint[];
  /** Reads that it tells of. */
  readonly reads: number;
  /** Different keys, estimated. */
  readonly keys: number;
}

/** The curve of what was counted; `keys`: how many there are, estimated. */
export function curveOf(counted: Reads | undefined, keys: number): Curve {
  const points: CurvePoint[] = [{ entries: 0, bytes: 0, missRatio: 1 }];
  const estimated = counted?.byEntries.reduce((sum, reads) => sum + reads, 0) ?? 0;
  if (counted === undefined || estimated === 0) return { points, reads: 0, keys: 0 };
  const reads = counted.counted > 0 ? counted.counted : estimated;
  // SHARDS-adj: what the sample has too little or too much is of hot keys, whose distances are the smallest.
  const adjustment = reads - estimated;
  const bytesOf = createSizes(counted.byBytes);
  let hits = 0;
  let missRatio = 1;
  let flatTo = 0;
  for (let bucket = 0; bucket < bucketCount; bucket += 1) {
    const more = counted.byEntries[bucket] as number;
    if (more === 0 && bucket > 0) continue;
    // Up to here more memory brought nothing: without this point the line to the next one would promise that it does.
    if (bucket > flatTo + 1) points.push({ entries: upperEnd(bucket - 1), bytes: bytesOf.below(), missRatio });
    hits += more;
    missRatio = Math.min(1, Math.max(0, 1 - (hits + adjustment) / reads));
    points.push({ entries: upperEnd(bucket), bytes: bytesOf.within(hits), missRatio });
    flatTo = bucket;
  }
  return { points, reads: Math.round(reads), keys: Math.round(keys) };
}

/** Finds the bytes that answer as many reads. To be asked with rising numbers. */
function createSizes(byBytes: Float64Array) {
  let bucket = -1;
  let answered = 0;
  // Sums of fractions in another order differ by their rounding.
  const isBelow = (reads: number) => answered < reads * (1 - 1e-9);
  const next = (): number => {
    bucket += 1;
    answered += byBytes[bucket] as number;
    return bucket;
  };
  return {
    /** The least that answers so many. */
    within: (reads: number): number => {
      while (isBelow(reads) && bucket < bucketCount - 1) next();
      return bucket < 0 ? 0 : upperEnd(bucket);
    },
    /** The most that answers no more. */
    below: (): number => {
      while (bucket < bucketCount - 1 && byBytes[bucket + 1] === 0) next();
      return bucket < 0 ? 0 : upperEnd(bucket);
    },
  };
}

/** The miss ratio of memory that holds so many entries. Between two points, the straight line. */
export function missRatioAt(curve: Curve, entries: number): number {
  return valueAt(curve, entries, ({ entries: size }) => size);
}

/** The miss ratio of memory of so many bytes. */
export function missRatioAtBytes(curve: Curve, bytes: number): number {
  return valueAt(curve, bytes, ({ bytes: size }) => size);
}

function valueAt({ points }: Curve, size: number, sizeOf: (point: CurvePoint) => number): number {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sizeOf(points[middle] as CurvePoint) <= size) low = middle;
    else high = middle - 1;
  }
  const below = points[low] as CurvePoint;
  const above = points[low + 1];
  if (above === undefined || sizeOf(below) >= size) return below.missRatio;
  const share = (size - sizeOf(below)) / (sizeOf(above) - sizeOf(below));
  return below.missRatio + (above.missRatio - below.missRatio) * share;
}
