import type { QueryResult, Transactions } from "../../contract/transactions.ts";
import { resultOfDriver } from "./driver-result.ts";
import { type Isolation, type TransactionsOptions, transactionsOver } from "./over.ts";

/** What is used of Knex over `pg` or `mysql2`. */
export interface KnexDatabase<Tx> {
  transaction<T>(work: (tx: Tx) => Promise<T>, config?: { isolationLevel: Isolation }): Promise<T>;
}

export interface KnexTransaction {
  readonly client: {
    acquireConnection(): Promise<unknown>;
    query(connection: unknown, statement: KnexStatement): Promise<{ readonly response: unknown }>;
  };
}

interface KnexStatement {
  sql: string;
  bindings: unknown[];
}

/**
 * The transactions of Knex, for a ledger; `tx` is Knex's own `Knex.Transaction`.
 *
 * @example
 * const transactions = knexTransactions(knex({ client: "pg", connection }));
 */
export function knexTransactions<Tx extends KnexTransaction>(
  knex: KnexDatabase<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("Knex", {
    transaction: (work) =>
      isolation === undefined ? knex.transaction(work) : knex.transaction(work, { isolationLevel: isolation }),
    query: queryKnex,
  });
}

/**
 * Through the client of the transaction, which holds one connection, refuses work after the end, tells Knex's listeners,
 * and neither wants `?` for `$1` nor lets `postProcessResponse` rename columns, as `raw` does.
 */
export async function queryKnex({ client }: KnexTransaction, text: string, params: unknown[]): Promise<QueryResult> {
  const connection = await client.acquireConnection();
  const statement: KnexStatement = {
    get sql() {
      return text;
    },
    // Knex would make a parameter of every `?`, those of literals and of operators too
    set sql(_) {},
    bindings: params,
  };
  const { response } = await client.query(connection, statement);
  return resultOfDriver(response);
}
