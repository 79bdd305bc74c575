import type { QueryResult } from "./transactions.ts";

export type SqlDialect = "postgres" | "mysql" | "sqlite";

/** The database that a ledger lies in, for statements of SQL jobs beside its tables. */
export interface SqlDatabase<out Tx> {
  /** `mysql` stands for MariaDB too; the server tells which it is. */
  readonly dialect: SqlDialect;
  readonly "~tx"?: Tx;
  /**
   * `work` in a transaction of its own, each statement of which may take `statementMs`. It is not repeated: the database's
   * own errors pass through, their code where `databaseErrorOf` finds it.
   */
  readonly begin: <T>(work: (tx: Tx) => Promise<T>, statementMs: number) => Promise<T>;
  /**
   * One statement inside a transaction of `begin`, or of a caller's. Parameters and rows are as `Transactions.query` says:
   * `$1` on PostgreSQL, `?` elsewhere; let the statement cast what drivers read differently.
   */
  query(tx: Tx, text: string, params: readonly unknown[]): Promise<SqlResult>;
}

export interface SqlResult extends QueryResult {
  /**
   * On MySQL and MariaDB, what the server says of a statement that may write many rows: `"Records: 3  Duplicates: 1
   * Warnings: 0"`. Left out: it says nothing, or the mapper whose transaction it is does not hand it on.
   */
  readonly info?: string | undefined;
}
