import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Sampler as Recorder } from "../../cache/memory/sampler.ts";
import { bucketCount, bucketOf } from "./buckets.ts";
import { type Curve, curveOf } from "./curve.ts";
import { mostKeys, RecencyStack } from "./stack.ts";
import { createTally, type Tally } from "./tally.ts";

/** One more than the greatest hash: with this threshold every key is in the sample. */
const everyHash = 2 ** 32;
/** What a full sample keeps when the threshold falls: it falls rarely, and the sample stays nearly full. */
const keptWhenFull = 7 / 8;
/** A sample that has shrunk so far would tell too little; it takes in more keys again. */
const scarce = 1 / 4;
/** Looking at the clock each time would cost as much as the reads. */
const readsPerLook = 64;

export interface SamplerOptions {
  /** Keys in memory, of all caches together: a whole number from 1 to 8,192. 2,048 unless given. */
  readonly most?: number;
  /** The greatest share of keys that is sampled, above 0. With 1, sets of keys that fit are told exactly, at a cost for each hit. 1/4 unless given. */
  readonly share?: number;
  /** Half of what the curve looks back on. Unless given, all. */
  readonly windowMs?: number;
  /** Milliseconds that never jump. Asked for with a window only. */
  readonly now?: () => number;
  /**
   * How many reads there were so far, of a cache or of all, sampled or not. With it the estimate is corrected for hot keys
   * that the sample holds, or lacks, by chance (SHARDS-adj).
   */
  readonly reads?: (cache?: number) => number;
}

/**
 * Watches the reads of a sample of keys and tells how often memory of any size, kept by least recent use, would have had
 * the answer. A key is in the sample by its hash, so all its reads are, or none.
 */
export interface Sampler extends Recorder {
  /**
   * A key whose hash (unsigned, 32 bits, well mixed) is below it is in the sample. It falls as keys come, so that never
   * more than `most` are in memory, and rises with a new window after a time with few keys.
   */
  readonly threshold: () => number;
  /**
   * A read of a key in the sample, hit or miss alike. `cache`: its number, from 0 on; `bytes`: what its entry weighs, 0 if
   * not known. False: the key is in the sample no longer, and the read was not counted.
   */
  readonly record: (hash: number, cache: number, bytes: number) => boolean;
  /** Of a cache, or of all caches as if they shared one memory. */
  readonly curve: (cache?: number) => Curve;
  /** Keys in memory now. */
  readonly keys: () => number;
}

interface Cache {
  readonly tally: Tally;
  /** What its entries weighed, for the mean. */
  bytes: number;
  weighed: number;
}

/**
 * Fixed-size SHARDS: Waldspurger, Park, Garthwaite, Ahmad, "Efficient MRC Construction with SHARDS" (FAST 2015), with its
 * correction SHARDS-adj. Memory is fixed: some 80 bytes a key, and some 50 KB a cache.
 *
 * With `windowMs` recent traffic counts alone: the curve tells of the window that runs and the one before. A key that was
 * not read for a whole window is forgotten, so its next read counts as a first one, which no memory answers. After a time
 * of few keys the threshold rises; one window is not counted then, because its keys are new to the sample, not to the cache.
 *
 * @example
 * const sampler = createSampler();
 * for (const key of keys) {
 *   const hash = hashOf(key, 0);
 *   if (hash < sampler.threshold()) sampler.record(hash, 0, 0);
 * }
 * missRatioAt(sampler.curve(), 10_000);
 *
 * @throws REPRISE_BAD_DECLARATION if `most` is out of bounds.
 */
