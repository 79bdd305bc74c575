import { describe, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type RegistersAdapter, registersSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { movableClock } from "../support/movable-clock.ts";

function registersOf<Tx>(ledger: Ledger<Tx>): Registers<Tx> {
  if (ledger.registers === undefined) throw new Error(`ledger '${ledger.name}' keeps no registers`);
  return ledger.registers;
}

const memory: RegistersAdapter<MemoryTransaction> = {
  name: "memory",
  can: { transactions: true, severalInstances: { not: "a memory ledger is its own store" } },
  open: async () => {
    const { clock, passTime } = movableClock();
    const ledger = memoryLedger({ clock });
    return {
      registers: registersOf(ledger),
      passTime,
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      transaction: ledger.transaction,
      close: ledger.close,
    };
  },
};

function suite<Tx>(adapter: RegistersAdapter<Tx>, missing?: string): void {
  describe(`the suite of registers on ${adapter.name}`, () => {
    for (const { name, skip, run } of registersSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}

suite(memory);
