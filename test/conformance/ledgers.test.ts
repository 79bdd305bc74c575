import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, describe, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { type LedgerAdapter, ledgerSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import {
  type DriverName,
  pgPool,
  pgTransactions,
  postgresUrl,
  postgresVersion,
  sharedPlace,
} from "../support/postgres.ts";

/** Stored time moves when told to; waiting for a lock takes real time. */
function movableClock(): { readonly clock: Clock; readonly passTime: (ms: number) => Promise<void> } {
  let passed = 0;
  return {
    clock: { ...systemClock, now: () => systemClock.now() + passed },
    passTime: async (ms) => {
      passed += ms;
    },
  };
}

const memory: LedgerAdapter<MemoryTransaction> = {
  name: "memory",
  can: { transactions: true, severalInstances: { not: "a memory ledger is its own store" } },
  open: async () => {
    const { clock, passTime } = movableClock();
    const ledger = memoryLedger({ clock });
    await ledger.open();
    let bookings = 0;
    return {
      ledger,
      passTime,
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      insertBooking: async (tx, identity) => tx.set(`booking ${++bookings}`, identity),
      bookings: async () => [...ledger.rows.values()].map(String),
      close: ledger.close,
    };
  },
};

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

const sqlite: LedgerAdapter<SqliteTransaction> = {
  name: "sqlite",
  can: { transactions: true, severalInstances: true },
  open: async () => {
    const { clock, passTime } = movableClock();
    const directory = mkdtempSync(join(tmpdir(), "reprise-ledger-"));
    const path = join(directory, "ledger.db");
    const opened: Ledger<SqliteTransaction>[] = [];
    const another = async () => {
      const ledger = sqliteLedger({ path, clock, busy: "20s" });
      await ledger.open();
      opened.push(ledger);
      return ledger;
    };
    const ledger = await another();
    await ledger.transaction((tx) => tx.query("create table booking (identity text not null)"));
    return {
      ledger,
      passTime,
      another,
      insertBooking: async (tx, identity) => {
        await tx.query("insert into booking (identity) values (?)", [identity]);
      },
      bookings: () =>
        ledger.transaction(async (tx) =>
          (await tx.query("select identity from booking")).map((row) => String(row["identity"])),
        ),
      close: async () => {
        for (const one of opened) await one.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

const shared = sharedPlace();
afterAll(shared.drop);
const divided = sharedPlace(8);
afterAll(divided.drop);

function postgresOver(driver: DriverName, name = `over ${driver}`, at = shared): LedgerAdapter<PostgresTransaction> {
  return {
    name: `postgres ${name}`,
    can: { transactions: true, severalInstances: true },
    open: async () => {
      const place = await at.place();
      const another = (instance = 1) => place.ledger(driver, { instance });
      const { passTime, insertBooking, bookings, clear } = place;
      return { ledger: await another(0), another, passTime, insertBooking, bookings, close: clear };
    },
  };
}

const mysql = await mysqlLedgers();
afterAll(mysql.drop);

const postgresInMapper: LedgerAdapter<pg.PoolClient> = {
  name: "postgres in a mapper's transactions",
  can: { transactions: true, severalInstances: true },
  open: async () => {
    const { schema, passTime, bookings, clear } = await shared.place();
    const pools: pg.Pool[] = [];
    const opened: Ledger<pg.PoolClient>[] = [];
    const another = async () => {
      const pool = pgPool(postgresUrl, 6);
      pools.push(pool);
      const transactions = pgTransactions(pool);
      const ledger = postgresLedger({ pool, transactions, schema, deadline: "60s" });
      opened.push(ledger);
      await ledger.open();
      return ledger;
    };
    return {
      ledger: await another(),
      another,
      passTime,
      insertBooking: async (client, identity) => {
        await client.query(`insert into ${schema}.booking (identity) values ($1)`, [identity]);
      },
      bookings,
      close: async () => {
        for (const one of opened) await one.close();
        for (const pool of pools) await pool.end();
        await clear();
      },
    };
  },
};

const postgresIsMissing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;

function suite<Tx>(adapter: LedgerAdapter<Tx>, missing?: string, only = /(?:)/): void {
  describe(`the ledger suite on ${adapter.name}`, () => {
    for (const { name, skip, run } of ledgerSuite(adapter)) {
      if (!only.test(name)) continue;
      test(name, async (context) => {
        if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}

suite(memory);
suite(memoryBeside);
suite(sqlite);
suite(postgresOver("pg"), postgresIsMissing);
suite(postgresOver("postgres"), postgresIsMissing);
suite(postgresInMapper, postgresIsMissing);
suite(postgresOver("pg", "in partitions", divided), postgresIsMissing);
suite(mysql.own, mysql.missing);
suite(mysql.inMapper, mysql.missing, /transaction|joined|database work|P6/);
// without its races: each lock waits a second, the least that MySQL knows
suite(
  mysql.byStatementsForMysql,
  mysql.missing,
  /^(?!.*instances?\)).*(?:claim|take|joined|database work|transaction|park)/,
);