export function createSampler(options: SamplerOptions = {}): Sampler {
  const { most = defaults.workingSet.sampledKeys, share = defaults.workingSet.sampledShare } = options;
  const { windowMs = Number.POSITIVE_INFINITY, now = () => 0, reads } = options;
  if (!(Number.isInteger(most) && most >= 1 && most <= mostKeys)) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "workingSet.most",
      why: `it is no whole number from 1 to ${mostKeys}.`,
      mend: "Say how many keys the sample may hold.",
    });
  }
  const highest = Math.min(everyHash, Math.max(1, Math.floor(everyHash * share)));
  const stack = new RecencyStack(most);
  const all = createTally(() => reads?.() ?? Number.NaN, 0, true);
  const caches: Cache[] = [];
  let threshold = highest;
  /** How many keys there are to one of the sample. */
  let standsFor = everyHash / threshold;
  let windows = 0;
  let counts = true;
  let endsAt = now() + windowMs;
  let untilLook = readsPerLook;
  /** The key that was read last, and how often again since: where one key is all that is read, a read costs a comparison. */
  let lastHash = -1;
  let lastNumber = -1;
  let lastWeight = 0;
  let repeats = 0;

  const join = (number: number): Cache => {
    stack.join(number);
    const readsOf = () => reads?.(number) ?? Number.NaN;
    // The first window began before anything was read; into a later one a cache comes with its first sampled read.
    const cache: Cache = { tally: createTally(readsOf, windows === 0 ? 0 : readsOf(), counts), bytes: 0, weighed: 0 };
    caches[number] = cache;
    return cache;
  };
  const setThreshold = (next: number): void => {
    threshold = next;
    standsFor = everyHash / next;
  };
  const lower = (): void => {
    lastHash = -1;
    do {
      setThreshold(Math.max(1, Math.floor(threshold * keptWhenFull)));
      stack.keep((hash) => hash < threshold);
    } while (stack.keys() >= most && threshold > 1);
  };
  const turn = (): void => {
    lastHash = -1;
    stack.keep((_, readInWindow) => readInWindow);
    stack.mark();
    const kept = stack.keys();
    counts = true;
    if (kept < most * scarce && threshold < highest) {
      // Where nothing is left to compare with, a key is as new to the cache as it is to the sample.
      counts = kept === 0;
      setThreshold(Math.min(highest, Math.floor((threshold * most) / (2 * Math.max(1, kept)))));
    }
    windows += 1;
    all.turn(counts);
    for (const cache of caches) cache?.tally.turn(counts);
  };
  const look = (): void => {
    untilLook = readsPerLook;
    if (windowMs === Number.POSITIVE_INFINITY) return;
    const at = now();
    if (at < endsAt) return;
    turn();
    // A second window without a read leaves nothing of what was before it.
    if (at >= endsAt + windowMs) turn();
    endsAt = at + windowMs;
  };

  const remember = (hash: number, number: number, weight: number): void => {
    lastHash = hash;
    lastNumber = number;
    lastWeight = weight;
  };
  /** No other key was read in between: the smallest memory would have had the answer. */
  const countRepeats = (): void => {
    const times = repeats * standsFor;
    repeats = 0;
    const inBytes = bucketOf(lastWeight);
    all.add(bucketOf(1), inBytes, times);
    caches[lastNumber]?.tally.add(bucketOf(1), inBytes, times);
  };

  return {
    threshold: () => threshold,
    keys: () => stack.keys(),
    record: (hash, number, bytes) => {
      if (hash === lastHash && number === lastNumber && (bytes === 0 || bytes === lastWeight)) {
        repeats += 1;
        return true;
      }
      if (repeats > 0) countRepeats();
      if (hash >= threshold) return false;
      untilLook -= 1;
      if (untilLook === 0) look();
      const cache = caches[number] ?? join(number);
      if (bytes > 0) {
        cache.bytes += bytes;
        cache.weighed += 1;
      }
      let slot = stack.find(hash, number);
      if (stack.has(slot)) {
        const weight = bytes > 0 ? bytes : stack.weight(slot);
        stack.measure(slot);
        // The key itself is surely there; only the others are a sample.
        let inEntries = bucketOf(1 + stack.keysSince(0) * standsFor);
        let inBytes = bucketOf(weight + stack.bytesSince(0) * standsFor);
        all.add(inEntries, inBytes, standsFor);
        if (stack.several()) {
          inEntries = bucketOf(1 + stack.keysSince(1) * standsFor);
          inBytes = bucketOf(weight + stack.bytesSince(1) * standsFor);
        }
        cache.tally.add(inEntries, inBytes, standsFor);
        stack.touch(slot, hash, number, weight);
        remember(hash, number, weight);
        return true;
      }
      if (stack.keys() >= most) {
        lower();
        // Hashes that are not well mixed may leave it full.
        if (hash >= threshold || stack.keys() >= most) return false;
        slot = stack.find(hash, number);
      }
      all.add(bucketCount, bucketCount, standsFor);
      cache.tally.add(bucketCount, bucketCount, standsFor);
      // What was never weighed is taken for what others of its cache weigh: most first reads are misses.
      const weight = bytes > 0 || cache.weighed === 0 ? bytes : cache.bytes / cache.weighed;
      stack.touch(slot, hash, number, weight);
      remember(hash, number, weight);
      return true;
    },
    curve: (number) => {
      if (repeats > 0) countRepeats();
      look();
      const tally = number === undefined ? all : caches[number]?.tally;
      return curveOf(tally?.sum(), stack.keys(number) * standsFor);
    },
  };
}
