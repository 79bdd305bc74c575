import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { OutgoingMessage, Publisher } from "../../src/contract/publisher.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";

export interface Released {
  readonly release: string;
  readonly seat: number;
}
export const released = (release: string, seat = 1): Released => ({ release, seat });

/** A broker in this process, which keeps what it was sent. */
export function broker() {
  const sent: OutgoingMessage[] = [];
  const batches: (readonly string[])[] = [];
  let before: (messages: readonly OutgoingMessage[]) => Promise<void> = async () => {};
  let open = 0;
  const to: Publisher = {
    name: "broker seats",
    open: async () => {
      open += 1;
      return {
        send: async (messages) => {
          batches.push(messages.map(({ id }) => id));
          await before(messages);
          sent.push(...messages);
        },
        close: async () => {
          open -= 1;
        },
      };
    },
  };
  return {
    ...{ to, sent, batches },
    ids: () => sent.map(({ id }) => id),
    isOpen: () => open > 0,
    /** What happens before it takes a batch. */
    beforeSending: (work: typeof before) => {
      before = work;
    },
  };
}

export interface StandOptions {
  /** Stands before the registers. */
  readonly registers?: (registers: Registers<MemoryTransaction>) => Registers<MemoryTransaction>;
  /** Stands before the leases. */
  readonly leases?: (leases: LeaseStore<MemoryTransaction>) => LeaseStore<MemoryTransaction>;
}

/** A ledger in memory that several instances share, each with the declarations that a test gives it. */
export function stand({ registers = (all) => all, leases = (all) => all }: StandOptions = {}) {
  const own = memoryLedger();
  if (own.registers === undefined || own.leases === undefined) throw new Error("it keeps both");
  const ledger = {
    ...own,
    close: async () => {},
    registers: registers(own.registers),
    leases: leases(own.leases),
  };
  const opened: { readonly close: () => Promise<void> }[] = [];
  return {
    ledger,
    instance: (name: string, background: "here" | "elsewhere" = "here") => {
      const reprise = createReprise({ service: "shop", undecided: "listed", ledger, background, instance: name });
      opened.push(reprise);
      return reprise;
    },
    close: async () => {
      await Promise.all(opened.map((one) => one.close()));
    },
  };
}

export const seatReleased = {
  name: "seat.released",
  message: unchecked<Released>(),
  id: ({ release }: Released) => release,
};

/** Publishes in transactions of the ledger's own. */
export async function publish(
  ledger: Ledger<MemoryTransaction>,
  outbox: { readonly publishIn: (tx: MemoryTransaction, message: Released) => Promise<void> },
  ...messages: readonly Released[]
): Promise<void> {
  for (const message of messages) await ledger.transaction((tx) => outbox.publishIn(tx, message));
}
