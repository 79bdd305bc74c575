import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { TellOperation } from "./events.ts";

/** What the instance lends to its operations. */
export interface Host {
  readonly service: string;
  readonly instance: string;
  readonly clock: () => Clock;
  /** The ledger, opened at the first use. `waitMs`: the caller waits no longer for that, and the opening goes on. */
  readonly ledger: (waitMs?: number) => Promise<Ledger<unknown>>;
  /** For messages, also before it is open. */
  readonly ledgerName: () => string;
  /** Something of this work was committed, or is known to have been: caches that it changes are told. */
  readonly committed: (operation: string, input: unknown) => void;
  /** Work was accepted, or is to be ended, and this instance may look for it at once. */
  readonly accepted: () => void;
  readonly tell: TellOperation;
  /** Aborted when the instance closes and no longer waits. */
  readonly closing: Abortable;
}
