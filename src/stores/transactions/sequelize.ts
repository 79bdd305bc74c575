import type { Transactions } from "../../contract/transactions.ts";
import { resultOfDriver, resultOfMysql } from "./driver-result.ts";
import { type TransactionsOptions, transactionsOver } from "./over.ts";

/** What is used of Sequelize 6 over PostgreSQL, MySQL or MariaDB. */
export interface Sequelize<Tx> {
  transaction<T>(options: { isolationLevel?: string }, work: (tx: Tx) => PromiseLike<T>): Promise<T>;
  transaction<T>(work: (tx: Tx) => PromiseLike<T>): Promise<T>;
  transaction(options?: { isolationLevel?: string }): Promise<Tx>;
}

export interface SequelizeTransaction {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/** What a transaction of Sequelize 6 has besides, unnamed in its types. */
interface Running {
  readonly connection?: {
    query(text: string, params: unknown[], done: (error: unknown, result: never) => void): unknown;
  };
  /** How it ended. */
  readonly finished?: string;
}

/**
 * The transactions of Sequelize, for a ledger; `tx` is Sequelize's own `Transaction`. The ledger's statements run on its
 * connection: Sequelize does not log them.
 *
 * @example
 * const transactions = sequelizeTransactions(new Sequelize("postgres://…"));
 */
export function sequelizeTransactions<Tx extends SequelizeTransaction>(
  sequelize: Sequelize<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("Sequelize", {
    transaction: (work) =>
      isolation === undefined
        ? sequelize.transaction(work)
        : sequelize.transaction({ isolationLevel: isolation.toUpperCase() }, work),
    query: (tx, text, params) => {
      const { connection, finished } = tx as Running;
      if (connection === undefined || finished !== undefined) throw new TypeError("a transaction that is not running");
      // not `sequelize.query`: that rewrites `$` inside of literals, and knows no `?` that the server fills in
      return new Promise((resolve, reject) => {
        connection.query(text, params, (error, result) => {
          if (error !== null && error !== undefined) reject(error);
          else resolve("rowCount" in result ? resultOfDriver(result) : resultOfMysql(result));
        });
      });
    },
  });
}
