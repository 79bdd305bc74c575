import type { Ledger } from "../../../src/contract/ledger.ts";
import { mysqlLedger } from "../../../src/stores/mysql/index.ts";
import { type PostgresPool, postgresLedger } from "../../../src/stores/postgres/index.ts";
import { createRedisLedger } from "../../../src/stores/redis/ledger.ts";
import { sqliteLedger } from "../../../src/stores/sqlite/index.ts";

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

/**
 * A machine at its limits is slow, not away: deadlines are long, unless a test wants them to end. A process loads the driver
 * of its own store only: most of its time would go into those of the others.
 */
export async function openStore(settings: StoreSettings, options: StoreOptions = {}): Promise<Store> {
  const { deadline = "60s", offsetMs = () => 0 } = options;
  const onPostgres = (
    { schema, readable = false }: Extract<StoreSettings, { readonly schema: string }>,
    pool: PostgresPool,
    end: () => Promise<unknown>,
  ): Store => ({
    ledger: postgresLedger({ pool, schema, deadline, workDeadline: deadline, prepared: !readable }),
    book: booking(`${schema}.booking`, "$1"),
    end,
  });
  switch (settings.store) {
    case "sqlite":
      return {
        ledger: sqliteLedger({ path: settings.path, busy: "60s" }),
        book: booking("booking", "?"),
        end: async () => undefined,
      };
    case "pg": {
      const { Pool } = (await import("pg")).default;
      const pool = new Pool({ connectionString: settings.url, max: 16 }).on("error", () => undefined);
      return onPostgres(settings, pool, () => pool.end());
    }
    case "postgres": {
      const { default: postgres } = await import("postgres");
      const pool = postgres(settings.url, { max: 16, onnotice: () => undefined });
      return onPostgres(settings, pool, () => pool.end({ timeout: 1 }));
    }
    case "mysql": {
      const { port, database } = settings;
      const [{ default: mysql }, { mysqlServer }] = await Promise.all([
        import("mysql2/promise"),
        import("../../support/mysql.ts"),
      ]);
      const pool = mysql.createPool({ ...mysqlServer, host: "127.0.0.1", port, database, connectionLimit: 16 });
      return {
        ledger: mysqlLedger({ pool, wait: deadline, deadline }) as Ledger<Tx>,
        book: booking("booking", "?"),
        end: () => pool.end(),
      };
    }
    case "redis":
    case "redis cluster": {
      const { Cluster, Redis } = await import("ioredis");
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

function booking(table: string, place: string): Store["book"] {
  return (tx, identity) => tx.query(`insert into ${table} (identity) values (${place})`, [identity]);
}
