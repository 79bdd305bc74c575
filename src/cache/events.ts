/**
 * What a cache tells while it works. No event carries a value or a key; `key` is eight digits that are the same for the
 * same scope within this process, to tell entries apart. There is no event for a hit: that is what counters are for.
 */
export type CacheEvents = {
  /** A loader has returned. `stored`: also for readers; `discarded`: for its readers alone, the data had changed since. */
  readonly "cache.load": {
    readonly cache: string;
    readonly key: string;
    readonly tookMs: number;
    readonly outcome: "stored" | "discarded" | "failed";
    /** Of an error of the catalogue; else its class. */
    readonly error?: string | undefined;
  };
  /** A read that was answered fresh began a load ahead of expiry. */
  readonly "cache.refresh": { readonly cache: string; readonly key: string; readonly aheadMs: number };
  /** Entries were changed by a call or by a commit. `key`: `null` where many were meant. */
  readonly "cache.change": {
    readonly cache: string;
    readonly key: string | null;
    readonly verb: "expire" | "purge" | "put";
    readonly by: "call" | "tag" | "commit" | "write";
  };
  readonly "cache.evict": { readonly cache: string; readonly reason: "full" | "expired" };
  /** A loaded value holds what no cache may hold. */
  readonly "cache.secret": {
    readonly cache: string;
    readonly path: string;
    readonly kind: string;
    readonly refused: boolean;
  };
  /** Reads wait that the queue had no room for. */
  readonly "cache.crowded": { readonly cache: string; readonly waiting: number };
};

/** Tells an event; it is made only if somebody listens. */
export type Tell = <N extends keyof CacheEvents>(name: N, make: () => CacheEvents[N]) => void;
