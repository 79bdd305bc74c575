import type { Config } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { LeaseStore } from "../contract/lease.ts";

/** What `reprise.lease` takes beside a name. */
export interface LeaseDeclaration {
  /**
   * How long it holds without a renewal: so long nobody takes over from a process that crashed. It is renewed at a third.
   * Default 30s.
   */
  readonly lease?: Duration | undefined;
  /** Where it is kept. It stays its maker's, who opens and closes it. Default: the ledger. */
  readonly store?: LeaseStore<unknown> | undefined;
}

/** A name that one at a time may work under, in all processes that share the store. */
export interface NamedLease<out Right extends Hold> {
  readonly name: string;
  /**
   * Runs `work` if nobody holds the lease; else it walks away, at once, in one round trip. Each call is an attempt of its
   * own, also within one process. The lease is renewed while `work` runs, released when that has ended, and over when the
   * process has crashed.
   *
   * Resolves with what `work` returned; rejects with what it threw. Work that returns although the lease was lost meanwhile
   * rejects with the error that its `signal` was aborted with: another may have done it too, so nobody is told that it is
   * done. It settles no sooner than `work` does: heed the signal.
   *
   * @throws REPRISE_LEASE_LOST: no renewal was answered in time; REPRISE_FENCED: another holds it; REPRISE_CLOSED;
   * REPRISE_LEDGER_AWAY or REPRISE_LEDGER_BUSY: the store did not answer, and `work` was not run
   */
  readonly hold: <T>(work: (right: Right) => T | Promise<T>, options?: HoldOptions) => Promise<HoldOutcome<T>>;
}

export interface HoldOptions {
  /** Nobody wants the work any more: the work's own signal is aborted with the same reason, and the lease is kept until it ends. */
  readonly signal?: AbortSignal | undefined;
}

/** What whoever holds a lease works with, until its work ends. */
export interface Hold {
  /**
   * Aborted when the lease is lost (`REPRISE_LEASE_LOST`, `REPRISE_FENCED`), when the instance closes and waits no longer
   * (`REPRISE_CLOSED`), and by the caller. A process that is stopped hears of nothing: what must not be written late is
   * written by `transaction`, or where the token is compared.
   */
  readonly signal: AbortSignal;
  /**
   * Greater with each acquisition of the name. Store it with what you write, and refuse what carries a lesser one: so a
   * late writer is refused by the resource itself.
   */
  readonly token: number;
}

/** Where the lease lies in the database that is written. */
export interface FencedHold<Tx> extends Hold {
  /**
   * A transaction of the ledger's that commits only while nobody else has taken the lease: asked last, in the transaction
   * itself, so that whoever takes the lease over finds it committed, or it is rolled back and rejects with
   * `REPRISE_FENCED`. What `work` throws rolls back. After a conflict with another transaction `work` runs again.
   */
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
}

export type HoldOutcome<T> =
  | { readonly status: "done"; readonly value: T }
  /** Somebody else is at it. `holder`: the instance; `forMs`: until the lease ends unless it is renewed; `null`: not told. */
  | { readonly status: "held"; readonly holder: string | null; readonly forMs: number | null };

type HasStore<O> = O extends { readonly store: LeaseStore<unknown> } ? true : false;
/** Named by a sentence where it is refused, because the compiler prints the parameter's type. */
type NameFor<C extends Config, O> = C["ledger"] extends true
  ? string
  : HasStore<O> extends true
    ? string
    : "this reprise has no ledger to keep leases in: give createReprise one, or this lease a store";
/** With a store of its own, or what may have one, no transaction is told to be there. */
type HoldFor<C extends Config, O> = "store" extends keyof O
  ? Hold
  : [C["tx"]] extends [never]
    ? Hold
    : FencedHold<C["tx"]>;

export type LeaseVerb<C extends Config> = <const O extends LeaseDeclaration = Record<never, never>>(
  name: NameFor<C, O>,
  options?: O,
) => NamedLease<HoldFor<C, O>>;
