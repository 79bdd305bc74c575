import type { LeaseStore } from "../contract/lease.ts";
import type { Capability } from "./suite.ts";

/** What a store of leases gives its conformance suite. */
export interface LeaseAdapter<Tx> {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** Transactions that `check` fences. */
    readonly transactions: Capability;
    /** A second instance on the same store. */
    readonly severalInstances: Capability;
    /** Writes beside an open transaction: a store that has one writer at a time lets everybody else wait for it. */
    readonly writesAtOnce: Capability;
    /** Its time can be moved: `passTime`. */
    readonly movesTime: Capability;
    /** Tells who has a lease, and for how long. */
    readonly tells: Capability;
  };
  /** A new, empty, opened store. */
  readonly open: () => Promise<LeaseStage<Tx>>;
}

export interface LeaseStage<Tx> {
  readonly leases: LeaseStore<Tx>;
  /** Makes the store judge as if `ms` had passed. Called only where `movesTime`. */
  readonly passTime: (ms: number) => Promise<void>;
  /** Makes the store judge that the lease of this name is over, as if nobody had renewed it. */
  readonly endLease: (name: string) => Promise<void>;
  /** A second, opened instance on the same store; `close` closes it too. */
  readonly another: () => Promise<LeaseStore<Tx>>;
  /** `null`: the store has none. */
  readonly fenced: FencedTransactions<Tx> | null;
  readonly close: () => Promise<void>;
}

/** The user's own writes, beside the leases. */
export interface FencedTransactions<Tx> {
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /** The user's own table: one row more in this transaction. */
  readonly insertBooking: (tx: Tx, identity: string) => Promise<void>;
  /** The committed rows of that table. */
  readonly bookings: () => Promise<readonly string[]>;
}

/** A case before it is bound to an adapter. */
export interface LeaseScenario {
  readonly name: string;
  readonly needs?: readonly (keyof LeaseAdapter<unknown>["can"])[];
  readonly run: <Tx>(stage: LeaseStage<Tx>) => Promise<void>;
}
