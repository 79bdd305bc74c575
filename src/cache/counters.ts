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
  /** Of these, reads rejected because too many were waiting already. */
  crowded: number;
  /** Loads begun: for reads, in the background and by callers of a lookup that found nothing. */
  loads: number;
  loadsFailed: number;
  /** Loads begun in the background for the hottest keys. */
  refreshes: number;
  /** Loads begun ahead of expiry, by a read that was answered fresh. */
  early: number;
  /** Loads whose source said that the value still holds. */
  unmodified: number;
  /** Loads that found that there is no such thing. */
  absent: number;
  /** Loaded values that were not stored: the data had changed since, memory forgot, or a lookup's deadline had passed. */
  discarded: number;
  /** Entries that left because memory was full. */
  evicted: number;
  /** Entries that left because their time was over. */
  lapsed: number;
  /** Calls of `expire` and `expireTag`, and changes by an operation's commit that expired. */
  expired: number;
  /** Calls of `purge` and `purgeTag`, and changes by an operation's commit that purged. */
  purged: number;
  put: number;
  /** Writes acknowledged. */
  written: number;
  readonly loadTime: Histogram;
}

export function createCacheCounters(): CacheCounters {
  return {
    memory: 0,
    stale: 0,
    shared: 0,
    source: 0,
    failed: 0,
    crowded: 0,
    loads: 0,
    loadsFailed: 0,
    refreshes: 0,
    early: 0,
    unmodified: 0,
    absent: 0,
    discarded: 0,
    evicted: 0,
    lapsed: 0,
    expired: 0,
    purged: 0,
    put: 0,
    written: 0,
    loadTime: createHistogram(),
  };
}
