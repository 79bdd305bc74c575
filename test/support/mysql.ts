import { randomBytes } from "node:crypto";
import mysql, {
  type Pool,
  type PoolConnection,
  type PoolOptions,
  type ResultSetHeader,
  type RowDataPacket,
} from "mysql2/promise";
import type { Transactions } from "../../src/contract/transactions.ts";

/** A MariaDB, or MySQL, for tests: by MYSQL_HOST and MYSQL_PORT, else where Debian's package listens. */
export const mysqlServer = {
  host: process.env["MYSQL_HOST"] ?? "127.0.0.1",
  port: Number(process.env["MYSQL_PORT"] ?? 3306),
  user: "root",
};

/** What answers there; `undefined`: nothing does. */
export async function mysqlVersion(): Promise<string | undefined> {
  const connection = await mysql.createConnection({ ...mysqlServer, connectTimeout: 2_000 }).catch(() => undefined);
  if (connection === undefined) return undefined;
  const [rows] = await connection.query<mysql.RowDataPacket[]>("select version() as version");
  await connection.end();
  return String(rows[0]?.["version"]);
}

export interface TestDatabase {
  readonly name: string;
  /** A pool of its own; `drop` ends it too. */
  readonly pool: (options?: PoolOptions) => Pool;
  readonly query: (text: string, values?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;
  /** Empties every table, so that the next case finds a new ledger. */
  readonly clear: () => Promise<void>;
  /** Moves every stored instant back: the server then judges as if so much time had passed. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly drop: () => Promise<void>;
}

/** Transactions of whoever holds the connection, as a mapper has them. */
export function mysqlTransactions(pool: Pool): Transactions<PoolConnection> {
  return {
    begin: async (work) => {
      const connection = await pool.getConnection();
      try {
        await connection.query("start transaction");
        const value = await work(connection);
        await connection.query("commit");
        return value;
      } catch (error) {
        await connection.query("rollback");
        throw error;
      } finally {
        connection.release();
      }
    },
    query: async (connection, text, params) => {
      const [result] = await connection.query<RowDataPacket[] | ResultSetHeader>(text, [...params]);
      if (Array.isArray(result)) return { rows: result, count: result.length };
      return { rows: [], count: result.affectedRows };
    },
  };
}

/** A database of its own, so that test files run side by side. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `reprise_test_${randomBytes(6).toString("hex")}`;
  const pools: Pool[] = [];
  const pool = (options: PoolOptions = {}) => {
    const made = mysql.createPool({ ...mysqlServer, database: name, connectionLimit: 16, ...options });
    pools.push(made);
    return made;
  };
  const admin = await mysql.createConnection(mysqlServer);
  await admin.query(`create database ${name}`);
  await admin.query(`use ${name}`);
  const query = async (text: string, values: readonly unknown[] = []) => {
    const [rows] = await admin.query(text, [...values]);
    return Array.isArray(rows) ? (rows as Record<string, unknown>[]) : [];
  };
  return {
    name,
    pool,
    query,
    clear: async () => {
      for (const { table } of await query(
        "select table_name as `table` from information_schema.tables where table_schema = database()",
      )) {
        if (table !== "reprise_meta") await query(`delete from ${String(table)}`);
      }
    },
    passTime: async (ms) => {
      const by = ms * 1_000;
      for (const [table, columns] of Object.entries(instants)) {
        const moved = columns.map((column) => `${column} = ${column} - ${by}`);
        await query(`update ${table} set ${moved.join(", ")}`);
      }
    },
    drop: async () => {
      for (const one of pools) await one.end().catch(() => undefined);
      await admin.query(`drop database ${name}`);
      await admin.end();
    },
  };
}

const instants: Readonly<Record<string, readonly string[]>> = {
  reprise_work: ["lease_until", "not_before", "keep_until", "created_at", "ended_at", "cancelled_at"],
  reprise_effect: ["started_at", "pinned_at", "settle_at"],
  reprise_attempt: ["at"],
  reprise_write: ["lease_until", "not_before", "failed_at", "dead_at"],
  reprise_lease: ["lease_until"],
  reprise_register: ["at"],
};
