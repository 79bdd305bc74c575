import { createRequire } from "node:module";

/** What the platform needs of SQLite: `node:sqlite` where Node has it, else `libsql`; the two agree on this much. */

export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

export interface Statement {
  readonly all: (...values: readonly Value[]) => readonly Row[];
}

export interface Database {
  readonly exec: (sql: string) => void;
  readonly prepare: (sql: string) => Statement;
  readonly close: () => void;
}

type Constructor = new (
  path: string,
) => {
  exec(sql: string): unknown;
  prepare(sql: string): { all(...values: Value[]): unknown; run(...values: Value[]): unknown };
  close(): unknown;
};

/** Opens a file, ready for several processes: WAL, durable commits, five seconds of patience with another writer. */
export function openDatabase(path: string): Database {
  const builtIn = process.getBuiltinModule("node:sqlite");
  const Driver: Constructor = builtIn?.DatabaseSync ?? createRequire(import.meta.url)("libsql");
  const database = new Driver(path);
  database.exec("pragma busy_timeout = 5000");
  database.exec("pragma journal_mode = wal");
  database.exec("pragma synchronous = full");
  return {
    exec: (sql) => void database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql);
      // libsql answers `all` only for what returns rows
      const returnsRows = /^\s*(select|with)\b|\breturning\b/i.test(sql);
      return {
        all: (...values) => {
          if (returnsRows) return statement.all(...values) as readonly Row[];
          statement.run(...values);
          return [];
        },
      };
    },
    close: () => void database.close(),
  };
}

/** Runs `work` between begin and commit, or rolls back. */
export function inTransaction<T>(database: Database, work: () => T): T {
  database.exec("begin immediate");
  try {
    const result = work();
    database.exec("commit");
    return result;
  } catch (error) {
    database.exec("rollback");
    throw error;
  }
}
