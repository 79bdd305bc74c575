import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Database } from "../inspect/index.ts";

type Rows = readonly Readonly<Record<string, unknown>>[];

/** A database that is only read: the server, or the file, refuses anything else. */
export interface OpenDatabase {
  readonly database: Database;
  /** Rejects where it takes longer than `limitMs`; what follows is not touched by that. */
  readonly ask: (statement: string, limitMs: number) => Promise<Rows>;
  readonly close: () => Promise<void>;
}

/** Opens what an address names, or says why not. The sentence holds nothing of the address. */
export async function openDatabase(address: string, deadlineMs: number): Promise<OpenDatabase | string> {
  try {
    if (/^postgres(?:ql)?:\/\//.test(address)) return await openPostgres(address, deadlineMs);
    if (/^(?:mysql|mariadb):\/\//.test(address)) return await openMysql(address, deadlineMs);
    if (/^sqlite:|\.(?:db|sqlite3?|db3)$/i.test(address))
      return await openSqlite(address.replace(/^sqlite:(?:\/\/)?/, ""));
  } catch (error) {
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "no answer";
    return `The database cannot be asked (${code}). See whether the address is right and the server answers.`;
  }
  return "That is no address of a database: postgres://…, mysql://…, sqlite:file or a file that ends in .db or .sqlite.";
}

function missing(driver: string): string {
  return `It needs the driver '${driver}', which is not installed beside reprise: npm install --save-dev ${driver}`;
}

async function openPostgres(address: string, deadlineMs: number): Promise<OpenDatabase | string> {
  const driver = await import("pg").catch(() => undefined);
  if (driver === undefined) return missing("pg");
  const client = new driver.default.Client({
    connectionString: address,
    connectionTimeoutMillis: deadlineMs,
    application_name: "reprise inspect",
    query_timeout: deadlineMs + 1_000,
  });
  // an error beside a query fails the next one
  client.on("error", () => {});
  await client.connect();
  await client.query(
    "begin read only; set local lock_timeout = 1000; set local idle_in_transaction_session_timeout = 60000; set local jit = off",
  );
  return {
    database: "postgres",
    ask: async (statement, limitMs) => {
      await client.query(`savepoint reprise; set local statement_timeout = ${Math.max(1, Math.ceil(limitMs))}`);
      try {
        return (await client.query<Record<string, unknown>>(statement)).rows;
      } catch (error) {
        await client.query("rollback to savepoint reprise");
        throw error;
      }
    },
    close: () => client.end().catch(() => {}),
  };
}

async function openMysql(address: string, deadlineMs: number): Promise<OpenDatabase | string> {
  const driver = await import("mysql2/promise").catch(() => undefined);
  if (driver === undefined) return missing("mysql2");
  const connection = await driver.createConnection({
    uri: address.replace(/^mariadb:/, "mysql:"),
    connectTimeout: deadlineMs,
  });
  connection.on("error", () => {});
  const rows = async (sql: string, timeout?: number): Promise<Rows> => {
    const [found] = await connection.query(timeout === undefined ? { sql } : { sql, timeout });
    return Array.isArray(found) ? (found as Record<string, unknown>[]) : [];
  };
  const [server] = await rows("select version() as version, database() as name");
  if (server?.["name"] === null) {
    await connection.end();
    return "The address names no database: mysql://user@host:3306/database.";
  }
  const isMariadb = String(server?.["version"]).includes("MariaDB");
  await rows("set session transaction read only");
  await rows("set session lock_wait_timeout = 1");
  return {
    database: "mysql",
    ask: async (statement, limitMs) => {
      const limit = Math.max(1, Math.ceil(limitMs));
      await rows(
        isMariadb ? `set session max_statement_time = ${limit / 1_000}` : `set session max_execution_time = ${limit}`,
      );
      return rows(statement, limit + 1_000);
    },
    close: () => connection.end().catch(() => {}),
  };
}

/** Rows that SQLite counts in some seconds: it runs in this process, and nothing interrupts it. */
const mostRows = 5_000_000;

async function openSqlite(path: string): Promise<OpenDatabase | string> {
  const file = resolve(path);
  // a driver would create it
  if (!existsSync(file)) return "There is no such file.";
  const opened = await openFile(file);
  if (opened === undefined) return missing("libsql");
  opened.all("pragma query_only = on");
  return {
    database: "sqlite",
    ask: async (statement) => {
      // of the counts each reads its table whole
      const table = /^\s*select count\(\*\) as repeated[\s\S]*?\bfrom ("(?:[^"]|"")+"|\w+)/.exec(statement)?.[1];
      if (table !== undefined) {
        const [largest] = opened.all(`select count(*) as n from (select 1 from ${table} limit ${mostRows + 1})`);
        if (Number(largest?.["n"]) > mostRows) throw new Error("too large");
      }
      return opened.all(statement);
    },
    close: async () => opened.close(),
  };
}

interface File {
  readonly all: (statement: string) => Rows;
  readonly close: () => void;
}

async function openFile(file: string): Promise<File | undefined> {
  const builtIn = process.getBuiltinModule("node:sqlite");
  if (builtIn !== undefined) {
    const database = new builtIn.DatabaseSync(file, { readOnly: true });
    return { all: (statement) => database.prepare(statement).all(), close: () => database.close() };
  }
  const driver = (await import("libsql").catch(() => undefined)) as unknown as Libsql | undefined;
  if (driver === undefined) return undefined;
  const database = new driver.default(file);
  return {
    all: (statement) => {
      const prepared = database.prepare(statement);
      if (prepared.reader) return prepared.all([]);
      prepared.run([]);
      return [];
    },
    close: () => database.close(),
  };
}

/** The part of libsql that is used: its own types hold `any`, and are cast away for that. */
interface Libsql {
  readonly default: new (
    path: string,
  ) => {
    close(): void;
    prepare(sql: string): {
      readonly reader: boolean;
      all(params: readonly unknown[]): Rows;
      run(params: readonly unknown[]): unknown;
    };
  };
}
