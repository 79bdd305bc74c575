import { RepriseError } from "../../base/errors.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import { type Enclosing, leaveWhole, runInside } from "../inside.ts";
import type { Connection, Row, SqliteParameter } from "./driver.ts";
import type { Entries } from "./running.ts";

/** What an operation's `run` writes with. Valid until the work that received it ends. */
export interface SqliteTransaction {
  /**
   * Runs one statement and returns its rows (`returning` gives those of a write). Parameters stand for `?` in order.
   * SQLite's own errors pass through; the statement is then undone, the transaction stays open.
   */
  readonly query: (text: string, params?: readonly SqliteParameter[]) => Promise<readonly Row[]>;
}

/** An open transaction, or a savepoint of it. */
export interface Session {
  readonly connection: Connection;
  /** What this transaction is at. */
  readonly running: Entries;
  /** Hands `work` an object that is valid until it ends. Throws where the transaction then is open no longer. */
  readonly hand: <T>(work: (tx: SqliteTransaction) => Promise<T>) => Promise<T>;
}

/** What a `SqliteTransaction` stands for. */
interface Level extends Omit<Session, "hand">, Enclosing {
  readonly depth: number;
  open: boolean;
}

export interface Transactions {
  readonly of: (connection: Connection) => Session;
  /** `work` under a savepoint of the transaction. What it throws undoes the savepoint. */
  readonly nest: <T>(tx: SqliteTransaction, work: (session: Session) => Promise<T>) => Promise<T>;
  /** The user's statement in an open transaction, and how many rows it returned or changed. */
  readonly query: (tx: SqliteTransaction, text: string, params: readonly unknown[]) => Promise<QueryResult>;
}

/** Behind any comments and empty statements. */
const endsTransaction =
  /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*(?:begin|commit|end|rollback(?!\s+(?:transaction\s+)?to\b))\b/i;

const quotedOrComment = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\//g;
const createsTrigger = /^\s*create\s+(?:temp\w*\s+)?trigger\b/i;

/** The drivers run the first statement and drop the rest without a word. A trigger's body has semicolons of its own. */
function hasSeveral(text: string): boolean {
  if (!text.includes(";")) return false;
  const bare = text.replace(quotedOrComment, " ");
  return !createsTrigger.test(bare) && /;[\s;]*[^\s;]/.test(bare);
}

export function createTransactions(): Transactions {
  const levels = new WeakMap<SqliteTransaction, Level>();

  const check = (level: Level | undefined): Level => {
    if (level === undefined)
      throw misuse(
        "this object is no open transaction of this ledger.",
        "Pass the tx it handed out, while its work goes on.",
      );
    if (!level.open) throw misuse("its transaction has ended.", "Await every query before the work returns.");
    // a statement would land under its savepoint, and be undone with it
    if (level.inside !== undefined) {
      throw misuse("a run inside this transaction is under way.", "Await it, and inside use the tx that it receives.");
    }
    if (!level.connection.inTransaction())
      throw misuse("SQLite has rolled it back.", "Let the error before this one pass.");
    return level;
  };

  const query = (level: Level | undefined, text: string, params: readonly unknown[]): readonly Row[] => {
    const { connection } = check(level);
    if (typeof text !== "string")
      throw misuse("a statement is no text.", "Pass its text, and its parameters as a list.");
    if (endsTransaction.test(text)) throw misuse("a statement would end it.", "Return to commit, throw to roll back.");
    if (hasSeveral(text)) throw misuse("a query holds several statements.", "Run each by a query of its own.");
    // what SQLite does not keep is refused by the connection
    return connection.query(text, params as readonly SqliteParameter[]);
  };

  const sessionAt = (connection: Connection, depth: number, running: Entries): Session => ({
    connection,
    running,
    hand: async (work) => {
      const own: Level = { connection, depth, running, open: true, inside: undefined };
      const tx: SqliteTransaction = {
        query: async (text, params = []) => query(own, text, params),
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
    },
  });

  return {
    of: (connection) => sessionAt(connection, 0, new Map()),
    query: async (tx, text, params) => {
      const { connection } = check(levels.get(tx));
      const before = changesOf(connection);
      const rows = query(levels.get(tx), text, params);
      if (rows.length > 0) return { rows, count: rows.length };
      const after = changesOf(connection);
      // what a statement changed stands until the next one that changes something
      return { rows, count: after.total === before.total ? 0 : after.last };
    },
    nest: async (tx, work) => {
      const outer = check(levels.get(tx));
      const { connection, running } = outer;
      const savepoint = `reprise_${outer.depth}`;
      return runInside(outer, async () => {
        connection.exec(`savepoint ${savepoint}`);
        try {
          const value = await work(sessionAt(connection, outer.depth + 1, running));
          connection.exec(`release ${savepoint}`);
          return value;
        } catch (error) {
          if (connection.inTransaction()) connection.exec(`rollback to ${savepoint}; release ${savepoint}`);
          throw error;
        }
      });
    },
  };
}

function changesOf(connection: Connection): { readonly total: number; readonly last: number } {
  const row = connection.get("select total_changes() as total, changes() as last", []);
  return { total: Number(row?.["total"]), last: Number(row?.["last"]) };
}

const unawaited = () => misuse("its work ended before a run inside it.", "Await 'executeIn' and 'publishIn'.");

function misuse(why: string, mend: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", { where: "SQLite transaction", why, mend });
}
