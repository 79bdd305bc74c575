import { afterAll, beforeAll, describe, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type LedgerAdapter, type RegistersAdapter, registersSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { movableClock } from "../support/movable-clock.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisLedgers } from "../support/redis-ledgers.ts";

const noRedis = noRedisHere();

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

/** A ledger's registers, on the stage of the ledger's own suite. */
function registersOn<Tx>({ name, can, open }: LedgerAdapter<Tx>): RegistersAdapter<Tx> {
  return {
    name,
    can,
    open: async () => {
      const { ledger, passTime, another, close } = await open();
      return {
        registers: registersOf(ledger),
        passTime,
        another: async () => registersOf(await another()),
        transaction: can.transactions === true ? ledger.transaction : null,
        close,
      };
    },
  };
}

const mysql = await mysqlLedgers();
afterAll(mysql.drop);

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
suite(registersOn(mysql.own), mysql.missing);
suite(registersOn(mysql.inMapper), mysql.missing);
suite(registersOn(mysql.byStatementsForMysql), mysql.missing);

describe.each(redisLedgers)("on $adapter.name", ({ adapter, start }) => {
  let started: { readonly stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    if (noRedis === undefined) started = await start();
  });
  afterAll(() => started?.stop());
  suite(registersOn(adapter), noRedis);
});
