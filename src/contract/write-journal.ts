import type { AttemptId } from "../base/names.ts";

/**
 * Writes that were acknowledged and have not reached their source yet: a journal beside the ledger, for caches that
 * write behind. It keeps one write a key, the newest, which is why writes are coalesced and never change their order.
 *
 * For every method: it is atomic (a crash leaves all or nothing of it) and durable when it resolves; instants and leases
 * are judged by the store's clock, never by the caller's; a store that does not answer within its deadline rejects with
 * `REPRISE_LEDGER_AWAY` or `REPRISE_LEDGER_BUSY`, and then the call may or may not have happened.
 *
 * A queue is the writes of one cache. Services that share a store give their queues different names. Keys, scopes and
 * values are text of the caller's, without the character NUL.
 */
export interface WriteJournal {
  /**
   * Journals writes, all in one transaction, in the order given: a key's former pending write is replaced, and so is its
   * dead one. A key that has no pending write needs room; without it, nothing of that write is kept.
   */
  readonly append: (request: AppendRequest) => Promise<Appended>;
  /** The key's newest write that has not arrived, from whichever process. `null`: there is none; a dead one is none. */
  readonly pending: (queue: string, key: string) => Promise<PendingWrite | null>;

  // ── sending ──

  /**
   * Takes pending writes that are due and that nobody else holds, those that wait longest first, for `leaseMs` from now.
   * What is journalled for a key meanwhile is not lost, and nobody can claim it before this claim of the key has ended:
   * that keeps a key's writes in order.
   */
  readonly claim: (request: ClaimWrites) => Promise<readonly ClaimedWrite[]>;
  /** Extends the lease of what the claim still holds to `leaseMs` from now. How many writes it holds; 0: none any more. */
  readonly renew: (claim: WriteClaim, leaseMs: number) => Promise<number>;
  /**
   * Ends the claim of some of its writes. What the claim does not hold any more, since its lease was over and another
   * took it, is passed over. Where a newer write was journalled meanwhile, that one stays pending and due, whatever
   * became of the older. How many writes it ended.
   */
  readonly settle: (claim: WriteClaim, ends: readonly WriteEnd[]) => Promise<number>;

  // ── looking ──

  readonly standing: (queue: string) => Promise<WriteStanding>;
  /** Those given up, oldest first, at most `limit`. */
  readonly dead: (queue: string, limit: number) => Promise<readonly DeadWriteRecord[]>;
  /** Makes a dead write pending, as if it had never failed. False: no such write, or a newer one of its key came since. */
  readonly requeue: (queue: string, version: number) => Promise<boolean>;
  /** Deletes a dead write. False: no such write. */
  readonly discard: (queue: string, version: number) => Promise<boolean>;
  /** Deletes at most `limit` writes that have been dead for `keptMs`. How many it deleted. */
  readonly sweep: (queue: string, keptMs: number, limit: number) => Promise<number>;
}

export interface AppendRequest {
  readonly queue: string;
  readonly writes: readonly { readonly key: string; readonly scope: string; readonly value: string }[];
  /** The most keys of the queue that may be pending. */
  readonly most: number;
}
export interface Appended {
  /**
   * For each write its version; `null`: there was no room. Versions rise with every write of a store, and across
   * restarts, also of a store that was lost: they are at least the microseconds since the epoch. They are not dense.
   */
  readonly versions: readonly (number | null)[];
  /** How many keys of the queue are pending now. */
  readonly pending: number;
}

export interface PendingWrite {
  readonly value: string;
  readonly version: number;
}

/** What every write of an owner carries. */
export interface WriteClaim {
  readonly queue: string;
  /** Random, one per claim: the fence. */
  readonly attempt: AttemptId;
}
export interface ClaimWrites extends WriteClaim {
  readonly leaseMs: number;
  readonly limit: number;
}
export interface ClaimedWrite extends PendingWrite {
  readonly key: string;
  readonly scope: string;
  /** How often this write failed by its own fault. */
  readonly attempts: number;
  /** How often in a row a write of this key failed; for pauses. */
  readonly failures: number;
  /** Since this write failed first; 0: it has not. */
  readonly failingMs: number;
}

export type WriteEnd = { readonly key: string } & (
  | { readonly is: "applied" }
  /** Not sent, or sent in a batch of which nobody can say who failed it: due at once. */
  | { readonly is: "released" }
  /** Sent alone, and failed. `counts`: by its own fault. */
  | { readonly is: "failed"; readonly pauseMs: number; readonly counts: boolean; readonly error: string }
  | { readonly is: "dead"; readonly error: string }
);

export interface WriteStanding {
  /** Keys whose newest write has not arrived. */
  readonly pending: number;
  readonly dead: number;
  /** The first version that has been waiting without a pause: everything older has arrived or is dead. `null`: nothing waits. */
  readonly oldest: number | null;
  /** The newest pending version. */
  readonly newest: number | null;
  /** Until something can be claimed; 0 or less: now. `null`: nothing waits. */
  readonly dueInMs: number | null;
}

export interface DeadWriteRecord {
  readonly key: string;
  readonly scope: string;
  readonly version: number;
  readonly attempts: number;
  readonly at: number;
  /** A class and code, never a value. */
  readonly error: string;
}
