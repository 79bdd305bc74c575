import type { Transactions } from "../../contract/transactions.ts";
import { type TransactionsOptions, transactionsOver } from "./over.ts";

type TypeormIsolation = "READ COMMITTED" | "REPEATABLE READ" | "SERIALIZABLE";

/** What is used of a TypeORM `DataSource` over PostgreSQL, MySQL or MariaDB. */
export interface TypeormDataSource<Tx> {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  transaction<T>(isolation: TypeormIsolation, work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** An `EntityManager` inside a transaction. */
export interface TypeormTransaction {
  readonly queryRunner?:
    | { query(text: string, params: unknown[], structured: true): Promise<TypeormResult> }
    | undefined;
}

interface TypeormResult {
  readonly records: readonly Readonly<Record<string, unknown>>[];
  readonly affected?: number | null;
}

/**
 * The transactions of TypeORM, for a ledger; `tx` is TypeORM's own `EntityManager`.
 *
 * @example
 * const transactions = typeormTransactions(dataSource);
 */
export function typeormTransactions<Tx extends TypeormTransaction>(
  dataSource: TypeormDataSource<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("TypeORM", {
    transaction: (work) =>
      isolation === undefined
        ? dataSource.transaction(work)
        : dataSource.transaction(isolation.toUpperCase() as TypeormIsolation, work),
    query: async ({ queryRunner }, text, params) => {
      if (queryRunner === undefined) throw new TypeError("an EntityManager outside of a transaction");
      // the structured result: the plain one has the count of an update, and not of an insert
      const { records, affected } = await queryRunner.query(text, params, true);
      return { rows: records, count: affected ?? records.length };
    },
  });
}
