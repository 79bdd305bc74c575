import { createHistogram, type Histogram } from "../base/histogram.ts";

/**
 * What one cache counted since its process started. Plain numbers, each increased where it happens: on a hit that is one
 * addition. A read is counted once, under where its answer came from.
 */
export interface CacheCounters {
  /** Reads answered fresh from memory. */
  memory: number;
  /** Reads answered stale from memory. */
  stale: number;
  /** Reads that waited for a load which another read had begun. */
  shared: number;
  /** Reads that began a load and were answered by it; lookups that found nothing, whose caller loads. */
  source: number;
  /** Reads that were rejected, also by their own signal. */
  failed: number;
  /** Loads begun: for reads, in the background and by callers of a lookup that found nothing. */
  loads: number;
  loadsFailed: number;
  /** Loads begun in the background for the hottest keys. */
  refreshes: number;
  /** Loaded values that were not stored: the data had changed since, memory forgot, or a lookup's deadline had passed. */
  discarded: number;
  /** Entries that left because memory was full. */
  evicted: number;
  /** Calls of `expire`, and entries that an operation's commit expired. */
  expired: number;
  /** Calls of `purge`, and entries that an operation's commit purged. */
  purged: number;
  put: number;
  readonly loadTime: Histogram;
}

export function createCacheCounters(): CacheCounters {
  return {
    memory: 0,
    stale: 0,
    shared: 0,
    source: 0,
    failed: 0,
    loads: 0,
    loadsFailed: 0,
    refreshes: 0,
    discarded: 0,
    evicted: 0,
    expired: 0,
    purged: 0,
    put: 0,
    loadTime: createHistogram(),
  };
}
