/**
 * The transactions of a driver or of an object-relational mapper, `Tx` being what it calls one. Whoever writes with it
 * shares its commit: what a ledger adds through `query` is there if, and only if, the rest of the transaction is.
 */
export interface Transactions<Tx> {
  /**
   * Begins a transaction on a connection of its own, hands it to `work`, commits when `work` resolves and rolls back when
   * it rejects. Rejects with what `work` threw, the same object, though the rollback failed too; else with the
   * database's own error, its code at `error.code` (MySQL and MariaDB: the number at `error.errno`). After a failed
   * commit with a SQLSTATE of class 23 or 40 nothing stays; after any other it is unknown whether it happened.
   *
   * What a mapper threw inside `work` is the mapper's error still: `databaseErrorOf` finds the database's in it.
   * Where a statement failed and `work` resolves nevertheless, PostgreSQL rolls back at the commit without an error:
   * whoever lets `work` catch errors ends with a statement of its own, which then rejects with code `25P02`.
   */
  readonly begin: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /**
   * Runs one statement inside the transaction, its text sent as it is. Parameters stand for `$1`, `$2`, … on PostgreSQL
   * and for `?` on MySQL and MariaDB, in order. Strings, numbers, bigints, booleans, bytes, dates and `null` arrive as
   * they are, and on PostgreSQL arrays of strings or numbers. Rejects with the database's own error, not with a
   * mapper's around it, so that its code is at `error.code` (MySQL and MariaDB: the number at `error.errno`).
   */
  readonly query: (tx: Tx, text: string, params: readonly unknown[]) => Promise<QueryResult>;
}

export interface QueryResult {
  /**
   * The rows that the statement returned, by the column names of the statement; none for a statement without. Text,
   * 32-bit integers, bytes and null are the same whatever the driver is. Instants, wider numbers, booleans, arrays and
   * JSON are not: let the statement cast them.
   */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /**
   * How many rows it returned or changed; 0 for a statement that does neither. On MySQL and MariaDB, a connection
   * without the flag FOUND_ROWS does not count an updated row that was so before.
   */
  readonly count: number;
}
