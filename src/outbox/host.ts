import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import type { LeaseStore } from "../contract/lease.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Registers } from "../contract/registers.ts";
import type { OutboxCounters } from "./counters.ts";
import type { OtherForms } from "./other-forms.ts";
import type { OutboxSettings } from "./settings.ts";
import type { Waiter } from "./waiter.ts";

/** What the instance lends to its outboxes. */
export interface OutboxHost {
  readonly service: string;
  readonly instance: string;
  readonly clock: () => Clock;
  /** The ledger, opened at the first use. `waitMs`: the caller waits no longer for that, and the opening goes on. */
  readonly ledger: (waitMs?: number) => Promise<Ledger<unknown>>;
  /** Aborted when the instance closes and no longer waits. */
  readonly closing: Abortable;
}

/** Those of a store that has all that a queue is made of. */
export type QueueRegisters = Registers<unknown> & Required<Pick<Registers<unknown>, "appendIn" | "removeThrough">>;

export function areQueue(registers: Registers<unknown> | undefined): registers is QueueRegisters {
  return registers?.appendIn !== undefined && registers.removeThrough !== undefined;
}

/** One outbox in one instance, on an open ledger. */
export interface OutboxStores {
  readonly settings: OutboxSettings;
  readonly instance: string;
  readonly clock: Clock;
  readonly ledger: Ledger<unknown>;
  readonly registers: QueueRegisters;
  readonly leases: LeaseStore<unknown>;
  readonly counters: OutboxCounters;
  /** Woken when something may have been committed in this process. */
  readonly waiter: Waiter;
  readonly otherForms: OtherForms;
  readonly closing: Abortable;
}
