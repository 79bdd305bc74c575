import { afterAll } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { type LedgerAdapter, type RegistersAdapter, registersSuite } from "../../src/testing/index.ts";
import { describeOnItems } from "../support/item-ledgers.ts";
import { inMemory, onSqlite } from "../support/local-ledgers.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { postgresLedgers } from "../support/postgres-ledgers.ts";
import { describeOnRedis } from "../support/redis-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

function registersOf<Tx>(ledger: Ledger<Tx>): Registers<Tx> {
  if (ledger.registers === undefined) throw new Error(`ledger '${ledger.name}' keeps no registers`);
  return ledger.registers;
}

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

const postgres = await postgresLedgers();
afterAll(postgres.drop);
const mysql = await mysqlLedgers();
afterAll(mysql.drop);

function suite<Tx>(adapter: LedgerAdapter<Tx>, missing?: string): void {
  describeSuite(`the suite of registers on ${adapter.name}`, registersSuite(registersOn(adapter)), missing);
}

suite(inMemory);
suite(onSqlite);
suite(postgres.overPg, postgres.missing);
suite(postgres.overPostgres, postgres.missing);
suite(postgres.repeatableRead, postgres.missing);
suite(postgres.inMapper, postgres.missing);
suite(mysql.own, mysql.missing);
suite(mysql.inMapper, mysql.missing);
suite(mysql.byStatementsForMysql, mysql.missing);

describeOnRedis((adapter, missing) => suite(adapter, missing));
describeOnItems((adapter, missing) => suite(adapter, missing));
