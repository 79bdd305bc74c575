import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { azureLeases } from "../../src/stores/azure/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { type LeaseAdapter, type LedgerAdapter, leaseSuite } from "../../src/testing/index.ts";
import { noAzuriteHere, startAzurite } from "../support/azurite.ts";
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

/** Past what the suite takes leases for. */
const pastLeaseMs = 30_001;

function leasesOf<Tx>(ledger: Ledger<Tx>): LeaseStore<Tx> {
  if (ledger.leases === undefined) throw new Error(`ledger '${ledger.name}' keeps no leases`);
  return ledger.leases;
}

const memory: LeaseAdapter<MemoryTransaction> = {
  name: "memory",
  can: {
    transactions: true,
    severalInstances: { not: "a memory ledger is its own store" },
    writesAtOnce: true,
    movesTime: true,
    tells: true,
  },
  open: async () => {
    const { clock, passTime } = movableClock();
    const ledger = memoryLedger({ clock });
    let bookings = 0;
    return {
      leases: leasesOf(ledger),
      passTime,
      endLease: () => passTime(pastLeaseMs),
      another: () => Promise.reject(new Error("a memory ledger is its own store")),
      fenced: {
        transaction: ledger.transaction,
        insertBooking: async (tx, identity) => tx.set(`booking ${++bookings}`, identity),
        bookings: async () => [...ledger.rows.values()].map(String),
      },
      close: ledger.close,
    };
  },
};

const shared = sharedPlace();
afterAll(shared.drop);
const postgresIsMissing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;

function postgresOver(driver: DriverName, isolation?: "repeatable read"): LeaseAdapter<PostgresTransaction> {
  return {
    name: `postgres over ${driver}${isolation === undefined ? "" : `, ${isolation}`}`,
    can: { transactions: true, severalInstances: true, writesAtOnce: true, movesTime: true, tells: true },
    open: async () => {
      const { ledger: open, passTime, insertBooking, bookings, clear } = await shared.place();
      const ledger = await open(driver, { isolation });
      return {
        leases: leasesOf(ledger),
        endLease: () => passTime(pastLeaseMs),
        fenced: {
          transaction: ledger.transaction,
          insertBooking: insertBooking,
          bookings,
        },
        passTime,
        another: async () => leasesOf(await open(driver, { isolation, instance: 1 })),
        close: clear,
      };
    },
  };
}

const postgresInMapper: LeaseAdapter<pg.PoolClient> = {
  name: "postgres in a mapper's transactions",
  can: { transactions: true, severalInstances: true, writesAtOnce: true, movesTime: true, tells: true },
  open: async () => {
    const { schema, passTime, bookings, clear } = await shared.place();
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
      leases: leasesOf(ledger),
      endLease: () => passTime(pastLeaseMs),
      fenced: {
        transaction: ledger.transaction,
        insertBooking: async (client, identity) => {
          await client.query(`insert into ${schema}.booking (identity) values ($1)`, [identity]);
        },
        bookings,
      },
      passTime,
      another: async () => leasesOf(await open()),
      close: async () => {
        for (const one of opened) await one.close();
        for (const pool of pools) await pool.end();
        await clear();
      },
    };
  },
};

const sqlite: LeaseAdapter<SqliteTransaction> = {
  name: "sqlite",
  can: {
    transactions: true,
    severalInstances: true,
    writesAtOnce: { not: "SQLite writes one transaction at a time" },
    movesTime: true,
    tells: true,
  },
  open: async () => {
    const { clock, passTime } = movableClock();
    const directory = mkdtempSync(join(tmpdir(), "reprise-leases-"));
    const opened: Ledger<SqliteTransaction>[] = [];
    const open = async () => {
      const ledger = sqliteLedger({ path: join(directory, "ledger.db"), clock, busy: "20s" });
      opened.push(ledger);
      await ledger.open();
      return ledger;
    };
    const ledger = await open();
    await ledger.transaction((tx) => tx.query("create table booking (identity text not null)"));
    const bookings = () =>
      ledger.transaction(async (tx) =>
        (await tx.query("select identity from booking")).map((row) => String(row["identity"])),
      );
    return {
      leases: leasesOf(ledger),
      endLease: () => passTime(pastLeaseMs),
      fenced: {
        transaction: ledger.transaction,
        insertBooking: async (tx, identity) => {
          await tx.query("insert into booking (identity) values (?)", [identity]);
        },
        bookings,
      },
      passTime,
      another: async () => leasesOf(await open()),
      close: async () => {
        for (const one of opened) await one.close();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  },
};

/** A ledger's leases, on the stage of the ledger's own suite. */
function leasesOn<Tx>({ name, can, open }: LedgerAdapter<Tx>): LeaseAdapter<Tx> {
  return {
    name,
    can: { ...can, writesAtOnce: true, movesTime: true, tells: true },
    open: async () => {
      const { ledger, passTime, another, insertBooking, bookings, close } = await open();
      return {
        leases: leasesOf(ledger),
        passTime,
        endLease: () => passTime(pastLeaseMs),
        another: async () => leasesOf(await another()),
        fenced: can.transactions === true ? { transaction: ledger.transaction, insertBooking, bookings } : null,
        close,
      };
    },
  };
}

const mysql = await mysqlLedgers();
afterAll(mysql.drop);
const noRedis = noRedisHere();
const noAzurite = noAzuriteHere();
const azurite = noAzurite === undefined ? await startAzurite() : undefined;
afterAll(() => azurite?.stop());

const azure: LeaseAdapter<never> = {
  name: "azure on Azurite",
  can: {
    transactions: { not: "a blob is written in no transaction" },
    severalInstances: true,
    writesAtOnce: { not: "a blob is written in no transaction" },
    movesTime: true,
    tells: {
      not: "who walks away has asked once, and the service tells it neither who has the lease nor for how long",
    },
  },
  open: async () => {
    if (azurite === undefined) throw new Error("no Azurite");
    const container = await azurite.container();
    return {
      leases: azureLeases({ container }),
      passTime: azurite.passTime,
      endLease: () => azurite.passTime(pastLeaseMs),
      another: async () => azureLeases({ container: azurite.through(azurite.port, container.containerName) }),
      fenced: null,
      close: async () => {
        await container.delete();
      },
    };
  },
};

function suite<Tx>(adapter: LeaseAdapter<Tx>, missing?: string): void {
  describe(`the suite of leases on ${adapter.name}`, () => {
    for (const { name, skip, run } of leaseSuite(adapter)) {
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
suite(leasesOn(mysql.own), mysql.missing);
suite(leasesOn(mysql.inMapper), mysql.missing);
suite(leasesOn(mysql.byStatementsForMysql), mysql.missing);

describe.each(redisLedgers)("on $adapter.name", ({ adapter, start }) => {
  let started: { readonly stop: () => Promise<void> } | undefined;
  beforeAll(async () => {
    if (noRedis === undefined) started = await start();
  });
  afterAll(() => started?.stop());
  suite(leasesOn(adapter), noRedis);
});
suite(azure, noAzurite);
