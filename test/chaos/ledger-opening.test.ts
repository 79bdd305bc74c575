import { sql } from "drizzle-orm";
import { drizzle as drizzleMysql } from "drizzle-orm/mysql2";
import { drizzle } from "drizzle-orm/node-postgres";
import { describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { drizzleTransactions } from "../../src/stores/transactions/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlVersion } from "../support/mysql.ts";
import { pgPool, postgresPlace, postgresUrl, postgresVersion } from "../support/postgres.ts";

/** A mapper over a pool that is as small as the wave of its callers. */
interface Stage<Tx> {
  readonly ledger: Ledger<Tx>;
  readonly begin: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  readonly select: (tx: Tx) => Promise<unknown>;
  readonly end: () => Promise<void>;
}
const wave = 2;

async function onPostgres() {
  const place = await postgresPlace();
  const pool = pgPool(postgresUrl, wave);
  const db = drizzle(pool);
  const transactions = drizzleTransactions(db);
  type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
  const stage: Stage<Tx> = {
    ledger: postgresLedger({ pool, schema: place.schema, transactions }),
    begin: (work) => db.transaction(work),
    select: (tx) => tx.execute(sql`select 1`),
    end: async () => {
      await pool.end();
      await place.drop();
    },
  };
  return stage;
}

async function onMariadb() {
  const database = await createDatabase();
  const pool = database.pool({ connectionLimit: wave });
  const db = drizzleMysql(pool);
  type Tx = Parameters<Parameters<typeof db.transaction>[0]>[0];
  const stage: Stage<Tx> = {
    ledger: mysqlLedger({ pool, transactions: drizzleTransactions(db) }),
    begin: (work) => db.transaction(work),
    select: (tx) => tx.execute(sql`select 1`),
    end: () => database.drop(),
  };
  return stage;
}

describe.each([
  ["PostgreSQL", postgresVersion, onPostgres],
  ["MariaDB", mysqlVersion, onMariadb],
] as const)(
  "where callers of executeIn hold every connection before the ledger on %s is open",
  (server, version, open) => {
    test("they are told so in time, and whoever comes after them finds it open", async (context) => {
      if ((await version()) === undefined) context.skip(`${cannotRunHere}no ${server} answers`);
      const stage = (await open()) as Stage<unknown>;
      const reprise = createReprise({ service: "shop", undecided: "listed", ledger: stage.ledger });
      const operation = reprise.operation({
        name: "seat.book",
        input: unchecked<{ readonly id: string }>(),
        principal: "everyone",
        identity: (input) => [input.id],
        retention: "1d",
        effects: "database",
        run: async ({ tx }) => {
          await stage.select(tx);
          return "booked";
        },
      });
      const joined = (id: string) =>
        stage
          .begin(async (tx) => (await operation.executeIn(tx, { id })).status)
          .catch((error) => error.code as string);
      try {
        const since = performance.now();
        const first = await Promise.all(Array.from({ length: wave }, (_, at) => joined(`first ${at}`)));
        expect(first).toEqual(Array(wave).fill("REPRISE_LEDGER_BUSY"));
        expect(performance.now() - since).toBeLessThan(4_500);
        const next = await Promise.all(Array.from({ length: wave }, (_, at) => joined(`next ${at}`)));
        expect(next).toEqual(Array(wave).fill("done"));
      } finally {
        await reprise.close();
        await stage.end();
      }
    });
  },
);
