import { RepriseError } from "../../base/errors.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import { type Connection, type Dialect, isLocked, type Own } from "./driver.ts";
import { textOf } from "./records.ts";

export interface Server {
  readonly dialect: Dialect;
  /** It may refuse to lock a row that has changed since the transaction's snapshot: MariaDB, by default from 11.6.2 on. */
  readonly mayRefuseChanged: boolean;
}

/**
 * What the server is, and whether a ledger can be kept there.
 * @throws REPRISE_LEDGER_UNUSABLE
 */
export async function inspectServer(connection: Connection, ledger: string): Promise<Server> {
  const { rows } = await connection.query(
    "select version() as version, database() as name, @@autocommit as autocommit",
    [],
  );
  const row = rows[0] ?? {};
  const unusable = (why: string) => new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why });
  const version = textOf(row["version"]);
  const dialect: Dialect = /mariadb/i.test(version) ? "mariadb" : "mysql";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const least = dialect === "mariadb" ? { major: 10, minor: 6 } : { major: 8, minor: 0 };
  if (major < least.major || (major === least.major && minor < least.minor)) {
    throw unusable("it needs MariaDB 10.6 or MySQL 8.0, which skip locked rows");
  }
  if (row["name"] === null) throw unusable("the pool names no database");
  if (Number(row["autocommit"]) !== 1) throw unusable("its sessions begin with autocommit off");
  const { rows: settings } = await connection.query("show variables like 'innodb_snapshot_isolation'", []);
  return { dialect, mayRefuseChanged: settings.length > 0 };
}

/**
 * Runs a statement that must not wait for a lock. `locked`: somebody holds one; the statement is undone.
 * MySQL waits at least a second, and knows no variable for one statement.
 */
export async function unlessLocked(
  connection: Connection,
  text: string,
  params: readonly Own[],
): Promise<QueryResult | "locked"> {
  const run = async (statement: string): Promise<QueryResult | "locked"> => {
    try {
      return await connection.query(statement, params);
    } catch (error) {
      if (isLocked(error)) return "locked";
      throw error;
    }
  };
  if (connection.dialect === "mariadb") return run(`set statement innodb_lock_wait_timeout=0 for ${text}`);
  const { rows } = await connection.query("select @@session.innodb_lock_wait_timeout as seconds", []);
  await connection.query("set session innodb_lock_wait_timeout = 1", []);
  try {
    return await run(text);
  } finally {
    await connection.query(`set session innodb_lock_wait_timeout = ${Number(rows[0]?.["seconds"])}`, []);
  }
}
