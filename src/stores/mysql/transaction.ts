import { isRepriseError, RepriseError } from "../../base/errors.ts";
import type { SqlDatabase } from "../../contract/sql.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import { type Enclosing, leaveWhole, runInside } from "../inside.ts";
import { asksForRepetition } from "./conflict.ts";
import type { Database } from "./database.ts";
import { type Answer, type Connection, isSavepointMissing, type Own } from "./driver.ts";
import type { Lent } from "./lending.ts";
import { endsTransaction, hasSeveral } from "./statement.ts";

/** A row by column name; what a column's type becomes in JavaScript is decided by the pool's options. */
export type MysqlRow = Readonly<Record<string, unknown>>;

/** What an operation's `run` writes with, on a pool of `mysql2`. Valid until the work that received it ends. */
export interface MysqlTransaction {
  /**
   * Runs one statement and returns its rows; none for one without. Parameters stand for `?` in order. The server's own
   * errors pass through; the statement is then undone and the transaction stays open, unless it was a deadlock.
   * @throws REPRISE_BAD_DECLARATION for a statement that would end the transaction, and after its end
   * @throws REPRISE_LEDGER_AWAY when there is no answer in time: the connection is given up
   */
  readonly query: (text: string, params?: readonly unknown[]) => Promise<readonly MysqlRow[]>;
}

/** How work runs in transactions: in the pool's own, or in a mapper's. */
export interface Transactional<Tx> {
  /**
   * `work` in a transaction of its own, repeated as a whole when the server rolled it back. `users` hands the user's work
   * its `tx`; what `work` throws rolls back and is rethrown.
   */
  readonly begin: <T>(doing: string, work: (connection: Connection, users: Users<Tx>) => Promise<T>) => Promise<T>;
  /**
   * The same under a savepoint of an open transaction. What `work` throws undoes the savepoint.
   * @throws REPRISE_RETRY_TRANSACTION
   */
  readonly nest: <T>(tx: Tx, work: (connection: Connection, users: Users<Tx>) => Promise<T>) => Promise<T>;
  /** Several statements of ours in an open transaction, which does not end between them. */
  readonly together: <T>(tx: Tx, work: (query: SqlQuery) => Promise<T>) => Promise<T>;
  readonly sql: SqlDatabase<Tx>;
}
/** Rows by their columns' names. */
export type SqlQuery = (text: string, params: readonly Own[]) => Promise<QueryResult>;

export type Users<Tx> = <R>(work: (tx: Tx) => Promise<R>) => Promise<R>;

/** The open transaction, or an open savepoint of it, that a `MysqlTransaction` stands for. */
interface Level extends Enclosing {
  readonly connection: Lent;
  readonly depth: number;
  open: boolean;
}

