import { afterAll } from "vitest";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { type LedgerAdapter, ledgerSuite } from "../../src/testing/index.ts";
import { inMemory, onSqlite } from "../support/local-ledgers.ts";
import { movableClock } from "../support/movable-clock.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { postgresLedgers } from "../support/postgres-ledgers.ts";
import { describeSuite } from "../support/suite.ts";

/** A store with transactions of its own, which the memory ledger only follows. */
const memoryBeside: LedgerAdapter<string[]> = {
  name: "memory beside another store",
  can: { transactions: true, severalInstances: { not: "a memory ledger is its own store" } },
  open: async () => {
    const { clock, passTime } = movableClock();
    const committed: string[] = [];
    const savepoints = new Map<string[], number[]>();
    const ledger = memoryLedger<string[]>({
      clock,
      transactions: {
        begin: async (work) => {
          const rows: string[] = [];
          const value = await work(rows);
          committed.push(...rows);
          return value;
        },
        query: async (rows, text) => {
          const marks = savepoints.get(rows) ?? [];
          savepoints.set(rows, marks);
          if (text.startsWith("savepoint")) marks.push(rows.length);
          else if (text.startsWith("rollback")) rows.length = marks.at(-1) ?? 0;
          else marks.pop();
          return [];
        },
      },
    });
    await ledger.open();
    return {
      ledger,
      passTime,
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      insertBooking: async (rows, identity) => {
        rows.push(identity);
      },
      bookings: async () => committed,
      close: ledger.close,
    };
  },
};

const postgres = await postgresLedgers();
afterAll(postgres.drop);
const mysql = await mysqlLedgers();
afterAll(mysql.drop);

function suite<Tx>(adapter: LedgerAdapter<Tx>, missing?: string, only = /(?:)/): void {
  const cases = ledgerSuite(adapter).filter(({ name }) => only.test(name));
  describeSuite(`the ledger suite on ${adapter.name}`, cases, missing);
}

suite(inMemory);
suite(memoryBeside);
suite(onSqlite);
suite(postgres.overPg, postgres.missing);
suite(postgres.overPostgres, postgres.missing);
suite(postgres.inMapper, postgres.missing);
suite(postgres.inPartitions, postgres.missing);
suite(mysql.own, mysql.missing);
suite(mysql.inMapper, mysql.missing, /transaction|joined|database work|P6/);
// without its races: each lock waits a second, the least that MySQL knows
suite(
  mysql.byStatementsForMysql,
  mysql.missing,
  /^(?!.*instances?\)).*(?:claim|take|joined|database work|transaction|park)/,
);
