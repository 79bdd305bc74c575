import { Abortable } from "../base/abortable.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import type { Grip, LeaseStore } from "../contract/lease.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Lease } from "../lease/lease.ts";
import type { Run } from "../operation/run.ts";
import type { RecordCounts } from "./surface.ts";

/** One tick in the hands of its holder. */
export class HeldTick {
  /** The nominal instant. */
  readonly at: number;
  readonly grip: Grip;
  readonly ledger: Ledger<unknown>;
  /** Aborted when the next tick wants this one's place; the lease is kept, so that it can be ended well. */
  readonly stopping = new Abortable();
  /** Aborted when the instance closes: what has begun goes on, no further record does. */
  readonly draining: Abortable;
  /** Of its work list, as far as it has come. */
  counts: RecordCounts | null = null;
  readonly #lease: Lease;
  readonly #leases: LeaseStore<unknown>;

  constructor(
    at: number,
    grip: Grip,
    lease: Lease,
    leases: LeaseStore<unknown>,
    ledger: Ledger<unknown>,
    draining: Abortable,
  ) {
    this.at = at;
    this.grip = grip;
    this.ledger = ledger;
    this.draining = draining;
    this.#lease = lease;
    this.#leases = leases;
  }

  /** What its `signal` is aborted by, besides the end of its own work's lease. */
  get endings(): readonly Abortable[] {
    return [this.#lease.losing, this.stopping];
  }

  /** @throws the reason why it must stop; called before everything that cannot be taken back */
  check(): void {
    this.#lease.check();
    if (this.stopping.reason !== undefined) throw this.stopping.reason;
  }

  /** @throws the reason why no further record may start */
  checkNext(): void {
    this.check();
    if (this.draining.reason !== undefined) throw this.draining.reason;
  }

  /**
   * The last statement of a transaction: whoever has lost the schedule must not commit. Only where the ledger keeps the
   * lease, and in another store nothing is said of the transaction.
   */
  async fence(tx: unknown, schedule: string): Promise<void> {
    if (this.#leases !== this.ledger.leases || this.#leases.check === undefined) return;
    if (await this.#leases.check(tx, this.grip)) return;
    const lost = new RepriseError("REPRISE_LEASE_LOST", { operation: schedule });
    this.#lease.lose(lost);
    throw lost;
  }
}

export function signalOf(tick: HeldTick, run: Run): AbortSignal {
  return AbortSignal.any([run.signal, ...tick.endings.map(({ signal }) => signal)]);
}

/** Whether an error says that the store is away, or that this process closes: then nothing is known of what was asked. */
export function isAway(error: unknown): boolean {
  return (
    isRepriseError(error, "REPRISE_LEDGER_AWAY") ||
    isRepriseError(error, "REPRISE_LEDGER_BUSY") ||
    isRepriseError(error, "REPRISE_CLOSED")
  );
}
