/**
 * Named texts beside a ledger that are replaced by compare-and-set: how a schedule stands, how far a load has come.
 *
 * For every method: it is atomic and durable when it resolves; a store that does not answer within its deadline rejects
 * with `REPRISE_LEDGER_AWAY` or `REPRISE_LEDGER_BUSY`, and then the call may or may not have happened: read to know. A
 * name is text of 1 to 255 characters without NUL, compared by its bytes.
 */
export interface Registers<out Tx> {
  readonly "~tx"?: Tx;

  /** `null`: there is none of this name. */
  readonly read: (name: string) => Promise<Register | null>;
  /**
   * Writes the value if the register is of this version still; `null`: if there is none. Its new version, which is
   * greater; `null`: it is of another, and nothing was written. A register that is gone and is created anew begins at
   * another version, by chance: whoever read the old one does not replace the new one.
   */
  readonly replace: (name: string, value: string, version: number | null) => Promise<number | null>;
  /** Deletes the register if it is of this version still. False: it is of another, or there is none. */
  readonly remove: (name: string, version: number) => Promise<boolean>;
  /** Those whose name begins with `prefix` and comes after `after`, in the order of the names' bytes, at most `limit`. */
  readonly list: (query: RegistersQuery) => Promise<readonly Register[]>;
  /** Deletes those of the prefix that nobody wrote for `keptMs`, at most `limit`. How many it deleted. */
  readonly sweep: (prefix: string, keptMs: number, limit: number) => Promise<number>;
  /**
   * `replace` inside a transaction that the caller holds: written if, and only if, that commits. Where another transaction
   * writes the same register, it waits for that, or rejects as the database does. Left out: the store has no transactions.
   */
  replaceIn?(tx: Tx, name: string, value: string, version: number | null): Promise<number | null>;
}

export interface Register {
  readonly name: string;
  readonly value: string;
  readonly version: number;
  /** When it was written last, by the store's clock. */
  readonly at: number;
}

export interface RegistersQuery {
  readonly prefix: string;
  /** `null`: from the first one. */
  readonly after: string | null;
  readonly limit: number;
}
