import { randomBytes } from "node:crypto";
import pg from "pg";
import postgres from "postgres";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Transactions } from "../../src/contract/transactions.ts";
import {
  type PostgresLedgerOptions,
  type PostgresPool,
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

/** A schema of a test file's own, with a table of bookings. */
export interface PostgresPlace {
  readonly schema: string;
  /** The test's own connection, which no ledger uses. */
  readonly admin: pg.Client;
  /** A ledger on it; each `instance` of a driver has a pool of its own, which lives as long as the place. */
  readonly ledger: (
    driver: DriverName,
    options?: Partial<PostgresLedgerOptions> & { readonly instance?: number },
  ) => Promise<Ledger<PostgresTransaction>>;
  /** Makes every stored instant older. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly insertBooking: (tx: PostgresTransaction, identity: string) => Promise<void>;
  readonly bookings: () => Promise<readonly string[]>;
  /** Deletes every row, so that the next case finds it empty, and closes the ledgers. */
  readonly clear: () => Promise<void>;
  readonly drop: () => Promise<void>;
}

const instants = {
  work: ["created_at", "keep_until", "lease_until", "not_before", "ended_at", "cancelled_at"],
  effect: ["started_at", "settle_at", "pinned_at"],
  attempt: ["at"],
  write: ["lease_until", "not_before", "failed_at", "dead_at"],
  lease: ["until"],
  register: ["at"],
};

export async function postgresPlace(max = 6, partitions?: number): Promise<PostgresPlace> {
  const schema = `reprise_test_${randomBytes(6).toString("hex")}`;
  const admin = new pg.Client({ connectionString: postgresUrl });
  await admin.connect();
  await admin.query(`create schema ${schema}; create table ${schema}.booking (identity text not null)`);
  const pools = new Map<string, PostgresPool>();
  const ends: (() => Promise<unknown>)[] = [];
  const opened: Ledger<PostgresTransaction>[] = [];

  const poolOf = (driver: DriverName, instance: number): PostgresPool => {
    const name = `${driver} ${instance}`;
    const known = pools.get(name);
    if (known !== undefined) return known;
    const made = driver === "pg" ? pgPool(postgresUrl, max) : postgres(postgresUrl, { max, onnotice: () => undefined });
    pools.set(name, made);
    ends.push(() => made.end());
    return made;
  };
  const close = async () => {
    for (const one of opened.splice(0)) await one.close();
  };
  if (partitions !== undefined) {
    await postgresLedger({ pool: poolOf("pg", 0), schema }).schema?.migrate({ partitions });
  }

  return {
    schema,
    admin,
    ledger: async (driver, { instance = 0, ...options } = {}) => {
      // a machine at its limits is slow, not away
      const ledger = postgresLedger({ pool: poolOf(driver, instance), schema, deadline: "60s", ...options });
      opened.push(ledger);
      await ledger.open();
      return ledger;
    },
    passTime: async (ms) => {
      // tables that an earlier version made lack some
      const { rows } = await admin.query<{ readonly name: string }>(
        "select table_name as name from information_schema.tables where table_schema = $1",
        [schema],
      );
      const there = new Set(rows.map(({ name }) => name));
      const moved = Object.entries(instants).flatMap(([table, columns]) => {
        if (!there.has(`reprise_${table}`)) return [];
        const older = columns.map((column) => `${column} = ${column} - ${ms} * interval '1 millisecond'`);
        return [`update ${schema}.reprise_${table} set ${older.join(", ")}`];
      });
      await admin.query(moved.join("; "));
    },
    insertBooking: async (tx, identity) => {
      await tx.query(`insert into ${schema}.booking (identity) values ($1)`, [identity]);
    },
    bookings: async () => {
      const { rows } = await admin.query<{ readonly identity: string }>(`select identity from ${schema}.booking`);
      return rows.map((row) => row.identity);
    },
    clear: async () => {
      await close();
      const tables = ["work", "effect", "attempt", "journal", "write", "lease", "register"].map(
        (table) => `${schema}.reprise_${table}`,
      );
      await admin.query([...tables, `${schema}.booking`].map((table) => `delete from ${table}`).join("; "));
    },
    drop: async () => {
      await close();
      for (const end of ends) await end();
      await admin.query(`drop schema ${schema} cascade`);
      await admin.end();
    },
  };
}

/** Transactions as a mapper opens them: on connections of its own, with statements that go one by one. */
export function pgTransactions(pool: pg.Pool, isolation = "read committed"): Transactions<pg.PoolClient> {
  return {
    begin: async (work) => {
      const client = await pool.connect();
      const end = (destroy: boolean) => {
        client.release(destroy);
        client.off("error", ignore);
      };
      client.on("error", ignore);
      try {
        await client.query(`begin isolation level ${isolation}`);
        const value = await work(client);
        await client.query("commit");
        end(false);
        return value;
      } catch (error) {
        const isLost = await client.query("rollback").then(
          () => false,
          () => true,
        );
        end(isLost);
        throw error;
      }
    },
    query: async (client, text, params) => {
      const { rows, rowCount } = await client.query(text, [...params]);
      return { rows, count: rowCount ?? 0 };
    },
  };
}

function ignore(): void {}

/** One place for all cases of a suite; `drop` ends it. */
export function sharedPlace(partitions?: number) {
  let made: Promise<PostgresPlace> | undefined;
  return {
    place: () => {
      made ??= postgresPlace(6, partitions);
      return made;
    },
    drop: async () => (await made)?.drop(),
  };
}

/** One connection, whose server tells with each answer how it came by it: `plans` is what it told. */
export function explainingPool(): { readonly pool: pg.Pool; readonly plans: string[] } {
  const settings = {
    session_preload_libraries: "auto_explain",
    "auto_explain.log_min_duration": 0,
    "auto_explain.log_level": "notice",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
  };
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`);
  const pool = new pg.Pool({ connectionString: postgresUrl, max: 1, options: options.join(" ") });
  const plans: string[] = [];
  pool.on("connect", (client) => client.on("notice", ({ message }) => plans.push(message ?? "")));
  return { pool, plans };
}

export function pgPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  // a connection that the test ends while it idles
  pool.on("error", () => undefined);
  return pool;
}
