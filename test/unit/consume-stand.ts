import type { ConsumeOptions } from "../../src/consume/declaration.ts";
import type { Registers } from "../../src/contract/registers.ts";
import type { Source } from "../../src/contract/source.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { type QueueOptions, queue } from "../support/queue.ts";

export interface Seat {
  readonly reference: string;
  readonly seat: number;
}
export const seat = (reference: string, number = 1): Seat => ({ reference, seat: number });

export interface StandOptions extends Partial<QueueOptions>, ConsumeOptions<Seat> {
  /** Stands before the queue. */
  readonly through?: (source: Source) => Source;
  /** Stands before the ledger's registers. */
  readonly registers?: (registers: Registers<unknown>) => Registers<unknown>;
}

/** An instance that books seats, and the queue that it is told of them by. */
export function stand(options: StandOptions = {}) {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const {
    horizonMs,
    delays,
    lockMs,
    pushes,
    redelivers,
    through = (source) => source,
    registers,
    ...consuming
  } = options;
  const asked = {
    clock,
    ...(horizonMs !== undefined && { horizonMs }),
    ...(delays && { delays }),
    ...(lockMs && { lockMs }),
    ...(pushes && { pushes }),
    ...(redelivers && { redelivers }),
  };
  const broker = queue(asked);
  const source = through(broker.source);
  const faulty = faultyLedger(ledger);
  const runs: string[] = [];
  let run = async (input: Seat): Promise<unknown> => input.seat;
  const instance = (name: string, own = clock) => {
    // several processes share one ledger here
    const shared = { ...faulty.ledger, close: async () => {} };
    if (registers !== undefined && shared.registers !== undefined) {
      Object.assign(shared, { registers: registers(shared.registers) });
    }
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger: shared, clock: own, instance: name });
    const book = reprise.operation({
      name: "seat.book",
      input: unchecked<Seat>(),
      ifRunsAgain: "replays",
      costIfTwice: "money",
      principal: "everyone",
      identity: (input) => [input.reference],
      retention: "1d",
      effects: "external",
      refusals: { "sold-out": { status: 409, because: "No seat is left." } },
      run: async ({ input, refuse }) => {
        runs.push(input.reference);
        if (input.seat < 0) throw refuse("sold-out");
        return run(input);
      },
    });
    const consumer = reprise.consume(book, source, consuming);
    return { reprise, book, consumer };
  };
  return {
    ...{ source, clock, ledger, faulty, broker, runs, instance },
    running: (work: typeof run) => {
      run = work;
    },
  };
}
