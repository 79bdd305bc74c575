import { abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { onAbort } from "../base/signals.ts";
import type { Progress } from "../contract/ledger.ts";

/** The right to work, for as long as the ledger renews it. */
export interface Lease {
  /** Aborted when the lease is lost or the instance closes. */
  readonly signal: AbortSignal;
  /** Why it was aborted; `undefined`: it is held, as far as is known. */
  readonly lost: () => Error | undefined;
  /** @throws the reason why work must stop; called before everything that cannot be taken back */
  readonly check: () => void;
  /** Says that the ledger has refused this attempt. */
  readonly lose: (reason: Error) => void;
  /** Tells the ledger how far the work has come, with a renewal that comes soon for it. */
  readonly report: (progress: Progress) => void;
  readonly stop: () => void;
}

export interface LeaseOptions {
  readonly clock: Clock;
  readonly operation: string;
  readonly leaseMs: number;
  /** On the monotonic clock, from before the claim was sent: the store's lease can only begin later. */
  readonly sentAt: number;
  /** A rejection is no answer: the local deadline decides. */
  readonly renew: (progress: Progress | null) => Promise<"renewed" | "cancelled" | "fenced">;
  /** Nobody wants the work any more; the lease is kept, so that it can be ended well. */
  readonly cancelled: () => void;
  readonly closing: AbortSignal;
}

/**
 * Renews a claim's lease at a third of it. The store's clock decides who owns the work; this side only must never believe
 * longer: the local deadline counts from before each renewal was sent.
 */
export function holdLease(options: LeaseOptions): Lease {
  const { clock, operation, leaseMs, closing } = options;
  const losing = abortable();
  const renewMs = leaseMs * defaults.operation.renewAt;
  let deadline = options.sentAt + leaseMs;
  let cancelRenewal = () => {};
  let cancelDeadline = () => {};
  let ignoreClosing = () => {};
  let stopped = false;
  let renewing = false;
  let renewedAt = options.sentAt;
  let progress: Progress | null = null;

  const stop = () => {
    stopped = true;
    cancelRenewal();
    cancelDeadline();
    ignoreClosing();
  };
  const lose = (reason: Error) => {
    stop();
    losing.abort(reason);
  };
  const closed = () => lose(closing.reason as Error);
  const over = () => lose(new RepriseError("REPRISE_LEASE_LOST", { operation }));

  const watchDeadline = () => {
    cancelDeadline();
    cancelDeadline = clock.timer(Math.max(0, deadline - clock.monotonic()), () =>
      // a timer may fire early by a fraction of a millisecond
      clock.monotonic() >= deadline ? over() : watchDeadline(),
    );
  };
  const renew = () => {
    renewing = true;
    renewedAt = clock.monotonic();
    const sentAt = renewedAt;
    const told = progress;
    options.renew(told).then(
      (renewed) => {
        renewing = false;
        if (stopped) return;
        if (renewed === "fenced") return lose(new RepriseError("REPRISE_FENCED", { operation }));
        deadline = sentAt + leaseMs;
        watchDeadline();
        const isNew = progress !== told;
        if (!isNew) progress = null;
        renewLater(isNew ? untilReport() : renewMs);
        if (renewed === "cancelled") options.cancelled();
      },
      () => {
        renewing = false;
        // no answer is no refusal: while the store still holds the lease, it is asked again, sooner as time runs out
        const leftMs = deadline - clock.monotonic();
        if (!stopped && leftMs > 0) renewLater(Math.min(renewMs, Math.max(leftMs / 4, renewMs / 20)));
      },
    );
  };
  const renewLater = (afterMs: number) => {
    cancelRenewal();
    cancelRenewal = clock.timer(afterMs, renew);
  };
  const untilReport = () => Math.max(0, renewedAt + defaults.operation.reportEveryMs - clock.monotonic());

  if (closing.aborted) closed();
  else {
    ignoreClosing = onAbort(closing, closed);
    watchDeadline();
    renewLater(renewMs);
  }
  return {
    get signal() {
      return losing.signal;
    },
    lost: () => losing.reason,
    check: () => {
      if (losing.reason === undefined && clock.monotonic() >= deadline) over();
      if (losing.reason !== undefined) throw losing.reason;
    },
    lose,
    report: (reached) => {
      const isWaiting = progress !== null;
      progress = reached;
      if (!stopped && !renewing && !isWaiting) renewLater(Math.min(untilReport(), renewMs));
    },
    stop,
  };
}
