import type { ConsumeOptions } from "../../src/consume/declaration.ts";
import type { Source } from "../../src/contract/source.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { batchingOf } from "../../src/operation/batching.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { queue } from "../support/queue.ts";
import type { Seat } from "./consume-stand.ts";

/**
 * Instances that book seats in the ledger's own transactions, several messages in one.
 * @param shares whether the ledger gains by that
 */
export function stand(options: ConsumeOptions<Seat>, { shares = false } = {}) {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const faulty = faultyLedger(ledger);
  const broker = queue({ clock });
  const runs: string[] = [];
  let run: (input: Seat) => Promise<void> = async () => {};
  const given = { ...faulty.ledger, ...(shares && { batch: batchingOf(faulty.ledger) }) };
  const instance = (source: Source = broker.source) => {
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger: given, clock });
    const book = reprise.operation({
      name: "seat.book",
      input: unchecked<Seat>(),
      principal: "everyone",
      identity: (input) => [input.reference],
      retention: "1d",
      effects: "database",
      refusals: { "sold-out": { status: 409, because: "No seat is left." } },
      run: async ({ input, tx, refuse }) => {
        runs.push(input.reference);
        if (input.seat < 0) throw refuse("sold-out");
        await run(input);
        tx.set(input.reference, input.seat);
        return input.seat;
      },
    });
    return { reprise, book, consumer: reprise.consume(book, source, options) };
  };
  return {
    ...{ clock, ledger, faulty, broker, runs, instance },
    booked: () => [...ledger.rows.keys()].sort(),
    transactions: () => faulty.calls("transaction") + faulty.calls("atomic"),
    running: (work: typeof run) => {
      run = work;
    },
  };
}

export const references = (count: number) => Array.from({ length: count }, (_, place) => `R${place}`);
