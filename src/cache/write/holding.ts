import type { Clock } from "../../base/clock.ts";
import type { WriteClaim, WriteJournal } from "../../contract/write-journal.ts";

/** A claim as its owner knows it. */
export interface Holding {
  /** Whether the lease is certainly alive: past that nothing is sent. Counted from before each request for it was sent. */
  readonly isOurs: () => boolean;
  /** Aborts when the claim was lost. */
  readonly lost: AbortSignal;
  /** So many of its writes are about to be ended. The last ones end the renewing. */
  readonly ending: (writes: number) => void;
}

/** Renews a claim of writes until all of them are ended. */
export function holdClaim(options: {
  readonly journal: WriteJournal;
  readonly claim: WriteClaim;
  readonly writes: number;
  /** The monotonic time before the claim was sent. */
  readonly claimedAt: number;
  readonly leaseMs: number;
  readonly clock: Clock;
}): Holding {
  const { journal, claim, claimedAt, leaseMs, clock } = options;
  const losing = new AbortController();
  let left = options.writes;
  let endsAt = claimedAt + leaseMs;
  const isOurs = () => !losing.signal.aborted && clock.monotonic() < endsAt;
  const lose = () => losing.abort(new Error("The claim of these writes was lost to another process."));

  const renew = async (): Promise<void> => {
    const sentAt = clock.monotonic();
    // too late: another owner may have taken some of it, and would not know of a renewal
    if (!isOurs()) return lose();
    const wanted = left;
    const held = await journal.renew(claim, leaseMs).catch(() => undefined);
    if (held !== undefined && held < Math.min(wanted, left)) return lose();
    if (held !== undefined) endsAt = sentAt + leaseMs;
    later();
  };
  let cancel = () => {};
  const later = () => {
    if (left > 0) cancel = clock.timer(leaseMs / 3, () => void renew());
  };
  later();

  return {
    isOurs,
    lost: losing.signal,
    ending: (writes) => {
      left -= writes;
      if (left <= 0) cancel();
    },
  };
}
