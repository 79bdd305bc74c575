import type { Transactions } from "../../contract/transactions.ts";
import { type Isolation, type TransactionsOptions, transactionsOver } from "./over.ts";

/** What is used of Kysely over PostgreSQL or MySQL. */
export interface KyselyDatabase<Tx> {
  transaction(): KyselyTransactionBuilder<Tx>;
}

export interface KyselyTransactionBuilder<Tx> {
  setIsolationLevel(isolation: Isolation): KyselyTransactionBuilder<Tx>;
  execute<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

export interface KyselyTransaction {
  withoutPlugins(): { executeQuery(query: KyselyStatement): Promise<KyselyResult> };
}

/** A `CompiledQuery` of Kysely's. */
export interface KyselyStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
  readonly query: { readonly kind: "RawNode"; readonly sqlFragments: readonly string[]; readonly parameters: [] };
  readonly queryId: { readonly queryId: string };
}

interface KyselyResult {
  readonly rows: unknown[];
  readonly numAffectedRows?: bigint;
}

/**
 * The transactions of Kysely, for a ledger; `tx` is Kysely's own `Transaction<DB>`.
 *
 * @example
 * const transactions = kyselyTransactions(new Kysely<DB>({ dialect: new PostgresDialect({ pool }) }));
 */
export function kyselyTransactions<Tx extends KyselyTransaction>(
  db: KyselyDatabase<Tx>,
  { isolation }: TransactionsOptions = {},
): Transactions<Tx> {
  return transactionsOver<Tx>("Kysely", {
    transaction: (work) => {
      const builder = db.transaction();
      return (isolation === undefined ? builder : builder.setIsolationLevel(isolation)).execute(work);
    },
    query: async (tx, text, params) => {
      // plugins rename columns: the rows of a statement that they did not write must keep their names
      const { rows, numAffectedRows } = await tx.withoutPlugins().executeQuery(statement(text, params));
      return {
        rows: rows as Readonly<Record<string, unknown>>[],
        count: numAffectedRows === undefined ? rows.length : Number(numAffectedRows),
      };
    },
  });
}

function statement(text: string, params: readonly unknown[]): KyselyStatement {
  return {
    sql: text,
    parameters: params,
    query: { kind: "RawNode", sqlFragments: [text], parameters: [] },
    // only plugins tell queries apart
    queryId: { queryId: "reprise" },
  };
}
