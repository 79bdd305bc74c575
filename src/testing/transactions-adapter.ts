import type { QueryResult, Transactions } from "../contract/transactions.ts";
import type { Capability } from "./suite.ts";

/** What an adapter of transactions gives its conformance suite. */
export interface TransactionsAdapter<Tx> {
  /** For the names of the cases. */
  readonly name: string;
  readonly dialect: TransactionsDialect;
  readonly can: {
    /** Go on after a failed statement by rolling back to a savepoint made by `query`. */
    readonly savepoints: Capability;
    /** Answer a query that meets a connection which was cut. */
    readonly lostConnections: Capability;
  };
  readonly open: () => Promise<TransactionsStage<Tx>>;
}

export type TransactionsDialect = "postgres" | "mysql";

export interface TransactionsStage<Tx> {
  /** With room for four transactions at once. */
  readonly transactions: Transactions<Tx>;
  /** The same, each transaction serializable. */
  readonly serializable: Transactions<Tx>;
  /** One statement without parameters through what the driver or the mapper offers its users, not through `query`. */
  readonly own: (tx: Tx, text: string) => Promise<QueryResult["rows"]>;
  readonly close: () => Promise<void>;
}
