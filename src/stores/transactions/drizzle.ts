import type { Transactions } from "../../contract/transactions.ts";
import { resultOfDriver } from "./driver-result.ts";
import { type Isolation, type TransactionsOptions, transactionsOver } from "./over.ts";

/** What is used of a Drizzle database over `pg`, `postgres` or `mysql2`. */
export interface DrizzleDatabase<Tx> {
  transaction<T>(work: (tx: Tx) => Promise<T>, config?: { isolationLevel: Isolation }): Promise<T>;
}

export interface DrizzleTransaction {
  readonly execute: (query: never) => PromiseLike<unknown>;
}

/**
 * The transactions of Drizzle, for a ledger; `tx` is Drizzle's own. Dates are sent as Drizzle's columns send them, in UTC.
 * Over `postgres`, a failed statement ends the transaction, and a savepoint made by `query` does not help: that driver
 * rolls back in the end whatever caught the error. `tx.transaction` does help there.
 *
 * @example
 * const transactions = drizzleTransactions(drizzle(pool), { isolation: "serializable" });
 */
export function drizzleTransactions<Tx extends DrizzleTransaction>(
  db: DrizzleDatabase<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("Drizzle", {
    transaction: (work) =>
      isolation === undefined ? db.transaction(work) : db.transaction(work, { isolationLevel: isolation }),
    query: async (tx, text, params) => resultOfDriver(await tx.execute(statement(text, params) as never)),
  });
}

/** What Drizzle's dialects ask of a statement: `sql` would have to be imported, and numbers parameters its own way. */
function statement(text: string, params: readonly unknown[]) {
  const toQuery = ({ escapeParam }: { escapeParam: (at: number) => string }) => ({
    sql: text,
    // Drizzle takes away how `postgres` writes dates; `mysql2` writes them as MySQL wants them
    params: escapeParam(0) === "$1" ? params.map(toIso) : params,
  });
  return { getSQL: () => ({ toQuery }) };
}

function toIso(param: unknown): unknown {
  return param instanceof Date ? param.toISOString() : param;
}
