import type { Ledger } from "../contract/ledger.ts";
import type { Capability } from "./suite.ts";

/** What a ledger gives its conformance suite. */
export interface LedgerAdapter<Tx> {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** Transactions: `transaction`, `transact`, `atomic`, `join`. */
    readonly transactions: Capability;
    /** A second instance on the same store. */
    readonly severalInstances: Capability;
  };
  /** A new, empty, opened ledger. */
  readonly open: () => Promise<LedgerStage<Tx>>;
}

export interface LedgerStage<Tx> {
  readonly ledger: Ledger<Tx>;
  /**
   * Makes the store judge as if `ms` had passed: by moving its clock, or by moving every stored instant back. No test
   * sleeps.
   */
  readonly passTime: (ms: number) => Promise<void>;
  /** Of the works that race for each other, so many are enough, where each takes an emulator some time. Left out: hundreds. */
  readonly fewRaces?: boolean | undefined;
  /** A second, opened instance on the same store; `close` closes it too. */
  readonly another: () => Promise<Ledger<Tx>>;
  /** The user's own table: one row more in this transaction. */
  readonly insertBooking: (tx: Tx, identity: string) => Promise<void>;
  /** The committed rows of that table. */
  readonly bookings: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}
