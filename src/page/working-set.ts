import { defaults } from "../base/defaults.ts";
import type { CacheCounters } from "../cache/counters.ts";
import type { Inside } from "../observe/inside.ts";
import { type Bill, billOf, defaultPrices, type Prices } from "../observe/working-set/bill.ts";
import {
  type Curve,
  type CurvePoint,
  entriesAt,
  meanWeight,
  missRatioAt,
  missRatioAtBytes,
} from "../observe/working-set/curve.ts";
import { knee, sizeFor } from "../observe/working-set/sizes.ts";

/** How large memory ought to be, by the reads that this process saw. */
export interface WorkingSet {
  readonly v: 1;
  readonly at: number;
  /** The process that tells: each watches its own reads. */
  readonly instance: string;
  /** `null`: all caches together, as they share one memory. */
  readonly cache: string | null;
  /** Of memory, for all caches together: in its unit, the most it may hold and what it holds. */
  readonly bound: { readonly unit: "entries" | "bytes"; readonly most: number; readonly held: number };
  /** `null`: nobody watches. */
  readonly curve: MeasuredCurve | null;
}

export interface MeasuredCurve {
  /** Reads that it tells of, and the different keys among them, estimated. */
  readonly reads: number;
  readonly keys: number;
  /** Of at most the last so many milliseconds. */
  readonly windowMs: number;
  /** With fewer it is a guess, and what follows from it is not told. */
  readonly readsNeeded: number;
  /** Sizes rise, misses fall. Of memory that is kept by least recent use; expiry and changes cost further loads. */
  readonly points: readonly CurvePoint[];
  /** What memory holds now. */
  readonly here: CurvePoint;
  /** Beyond it more memory brings little. `null`: too few reads. */
  readonly knee: CurvePoint | null;
  /** The least memory that answers 95% of reads; `null`: none does, or too few reads. */
  readonly wanted: CurvePoint | null;
  /** The cheapest size that is not below the wanted one, or below the knee where none is. `null`: too few reads. */
  readonly recommended: CurvePoint | null;
  /** What the recommended size would save against now. `null`: too few reads. */
  readonly bill: (Bill & Assumed) | null;
}

/** What the bill rests on. */
export interface Assumed {
  readonly readsPerSecond: number;
  readonly entryBytes: number;
  /** Whether `entryBytes` was estimated from what memory holds, or is the default. */
  readonly weighed: boolean;
  readonly prices: Prices;
}

/** The hit ratio that a size is told for. */
export const wantedHitRatio = 0.95;
const pointsAtMost = 160;

/** `undefined`: there is no such cache. */
export function workingSetOf(inside: Inside, cache: string | undefined): WorkingSet | undefined {
  const caches = inside.caches();
  const told = cache === undefined ? caches : caches.filter(({ name }) => name === cache);
  if (cache !== undefined && told.length === 0) return undefined;
  const memory = inside.memory();
  const curve = inside.curve(cache);
  const at = inside.clock().now();
  const entries = told.reduce((sum, one) => sum + one.entries(), 0);
  const seconds = Math.max(1, (at - inside.startedAt) / 1_000);
  const reads = told.reduce((sum, { counters }) => sum + readsOf(counters), 0);
  const bytes = memory.bytes === null ? null : cache === undefined ? memory.bytes : bytesOfOne(inside, cache);
  return {
    v: 1,
    at,
    instance: inside.instance,
    cache: cache ?? null,
    bound: { ...memory.bound, held: memory.bound.unit === "bytes" ? (memory.bytes ?? 0) : memory.entries },
    curve: curve === undefined ? null : measured(curve, { entries, bytes, readsPerSecond: reads / seconds }),
  };
}

/** Memory is weighed as a whole: it is shared out by what the sample says that the entries of each cache weigh. */
function bytesOfOne(inside: Inside, cache: string): number {
  const weights = inside.caches().map(({ name, entries }) => {
    const curve = inside.curve(name);
    return { name, weight: curve === undefined ? 0 : meanWeight(curve) * entries() };
  });
  const all = weights.reduce((sum, { weight }) => sum + weight, 0);
  const own = weights.find(({ name }) => name === cache)?.weight ?? 0;
  return all === 0 ? 0 : Math.round((own / all) * (inside.memory().bytes ?? 0));
}

interface Present {
  readonly entries: number;
  /** `null`: nobody weighs them. */
  readonly bytes: number | null;
  readonly readsPerSecond: number;
}

function measured(curve: Curve, { entries, bytes, readsPerSecond }: Present): MeasuredCurve {
  const weight = meanWeight(curve);
  const weighed = weight > 0;
  const missRatio = weighed && bytes !== null ? missRatioAtBytes(curve, bytes) : missRatioAt(curve, entries);
  const here = { entries, bytes: bytes ?? 0, missRatio };
  const shared = {
    ...{ reads: curve.reads, keys: curve.keys, readsNeeded: defaults.workingSet.readsNeeded },
    ...{ windowMs: 2 * defaults.workingSet.windowMs, points: thinned(curve), here },
  };
  if (curve.reads < defaults.workingSet.readsNeeded) {
    return { ...shared, knee: null, wanted: null, recommended: null, bill: null };
  }
  const bend = knee(curve);
  const wanted = sizeFor(curve, wantedHitRatio);
  const entryBytes = weighed ? weight : defaults.workingSet.entryBytes;
  // what eviction kept may be lighter than what was read last
  const nowEntries = weighed && bytes !== null ? entriesAt(curve, bytes) : entries;
  const billAt = (thenEntries: number) => billOf(curve, { nowEntries, thenEntries, readsPerSecond, entryBytes });
  // by money alone a cache that few read would hold nothing
  const least = wanted ?? bend;
  const recommended = shared.points
    .filter((point) => point.entries > least.entries)
    .reduce(
      (best, point) => (billAt(point.entries).then.total < billAt(best.entries).then.total ? point : best),
      least,
    );
  const bill = billAt(recommended.entries);
  return {
    ...{ ...shared, knee: bend, wanted, recommended },
    bill: { ...bill, readsPerSecond, entryBytes, weighed, prices: defaultPrices },
  };
}

/** A chart has room for so many; they are spread as its axis is, by the logarithm of their size. */
function thinned({ points }: Curve): readonly CurvePoint[] {
  const last = points.at(-1)?.entries ?? 0;
  const apart = Math.log(Math.max(2, last)) / pointsAtMost;
  const kept: CurvePoint[] = [];
  for (const [place, point] of points.entries()) {
    const before = kept.at(-1);
    const near = before !== undefined && before.entries > 0 && Math.log(point.entries / before.entries) < apart;
    if (!near || place === points.length - 1) kept.push(point);
  }
  return kept;
}

function readsOf({ memory, stale, shared, source, failed }: CacheCounters): number {
  return memory + stale + shared + source + failed;
}
