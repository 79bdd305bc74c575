import type pg from "pg";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type PostgresTransaction, postgresLedger } from "../../src/stores/postgres/index.ts";
import type { LedgerAdapter } from "../../src/testing/index.ts";
import { cannotRunHere } from "./environment.ts";
import { type DriverName, pgPool, pgTransactions, postgresUrl, postgresVersion, sharedPlace } from "./postgres.ts";

/** The ledger on PostgreSQL, for suites: in one schema, emptied for each case. */
export async function postgresLedgers() {
  const shared = sharedPlace();
  const divided = sharedPlace(8);

  const over = (
    driver: DriverName,
    name: string,
    { at = shared, isolation }: { readonly at?: typeof shared; readonly isolation?: "repeatable read" } = {},
  ): LedgerAdapter<PostgresTransaction> => ({
    name: `postgres ${name}`,
    can: { transactions: true, severalInstances: true },
    open: async () => {
      const place = await at.place();
      const another = (instance = 1) => place.ledger(driver, { instance, isolation });
      const { passTime, insertBooking, bookings, clear } = place;
      return { ledger: await another(0), another, passTime, insertBooking, bookings, close: clear };
    },
  });

  const inMapper: LedgerAdapter<pg.PoolClient> = {
    name: "postgres in a mapper's transactions",
    can: { transactions: true, severalInstances: true },
    open: async () => {
      const { schema, passTime, bookings, clear } = await shared.place();
      const pools: pg.Pool[] = [];
      const opened: Ledger<pg.PoolClient>[] = [];
      const another = async () => {
        const pool = pgPool(postgresUrl, 6);
        pools.push(pool);
        const ledger = postgresLedger({ pool, transactions: pgTransactions(pool), schema, deadline: "60s" });
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

  return {
    missing: (await postgresVersion()) === undefined ? `${cannotRunHere}no PostgreSQL answers` : undefined,
    drop: async () => {
      await shared.drop();
      await divided.drop();
    },
    overPg: over("pg", "over pg"),
    overPostgres: over("postgres", "over postgres"),
    repeatableRead: over("pg", "over pg, repeatable read", { isolation: "repeatable read" }),
    inPartitions: over("pg", "in partitions", { at: divided }),
    inMapper,
  };
}
