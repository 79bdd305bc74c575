import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { type LedgerAdapter, type RegistersAdapter, registersSuite } from "../../src/testing/index.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { movableClock } from "../support/movable-clock.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import {
  type DriverName,
  pgPool,
  pgTransactions,
  postgresUrl,
  postgresVersion,
  sharedPlace,
} from "../support/postgres.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisLedgers } from "../support/redis-ledgers.ts";

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

const shared = sharedPlace();
afterAll(shared.drop);
const postgresIsMissing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;

function postgresOver(driver: DriverName, isolation?: "repeatable read"): RegistersAdapter<PostgresTransaction> {
  return {
    name: `postgres over ${driver}${isolation === undefined ? "" : `, ${isolation}`}`,
    can: { transactions: true, severalInstances: true },
    open: async () => {
      const { ledger: open, passTime, clear } = await shared.place();
      const ledger = await open(driver, { isolation });
      return {
        registers: registersOf(ledger),
        transaction: ledger.transaction,
        passTime,
        another: async () => registersOf(await open(driver, { isolation, instance: 1 })),
        close: clear,
      };
    },
  };
}

const postgresInMapper: RegistersAdapter<pg.PoolClient> = {
  name: "postgres in a mapper's transactions",
  can: { transactions: true, severalInstances: true },
  open: async () => {
    const { schema, passTime, clear } = await shared.place();
    const pools: pg.Pool[] = [];
    const opened: Ledger<pg.PoolClient>[] = [];
    const open = async () => {
      const pool = pgPool(postgresUrl, 6);
      pools.push(pool);
      const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema, deadline: "60s" });
      opened.push(ledger);
      await ledger.open();
      return ledger;
    };
    const ledger = await open();
    return {
      registers: registersOf(ledger),
      transaction: ledger.transaction,
      passTime,
      another: async () => registersOf(await open()),
      close: async () => {
        for (const one of opened) await one.close();
        for (const pool of pools) await pool.end();
        await clear();
      },
    };
  },
};

const sqlite: RegistersAdapter<SqliteTransaction> = {
  name: "sqlite",
  can: { transactions: true, severalInstances: true },
  open: async () => {
    const { clock, passTime } = movableClock();
    const directory = mkdtempSync(join(tmpdir(), "reprise-registers-"));
    const opened: Ledger<SqliteTransaction>[] = [];
    const open = async () => {
      const ledger = sqliteLedger({ path: join(directory, "ledger.db"), clock, busy: "20s" });
      opened.push(ledger);
      await ledger.open();
      return ledger;
    };
    const ledger = await open();
    return {
      registers: registersOf(ledger),
      transaction: ledger.transaction,
      passTime,
      another: async () => registersOf(await open()),
      close: async () => {
        for (const one of opened) await one.close();
        rmSync(directory, { recursive: true, force: true });
      },
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
const noRedis = noRedisHere();

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
suite(sqlite);
suite(postgresOver("pg"), postgresIsMissing);
suite(postgresOver("postgres"), postgresIsMissing);
suite(postgresOver("pg", "repeatable read"), postgresIsMissing);
suite(postgresInMapper, postgresIsMissing);
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
