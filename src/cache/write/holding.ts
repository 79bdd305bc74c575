import type { Clock } from "../../base/clock.ts";
import type { WriteClaim, WriteJournal } from "../../contract/write-journal.ts";

/** A claim as its owner knows it. */
export interface Holding {
  /** Whether something may still be sent under it. */
  readonly isOurs: () => boolean;
  /** Aborts when the claim is lost, or may soon be. */
  readonly lost: AbortSignal;
  /** So many of its writes are about to be ended. The last ones end the renewing. */
  readonly ending: (writes: number) => void;
}

/**
 * Renews a claim of writes until all of them are ended. Its owner counts the lease from before each request for it was
 * sent, and gives up `graceMs` before its end: a call that heeds its signal has ended when another owner may send.
 */
export function holdClaim(options: {
  readonly journal: WriteJournal;
  readonly claim: WriteClaim;
  readonly writes: number;
  /** The monotonic time before the claim was sent. */
  readonly claimedAt: number;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly clock: Clock;
}): Holding {
  const { journal, claim, leaseMs, graceMs, clock } = options;
  const losing = new AbortController();
  let left = options.writes;
  let endsAt = 0;
  let cancelEnd = () => {};
  let cancelRenewal = () => {};
  const isOurs = () => !losing.signal.aborted && clock.monotonic() < endsAt;

  const release = () => {
    cancelEnd();
    cancelRenewal();
  };
  const lose = () => {
    release();
    losing.abort(new Error("The lease of these writes is over."));
  };
  const extend = (from: number) => {
    endsAt = from + leaseMs - graceMs;
    cancelEnd();
    cancelEnd = clock.timer(endsAt - clock.monotonic(), lose);
  };
  const renewLater = () => {
    cancelRenewal = clock.timer(leaseMs / 3, () => void renew());
  };
  const renew = async (): Promise<void> => {
    const sentAt = clock.monotonic();
    const held = await journal.renew(claim, leaseMs).catch(() => undefined);
    if (left <= 0 || losing.signal.aborted) return;
    // some of it is another's already
    if (held !== undefined && held < left) return lose();
    if (held !== undefined) extend(sentAt);
    renewLater();
  };
  extend(options.claimedAt);
  renewLater();

  return {
    isOurs,
    lost: losing.signal,
    ending: (writes) => {
      left -= writes;
      if (left <= 0) release();
    },
  };
}
