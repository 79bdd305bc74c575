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
  const sizes = createSizes(counted.byBytes);
  let hits = 0;
  let missRatio = 1;
  let flatTo = 0;
  for (let bucket = 0; bucket < bucketCount; bucket += 1) {
    const more = counted.byEntries[bucket] as number;
    if (more === 0 && bucket > 0) continue;
    // Up to here more memory brought nothing: without this point the line to the next one would promise that it does.
    if (bucket > flatTo + 1) points.push({ entries: upperEnd(bucket - 1), bytes: sizes.below(), missRatio });
    hits += more;
    missRatio = Math.min(1, Math.max(0, (reads - adjustment - hits) / reads));
    points.push({ entries: upperEnd(bucket), bytes: sizes.within(hits), missRatio });
    flatTo = bucket;
  }
  return { points, reads: Math.round(reads), keys: Math.round(keys) };
}

/** Finds the bytes that answer as many reads. To be asked with rising numbers. */
function createSizes(byBytes: Float64Array) {
  // What weighs nothing was never weighed.
  const last = byBytes.subarray(0, bucketCount).findLastIndex((reads) => reads > 0);
  let bucket = -1;
  let answered = 0;
  const step = (): void => {
    bucket += 1;
    answered += byBytes[bucket] as number;
  };
  const size = () => (bucket < 0 || last < 1 ? 0 : upperEnd(bucket));
  return {
    /** The least that answers so many. */
    within: (reads: number): number => {
      // Sums of fractions in another order differ by their rounding.
      while (answered < reads * (1 - 1e-9) && bucket < last) step();
      return size();
    },
    /** The most that answers no more than what was asked for last. */
    below: (): number => {
      while (bucket < last && byBytes[bucket + 1] === 0) step();
      return size();
    },
  };
}

/**
 * The miss ratio of memory that holds so many entries, 0 to 1. Between two points, the straight line.
 *
 * @example missRatioAt(sampler.curve(), 10_000);
 */
export function missRatioAt(curve: Curve, entries: number): number {
  return between(curve, entries, entriesOf, missRatioOf) ?? missRatioOf(lastOf(curve));
}

/** The miss ratio of memory of so many bytes. */
export function missRatioAtBytes(curve: Curve, bytes: number): number {
  return between(curve, bytes, bytesOf, missRatioOf) ?? missRatioOf(lastOf(curve));
}

/** The bytes of so many entries; beyond the curve they weigh what those on it do. 0 where nobody knows. */
export function bytesAt(curve: Curve, entries: number): number {
  return between(curve, entries, entriesOf, bytesOf) ?? entries * meanWeight(curve);
}

/** The entries that fit into so many bytes; 0 where nobody knows what they weigh. */
export function entriesAt(curve: Curve, bytes: number): number {
  const weight = meanWeight(curve);
  if (weight === 0) return 0;
  return Math.floor(between(curve, bytes, bytesOf, entriesOf) ?? bytes / weight);
}

/** What an entry weighs, in bytes: the mean over all keys. 0 where nobody knows. */
export function meanWeight(curve: Curve): number {
  const { bytes, entries } = lastOf(curve);
  return entries === 0 ? 0 : bytes / entries;
}

function entriesOf({ entries }: CurvePoint): number {
  return entries;
}

function bytesOf({ bytes }: CurvePoint): number {
  return bytes;
}

function missRatioOf({ missRatio }: CurvePoint): number {
  return missRatio;
}

function lastOf({ points }: Curve): CurvePoint {
  return points[points.length - 1] as CurvePoint;
}

/** `undefined` beyond the last point. */
function between(
  { points }: Curve,
  at: number,
  across: (point: CurvePoint) => number,
  up: (point: CurvePoint) => number,
): number | undefined {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (across(points[middle] as CurvePoint) <= at) low = middle;
    else high = middle - 1;
  }
  const left = points[low] as CurvePoint;
  const right = points[low + 1];
  if (across(left) === at) return up(left);
  if (right === undefined) return undefined;
  return up(left) + ((up(right) - up(left)) * (at - across(left))) / (across(right) - across(left));
}
