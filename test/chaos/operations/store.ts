import { Cluster, Redis } from "ioredis";
import mysql from "mysql2/promise";
import pg from "pg";
import postgres from "postgres";
import type { Ledger } from "../../../src/contract/ledger.ts";
import { mysqlLedger } from "../../../src/stores/mysql/index.ts";
import { postgresLedger } from "../../../src/stores/postgres/index.ts";
import { createRedisLedger } from "../../../src/stores/redis/ledger.ts";
import { sqliteLedger } from "../../../src/stores/sqlite/index.ts";
import { mysqlServer } from "../../support/mysql.ts";

/** Where a process of these tests finds the ledger that the others use too. */
export type StoreSettings =
  | { readonly store: "sqlite"; readonly path: string }
  | { readonly store: "pg" | "postgres"; readonly url: string; readonly schema: string; readonly readable?: boolean }
  | { readonly store: "mysql"; readonly port: number; readonly database: string }
  | { readonly store: "redis"; readonly url: string; readonly prefix: string }
  | { readonly store: "redis cluster"; readonly ports: readonly number[]; readonly prefix: string };

/** What every ledger here hands out to write with. */
export interface Tx {
  readonly query: (text: string, params: readonly string[]) => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

export interface Store {
  readonly ledger: Ledger<Tx>;
  /** One row more of the user's own table. */
  readonly book: (tx: Tx, identity: string) => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

interface StoreOptions {
  readonly deadline?: "500ms" | "60s";
  /** Where the server's clock is moved by asking for another time: Redis. */
  readonly offsetMs?: () => number;
}

/** A machine at its limits is slow, not away: deadlines are long, unless a test wants them to end. */
export function openStore(settings: StoreSettings, options: StoreOptions = {}): Store {
  const { deadline = "60s", offsetMs = () => 0 } = options;
  const booking = (table: string, place: string) => (tx: Tx, identity: string) =>
    tx.query(`insert into ${table} (identity) values (${place})`, [identity]);
  switch (settings.store) {
    case "sqlite":
      return {
        ledger: sqliteLedger({ path: settings.path, busy: "60s" }),
        book: booking("booking", "?"),
        end: async () => undefined,
      };
    case "pg":
    case "postgres": {
      const { url, schema, readable = false } = settings;
      const pool =
        settings.store === "pg"
          ? new pg.Pool({ connectionString: url, max: 16 }).on("error", () => undefined)
          : postgres(url, { max: 16, onnotice: () => undefined });
      return {
        ledger: postgresLedger({ pool, schema, deadline, workDeadline: deadline, prepared: !readable }),
        book: booking(`${schema}.booking`, "$1"),
        end: async () => (pool instanceof pg.Pool ? pool.end() : pool.end({ timeout: 1 })),
      };
    }
    case "mysql": {
      const { port, database } = settings;
      const pool = mysql.createPool({ ...mysqlServer, host: "127.0.0.1", port, database, connectionLimit: 16 });
      return {
        ledger: mysqlLedger({ pool, wait: deadline, deadline }) as Ledger<Tx>,
        book: booking("booking", "?"),
        end: () => pool.end(),
      };
    }
    case "redis":
    case "redis cluster": {
      const client =
        settings.store === "redis"
          ? new Redis(settings.url)
          : new Cluster(settings.ports.map((port) => ({ host: "127.0.0.1", port })));
      client.on("error", () => undefined);
      return {
        ledger: createRedisLedger({ client, prefix: settings.prefix, deadline }, offsetMs),
        book: () => Promise.reject(new Error("Redis joins no transactions")),
        end: async () => client.disconnect(),
      };
    }
  }
}
