import type { Transactions } from "../../contract/transactions.ts";
import { type KnexTransaction, queryKnex } from "./knex.ts";
import { type TransactionsOptions, transactionsOver } from "./over.ts";

/** What is used of MikroORM 6 over PostgreSQL, MySQL or MariaDB. */
export interface MikroOrm<Tx> {
  readonly em: {
    fork(): {
      transactional<T>(work: (em: Tx) => T | Promise<T>, options?: { isolationLevel?: string }): Promise<T>;
    };
  };
}

/** An `EntityManager` inside a transaction. */
export interface MikroOrmTransaction {
  getTransactionContext(): unknown;
}

/**
 * The transactions of MikroORM, for a ledger; `tx` is MikroORM's own `EntityManager`, forked. What it manages is flushed
 * before the commit; `query` flushes nothing.
 *
 * @example
 * const transactions = mikroOrmTransactions(await MikroORM.init(options));
 */
export function mikroOrmTransactions<Tx extends MikroOrmTransaction>(
  orm: MikroOrm<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("MikroORM", {
    // a fork of its own: another that is in a transaction would make a savepoint of this one
    transaction: (work) =>
      orm.em.fork().transactional(work, isolation === undefined ? {} : { isolationLevel: isolation }),
    query: async (em, text, params) => {
      const transaction = em.getTransactionContext();
      if (transaction === undefined) throw new TypeError("an EntityManager outside of a transaction");
      return queryKnex(transaction as KnexTransaction, text, params);
    },
  });
}
