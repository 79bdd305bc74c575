import type { SqlDatabase } from "../../contract/sql.ts";
import type { SqliteTransaction, Transactions } from "./transaction.ts";

/** A statement runs in this thread, and nothing can end it before it is done: its bound has no effect here. */
export function sqliteSql(
  begin: <T>(work: (tx: SqliteTransaction) => Promise<T>) => Promise<T>,
  transactions: Transactions,
): SqlDatabase<SqliteTransaction> {
  return { dialect: "sqlite", begin: (work) => begin(work), query: transactions.query };
}
