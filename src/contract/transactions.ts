/**
 * The transactions of a driver or of an object-relational mapper, `Tx` being what it calls one. Whoever writes with it
 * shares its commit: what a ledger adds through `query` is there if, and only if, the rest of the transaction is.
 */
export interface Transactions<Tx> {
  /**
   * Begins a transaction on a connection of its own, hands it to `work`, commits when `work` resolves and rolls back when
   * it rejects. Rejects with the error of `work`, or with the database's own when the commit failed: whether it happened
   * is then unknown.
   */
  readonly begin: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /**
   * Runs one statement inside the transaction. Parameters stand for `$1`, `$2`, … on PostgreSQL and for `?` on MySQL and
   * MariaDB, in order. The database's errors pass through with their codes.
   */
  readonly query: (tx: Tx, text: string, params: readonly unknown[]) => Promise<QueryResult>;
}

export interface QueryResult {
  /** The rows that the statement returned, by column name; none for a statement without. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows it returned or changed. */
  readonly count: number;
}
