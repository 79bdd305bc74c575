/** The tables of a ledger, for whoever creates and compares them: `reprise migrate`, `reprise doctor`, a program of yours. */
export interface LedgerSchema {
  /**
   * What creates all of it where it is missing, in order; each statement may run again. Connects to nothing. Empty: it takes
   * no statement.
   * @throws REPRISE_BAD_DECLARATION when the store has no such option
   */
  readonly statements: (options?: SchemaOptions) => readonly string[];
  /**
   * Creates the tables, columns, functions and indexes that are missing, and changes and deletes nothing. Returns the
   * statements that it ran, in order; of a service that is asked by requests, their names. An index on a large table takes
   * long: this has no deadline but the caller's.
   * @throws REPRISE_BAD_DECLARATION, REPRISE_LEDGER_SCHEMA, REPRISE_LEDGER_AWAY, REPRISE_LEDGER_UNUSABLE
   */
  readonly migrate: (options?: SchemaOptions) => Promise<readonly string[]>;
  /**
   * How what is there differs from what the ledger needs; empty: it is sound. What somebody has added is no difference.
   * Changes nothing, and creates nothing.
   */
  readonly differences: () => Promise<readonly SchemaDifference[]>;
}

export interface SchemaOptions {
  /**
   * PostgreSQL: divides the work, and its effects, into so many hash partitions, for a ledger of hundreds of millions of
   * records. Only when the tables are created: later it is refused. Then each caller's key takes a row of its own.
   */
  readonly partitions?: number | undefined;
}

export interface SchemaDifference {
  /** A sentence; names of tables, columns and settings, never values. */
  readonly what: string;
  /** The statements that mend it, in order. Empty: none does, and the sentence says what does. */
  readonly mend: readonly string[];
}