export function ownTransactions(database: Database, ledger: string): Transactional<MysqlTransaction> {
  const levels = new WeakMap<MysqlTransaction, Level>();

  const check = (level: Level | undefined): Level => {
    if (level === undefined) {
      throw misuse(
        "this object is no open transaction of this ledger.",
        "Pass the tx it handed out, while its work goes on.",
      );
    }
    if (!level.open) throw misuse("its transaction has ended.", "Await every query before the work returns.");
    // a statement would land under its savepoint, and be undone with it
    if (level.inside !== undefined) {
      throw misuse("a run inside this transaction is under way.", "Await it, and inside use the tx that it receives.");
    }
    // what came now would be committed by itself
    if (level.connection.conflicted()) throw new RepriseError("REPRISE_RETRY_TRANSACTION", { ledger });
    return level;
  };

  /** One statement, by a way of the connection's, unless the transaction is over, or would be by it. */
  const ask = async (
    level: Level | undefined,
    way: "users" | "query",
    text: string,
    params: readonly unknown[],
  ): Promise<Answer> => {
    const { connection } = check(level);
    if (typeof text !== "string")
      throw misuse("a statement is no text.", "Pass its text, and its parameters as a list.");
    if (endsTransaction(text)) throw misuse("a statement would end it.", "Return to commit, throw to roll back.");
    if (hasSeveral(text)) throw misuse("a query holds several statements.", "Run each by a query of its own.");
    const answer = await connection[way](text, params);
    if (answer.inTransaction === false) {
      connection.destroy();
      throw misuse("a statement has ended it.", "Keep what commits by itself out of it.");
    }
    return answer;
  };

  const level = async <T>(connection: Lent, depth: number, work: (tx: MysqlTransaction) => Promise<T>): Promise<T> => {
    const own: Level = { connection, depth, open: true, inside: undefined };
    const tx: MysqlTransaction = {
      query: async (text, params = []) => (await ask(own, "users", text, params)).rows,
    };
    levels.set(tx, own);
    try {
      const value = await leaveWhole(own, work(tx), unawaited);
      // what is written from here on must not be written outside of it
      check(own);
      return value;
    } finally {
      own.open = false;
      // left to the collector, all that a transaction ever held would grow old with the map
      levels.delete(tx);
    }
  };

  return {
    begin: (doing, work) =>
      database.repeat(() =>
        database.transact(doing, ({ connection, ours }) => work(ours, (users) => level(connection, 0, users))),
      ),
    nest: async (tx, work) => {
      const outer = check(levels.get(tx));
      const { connection } = outer;
      return runInside(outer, () =>
        underSavepoint(connection, ledger, `reprise_${outer.depth}`, () =>
          level(connection, outer.depth + 1, (own) => work(connection, (users) => users(own))),
        ),
      );
    },
    together: async (tx, work) => {
      const outer = check(levels.get(tx));
      return runInside(outer, () => work((text, params) => outer.connection.query(text, params)));
    },
    sql: {
      dialect: "mysql",
      begin: (work, statementMs) => database.job("SQL job", statementMs, (connection) => level(connection, 0, work)),
      // rows by their columns' names, whatever the pool's options say
      query: (tx, text, params) => ask(levels.get(tx), "query", text, params),
    },
  };
}

/**
 * What `work` throws undoes its part; a conflict has undone the caller's whole transaction. `unproven`: what is thrown if
 * the transaction turns out not to be open, where only the server knows: a mapper's own calls can have ended it.
 */
export async function underSavepoint<T>(
  connection: Connection,
  ledger: string,
  savepoint: string,
  work: () => Promise<T>,
  unproven?: () => RepriseError,
): Promise<T> {
  const retry = (cause: unknown) => new RepriseError("REPRISE_RETRY_TRANSACTION", { ledger }, cause);
  await connection.query(`savepoint ${savepoint}`, []).catch((error: unknown) => {
    throw asksForRepetition(error) ? retry(error) : error;
  });
  if (unproven !== undefined) await proveOpen(connection, savepoint, unproven);
  try {
    const value = await work();
    await connection.query(`release savepoint ${savepoint}`, []);
    return value;
  } catch (error) {
    if (asksForRepetition(error)) throw retry(error);
    try {
      await connection.query(`rollback to savepoint ${savepoint}`, []);
    } catch (undoing) {
      // nobody may go on over a part that was not undone; on a connection that is gone, nobody can
      if (isRepriseError(undoing, "REPRISE_LEDGER_AWAY")) throw error;
      // whoever repeated what the run ended itself would do again what is committed
      throw unproven === undefined || asksForRepetition(undoing) ? retry(undoing) : hasEnded(error);
    }
    throw error;
  }
}

/** Outside a transaction a savepoint is accepted and kept by nobody, and every statement would commit by itself. */
async function proveOpen(connection: Connection, savepoint: string, unproven: () => RepriseError): Promise<void> {
  try {
    await connection.query(`rollback to savepoint ${savepoint}`, []);
  } catch (error) {
    throw isSavepointMissing(error) ? unproven() : error;
  }
}

export const unawaited = (): RepriseError =>
  misuse("its work ended before a run inside it.", "Await 'executeIn' and 'publishIn'.");

export function misuse(why: string, mend: string, cause?: unknown): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", { where: "MySQL transaction", why, mend }, cause);
}

/** Told where only the server knows: in a mapper's transaction, which its own calls can end. */
export function hasEnded(cause?: unknown): RepriseError {
  return misuse(
    "the run has ended it: what it wrote may be committed, and its outcome is not kept.",
    "Return to commit, throw to roll back.",
    cause,
  );
}
