import { randomBytes } from "node:crypto";
import pg from "pg";
import postgres from "postgres";
import type { Ledger } from "../../src/contract/ledger.ts";
import {
  type PostgresLedgerOptions,
  type PostgresTransaction,
  postgresLedger,
} from "../../src/stores/postgres/index.ts";

/** The server that tests use: `POSTGRES_URL`, or the one of this machine. */
export const postgresUrl = process.env["POSTGRES_URL"] ?? "postgres://postgres@127.0.0.1:5432/test";

/** What the server calls itself; `undefined`: nobody answers. */
export async function postgresVersion(): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: postgresUrl, connectionTimeoutMillis: 5_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ readonly version: string }>("select version()");
    return rows[0]?.version.split(" ", 2)[1];
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

export type DriverName = "pg" | "postgres";

/** A schema of a test's own, with a table of bookings, and ledgers on it over pools of their own. */
export interface PostgresStage {
  readonly schema: string;
  /** The test's own connection, which no ledger uses. */
  readonly admin: pg.Client;
  readonly ledger: (options?: Partial<PostgresLedgerOptions>) => Promise<Ledger<PostgresTransaction>>;
  /** Makes every stored instant older. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly insertBooking: (tx: PostgresTransaction, identity: string) => Promise<void>;
  readonly bookings: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

const instants = {
  work: ["created_at", "keep_until", "lease_until", "not_before", "ended_at"],
  effect: ["started_at", "settle_at", "pinned_at"],
  attempt: ["at"],
  write: ["lease_until", "not_before", "failed_at", "dead_at"],
};

export async function postgresStage(
  driver: DriverName,
  settings: { readonly url?: string; readonly max?: number } = {},
): Promise<PostgresStage> {
  const { url = postgresUrl, max = 6 } = settings;
  const schema = `reprise_test_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`create schema ${schema}; create table ${schema}.booking (identity text not null)`);
  const ends: (() => Promise<unknown>)[] = [];
  return {
    schema,
    admin,
    ledger: async (options = {}) => {
      const pool = driver === "pg" ? pgPool(url, max) : postgres(url, { max, onnotice: () => undefined });
      ends.push(() => pool.end());
      const ledger = postgresLedger({ pool, schema, ...options });
      ends.push(ledger.close);
      await ledger.open();
      return ledger;
    },
    passTime: async (ms) => {
      for (const [table, columns] of Object.entries(instants)) {
        const moved = columns.map((column) => `${column} = ${column} - ${ms} * interval '1 millisecond'`).join(", ");
        await admin.query(`update ${schema}.reprise_${table} set ${moved}`);
      }
    },
    insertBooking: async (tx, identity) => {
      await tx.query(`insert into ${schema}.booking (identity) values ($1)`, [identity]);
    },
    bookings: async () => {
      const { rows } = await admin.query<{ readonly identity: string }>(`select identity from ${schema}.booking`);
      return rows.map((row) => row.identity);
    },
    close: async () => {
      for (const end of ends.toReversed()) await end();
      await admin.query(`drop schema ${schema} cascade`);
      await admin.end();
    },
  };
}

export function pgPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  // a connection that the test ends while it idles
  pool.on("error", () => undefined);
  return pool;
}
