import type { AttemptId } from "../base/names.ts";

/**
 * Who may work alone, for a time. Prevention, not protection: it spares work that would be done twice, and whoever paused
 * past the end of a lease does not know it. What must not be written by such a one is written with `check`, or at a store
 * that compares the token.
 *
 * For every method: it is atomic; a lease is judged by the store's clock at the statement, never by the caller's; a store
 * that does not answer within its deadline rejects with `REPRISE_LEDGER_AWAY` or `REPRISE_LEDGER_BUSY`, and then the call
 * may or may not have happened. A name is text of 1 to 255 characters without NUL, compared as it is; services that share
 * a store put their own name into it.
 */
export interface LeaseStore<out Tx> {
  /** For messages: `"postgres"`. */
  readonly name: string;
  readonly "~tx"?: Tx;

  /**
   * Takes the lease, unless somebody has it; waits for nobody, not even for a transaction that checks it. Where the store
   * has one writer at a time, whoever takes a lease that is free waits for its turn; who walks away does not.
   *
   * Repeating it with the same attempt is harmless: it is told `acquired` with the same token, and has the lease for
   * `leaseMs` from now, also where that was over or released, for as long as nobody else has had it since.
   */
  readonly acquire: (request: LeaseRequest) => Promise<Acquired | Held>;
  /**
   * Extends the lease to `leaseMs` from now. False: it was over and another has, or had, it; or it was released. It may have
   * to wait for an open transaction that checks the lease, and is then refused at the store's deadline.
   */
  readonly renew: (grip: Grip, leaseMs: number) => Promise<boolean>;
  /** Ends the lease now. The token stays, so that the next one is greater. False: it was not this one's any more. */
  readonly release: (grip: Grip) => Promise<boolean>;
  /** How the lease stands. `null`: nobody ever had it, as far as the store knows. */
  readonly look: (name: string) => Promise<LeaseStanding | null>;
  /**
   * The fence of a holder's own writes, as the last statement of their transaction: true holds off whoever would take the
   * lease until that has ended; false says that another has, or had, it, and then the transaction must be rolled back.
   * It asks who has it, not for how long: a lease that is over and that nobody took is still this one's.
   * Left out: the store has no transactions.
   */
  check?(tx: Tx, grip: Grip): Promise<boolean>;
}

export interface LeaseRequest {
  readonly name: string;
  /** The instance, for people. */
  readonly holder: string;
  /** Random, one for each time that somebody tries. */
  readonly attempt: AttemptId;
  readonly leaseMs: number;
}

/** What every call of a holder carries. */
export interface Grip {
  readonly name: string;
  readonly attempt: AttemptId;
  /** Greater with each acquisition of the name: an order for outside resources that refuse the lesser. */
  readonly token: number;
}

export interface Acquired {
  readonly is: "acquired";
  readonly token: number;
}
export interface Held {
  readonly is: "held";
  /** `null`: the store does not tell. */
  readonly holder: string | null;
  /** Until the lease ends, if nobody renews it; `null`: the store does not tell. */
  readonly forMs: number | null;
}

export interface LeaseStanding {
  readonly token: number;
  /** The last one who had it; `null`: the store does not tell. */
  readonly holder: string | null;
  /** Until the lease ends; 0 or less: nobody has it. `null`: somebody has it, and the store does not tell for how long. */
  readonly forMs: number | null;
}
