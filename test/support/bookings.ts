import { createReprise, unchecked } from "../../src/index.ts";
import { type MemoryLedger, type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, type ManualClock, manualClock } from "../../src/testing/index.ts";

/** A small booking service on a memory ledger, whose gateway and clock a test holds in its hands. */

export interface Book {
  readonly user: string;
  readonly reference: string;
  readonly seat: number;
}

export interface Gateway {
  /** Every call, with the key it was sent under. */
  readonly calls: { readonly key: string; readonly seat: number }[];
  /** Replaces what the next call does; it is counted all the same. */
  next: ((key: string, signal: AbortSignal) => Promise<{ readonly id: string }>)[];
  /** What the other side knows of a key. */
  readonly charges: Map<string, { readonly id: string }>;
}

/** A charge by key, as a gateway that honours keys keeps it. */
export function createGateway(): Gateway & {
  readonly charge: (key: string, seat: number, signal: AbortSignal) => Promise<{ readonly id: string }>;
} {
  const gateway: Gateway = { calls: [], next: [], charges: new Map() };
  return Object.assign(gateway, {
    charge: async (key: string, seat: number, signal: AbortSignal) => {
      gateway.calls.push({ key, seat });
      const planned = gateway.next.shift();
      if (planned !== undefined) return planned(key, signal);
      const charge = gateway.charges.get(key) ?? { id: `ch_${gateway.charges.size + 1}` };
      gateway.charges.set(key, charge);
      return charge;
    },
  });
}

export type IfUnknown = "retry" | "park" | "ask";

interface Shared {
  readonly clock: ManualClock;
  readonly store: MemoryLedger;
  readonly gateway: ReturnType<typeof createGateway>;
}

export function createBookings(
  options: {
    readonly ifUnknown?: IfUnknown;
    readonly resumes?: "by-itself" | "next-attempt";
    readonly clock?: ManualClock;
    /** Another instance on the same ledger. */
    readonly sharing?: Shared;
  } = {},
) {
  const clock = options.clock ?? options.sharing?.clock ?? manualClock();
  const store = options.sharing?.store ?? memoryLedger({ clock });
  const gateway = options.sharing?.gateway ?? createGateway();
  const faulty = faultyLedger<MemoryTransaction>(store);
  const reprise = createReprise({
    service: "booking",
    owner: "test",
    undecided: "listed",
    ledger: faulty.ledger,
    clock,
  });
  const policy = options.ifUnknown ?? "retry";
  /** What a test puts before the charge, between charge and transaction, and after it. */
  const at = { start: noop, charged: noop, booked: noop };

  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<Book>(),
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "30d",
    effects: "external",
    resumes: options.resumes,
    refusals: {
      "sold-out": { status: 409, because: "No seat is left." },
      declined: { status: 402, because: "The card was declined." },
    },
    run: async ({ input, effect, transaction, refuse, signal }) => {
      await at.start(signal);
      if (input.seat === 0) throw refuse("sold-out");
      const run = (key: string, aborted: AbortSignal) => {
        if (input.seat === 13) throw refuse("declined");
        return gateway.charge(key, input.seat, aborted);
      };
      const charge = await effect(
        "charge",
        policy === "ask"
          ? {
              run,
              deadline: "5s",
              arrivesWithin: "5s",
              ifUnknown: async (key) => gateway.charges.get(key) ?? "never-happened",
            }
          : { run, ifUnknown: policy },
      );
      await at.charged(signal);
      const booking = await transaction(async (tx) => {
        tx.set(`booking:${input.reference}`, { seat: input.seat, charge: charge.id });
        return { reference: input.reference, charge: charge.id };
      });
      await at.booked(signal);
      return booking;
    },
  });
  const bookings = () => [...store.rows.keys()].filter((row) => row.startsWith("booking:")).length;
  return { reprise, book, gateway, clock, store, faulty, at, bookings };
}

const noop = async (_signal: AbortSignal): Promise<void> => {};

export const alice: Book = { user: "alice", reference: "BK-1", seat: 4 };

/** A promise with its handles outside. */
export function gate<T = void>() {
  let open = (_value: T) => {};
  const passed = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

/** An effect whose answer never comes. */
export async function lost(): Promise<never> {
  throw new Error("connection reset");
}
