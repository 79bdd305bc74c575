import { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import type { Progress } from "../contract/ledger.ts";

export interface LeaseOptions {
  readonly clock: Clock;
  readonly operation: string;
  readonly leaseMs: number;
  /** On the monotonic clock, from before the claim was sent: the store's lease can only begin later. */
  readonly sentAt: number;
  /** A rejection is no answer: the local deadline decides. */
  readonly renew: (progress: Progress | null, leaseMs: number) => Promise<"renewed" | "cancelled" | "fenced">;
  /** Nobody wants the work any more; the lease is kept, so that it can be ended well. */
  readonly cancelled: () => void;
  readonly closing: Abortable;
  /** On the monotonic clock: the platform ends this process then, and no renewal reaches further. Left out: nothing does. */
  readonly endsAt?: number | null | undefined;
}

/** How long a lease that is asked for now may last, in whole milliseconds, as stores count them. */
export function leaseFrom(now: number, { leaseMs, endsAt }: Pick<LeaseOptions, "leaseMs" | "endsAt">): number {
  return endsAt === undefined || endsAt === null ? leaseMs : Math.max(1, Math.min(leaseMs, Math.floor(endsAt - now)));
}

/**
 * The right to work, renewed at a third of it for as long as the ledger does. The store's clock decides who owns the work;
 * this side only must never believe longer: the local deadline counts from before each renewal was sent.
 */
export class Lease {
  /** Aborted when the lease is lost or the instance closes. */
  readonly losing = new Abortable();
  readonly #options: LeaseOptions;
  readonly #renewMs: number;
  #deadline: number;
  #renewedAt: number;
  /** When the next renewal is due; `null`: one is under way. */
  #renewAt: number | null;
  #progress: Progress | null = null;
  #stopped = false;
  #cancelTimer = () => {};
  #ignoreClosing = () => {};

  constructor(options: LeaseOptions) {
    const { sentAt, closing } = options;
    this.#options = options;
    const leaseMs = leaseFrom(sentAt, options);
    this.#renewMs = leaseMs * defaults.operation.renewAt;
    this.#deadline = sentAt + leaseMs;
    this.#renewedAt = sentAt;
    this.#renewAt = options.clock.monotonic() + this.#renewMs;
    this.#ignoreClosing = closing.onAbort((reason) => this.lose(reason));
    this.#wakeInTime();
  }

  /** @throws the reason why work must stop; called before everything that cannot be taken back */
  check(): void {
    if (this.losing.reason === undefined && this.#options.clock.monotonic() >= this.#deadline) this.#over();
    if (this.losing.reason !== undefined) throw this.losing.reason;
  }

  /** Says that the ledger has refused this attempt. */
  lose(reason: Error): void {
    this.stop();
    this.losing.abort(reason);
  }

  /** Tells the ledger how far the work has come, with a renewal that comes soon for it. */
  report(progress: Progress): void {
    const isWaiting = this.#progress !== null;
    this.#progress = progress;
    // one that waits is told by the same renewal; while one is under way, its answer sees to it
    if (isWaiting || this.#renewAt === null) return;
    this.#renewAt = Math.min(this.#renewAt, this.#nextReportAt());
    this.#wakeInTime();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#ignoreClosing();
  }

  #over(): void {
    this.lose(new RepriseError("REPRISE_LEASE_LOST", { operation: this.#options.operation }));
  }

  #wakeInTime(): void {
    this.#cancelTimer();
    if (this.#stopped) return;
    const { clock } = this.#options;
    const at = Math.min(this.#renewAt ?? this.#deadline, this.#deadline);
    this.#cancelTimer = clock.timer(Math.max(0, at - clock.monotonic()), this.#wake);
  }

  readonly #wake = (): void => {
    const now = this.#options.clock.monotonic();
    if (now >= this.#deadline) this.#over();
    else if (this.#renewAt !== null && now >= this.#renewAt) this.#renew(now);
    // a timer may fire early by a fraction of a millisecond
    this.#wakeInTime();
  };

  #renew(sentAt: number): void {
    const { clock, operation, renew, cancelled } = this.#options;
    const leaseMs = leaseFrom(sentAt, this.#options);
    this.#renewAt = null;
    this.#renewedAt = sentAt;
    const told = this.#progress;
    renew(told, leaseMs).then(
      (renewed) => {
        if (this.#stopped) return;
        if (renewed === "fenced") return this.lose(new RepriseError("REPRISE_FENCED", { operation }));
        this.#deadline = sentAt + leaseMs;
        this.#renewAt = clock.monotonic() + this.#renewMs;
        if (this.#progress === told) this.#progress = null;
        else this.#renewAt = Math.min(this.#renewAt, this.#nextReportAt());
        this.#wakeInTime();
        if (renewed === "cancelled") cancelled();
      },
      () => {
        // no answer is no refusal: while the store still holds the lease, it is asked again, sooner as time runs out
        const now = clock.monotonic();
        const leftMs = this.#deadline - now;
        this.#renewAt = now + Math.min(this.#renewMs, Math.max(leftMs / 4, this.#renewMs / 20));
        this.#wakeInTime();
      },
    );
  }

  #nextReportAt(): number {
    return this.#renewedAt + defaults.operation.reportEveryMs;
  }
}
