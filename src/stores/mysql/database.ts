import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { pause, withDeadline } from "../../base/promise.ts";
import { UnderWay } from "../../base/under-way.ts";
import type { QueryResult } from "../../contract/transactions.ts";
import { asksForRepetition, Conflict } from "./conflict.ts";
import { type Connection, errorNumber, isConflict, isLocked, isLoss, type Own, permanentFault } from "./driver.ts";
import { type LendingOptions, type Lent, lend } from "./lending.ts";
import { openTables } from "./migration.ts";
import { inspectServer, type Server } from "./server.ts";
import { beginLate, type Transaction } from "./trips.ts";

/** The database behind a pool: statements with deadlines, transactions that are repeated where the server asks for it. */
export interface Database {
  readonly open: () => Promise<void>;
  readonly close: () => Promise<void>;
  /** The server, as the first use found it. Refused when closed. */
  readonly server: (doing: string) => Promise<Server>;
  /** On a connection, whether or not the tables are there. Its statements have no deadline: an index takes long. */
  readonly unopened: <T>(doing: string, work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** One statement, committed by itself. */
  readonly one: (doing: string, text: string, params: readonly Own[]) => Promise<QueryResult>;
  /** Statements of which each commits by itself, and sees what was committed before it. */
  readonly each: <T>(doing: string, work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Our own statements in one transaction: READ COMMITTED, so that none locks a gap and each sees the latest. */
  readonly write: <T>(doing: string, work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** Several reads in one snapshot. */
  readonly read: <T>(doing: string, work: (connection: Connection) => Promise<T>) => Promise<T>;
  /** A transaction at the session's own level. What `work` throws rolls back and is rethrown; not repeated. */
  readonly transact: <T>(doing: string, work: (transaction: Transaction) => Promise<T>) => Promise<T>;
  /**
   * A transaction at READ COMMITTED, each `query` of which may take `statementMs`: MariaDB ends it by itself, error 1969, and
   * with MySQL the connection is given up. Not repeated.
   */
  readonly job: <T>(doing: string, statementMs: number, work: (connection: Lent) => Promise<T>) => Promise<T>;
  /** Our own statements' errors in the catalogue's terms. What asks for a repetition, or is a fault, stays itself. */
  readonly step: <T>(doing: string, work: Promise<T>) => Promise<T>;
  /** Repeats what the server has rolled back, as a whole; in the end the ledger is busy. */
  readonly repeat: <T>(work: () => Promise<T>) => Promise<T>;
  /** Lets `close` wait for what is under way; `abort` ends what does not end by itself. */
  readonly track: <T>(work: Promise<T>, abort?: () => void) => Promise<T>;
}

interface Tracked {
  readonly work: Promise<unknown>;
  readonly abort: (() => void) | undefined;
}

/** How often a transaction is repeated: each repetition meets fewer rivals, so that a few are plenty. */
const repetitions = 20;
const longestPauseMs = 25;

const readCommitted = "set transaction isolation level read committed";
const oneSnapshot = "set transaction isolation level repeatable read";

export function mysqlDatabase(options: LendingOptions): Database {
  const { ledger, clock, waitMs } = options;
  const underWay = new UnderWay<Tracked>();
  let opening: Promise<Server> | undefined;
  let closing: Promise<void> | undefined;

  const translate = (error: unknown, doing: string): unknown => {
    if (error instanceof RepriseError || isConflict(error)) return error;
    if (isLocked(error)) return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs }, error);
    const why = permanentFault(error);
    if (why !== undefined) return new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why }, error);
    if (errorNumber(error) === 0 && !isLoss(error)) return error;
    return new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, error);
  };
  const step = async <T>(doing: string, work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw translate(error, doing);
    }
  };

  const track = <T>(work: Promise<T>, abort?: () => void): Promise<T> => {
    const leave = underWay.add({ work, abort });
    work.then(leave, leave);
    return work;
  };

  const repeat = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let left = repetitions; ; left--) {
      try {
        return await work();
      } catch (error) {
        if (!asksForRepetition(error)) throw error;
        if (left === 0) throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs }, error);
      }
      await pause(clock, Math.random() * longestPauseMs);
    }
  };

  /** What a connection is borrowed for. One that nobody knows the state of does not return to the pool. */
  const borrowed = async <T>(
    doing: string,
    dialect: Server["dialect"],
    work: (lent: Lent) => Promise<T>,
    lending: LendingOptions = options,
  ): Promise<T> => {
    const lent = await step(doing, lend(lending, dialect, doing));
    try {
      return await track(work(lent), lent.destroy);
    } finally {
      lent.giveBack();
    }
  };

  const closed = (doing: string) => new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing: `${doing}, closed` });
  const server = async (doing: string): Promise<Server> => {
    if (closing !== undefined) throw closed(doing);
    opening ??= connect();
    try {
      return await opening;
    } catch (error) {
      // the next call tries again
      opening = undefined;
      throw error;
    }
  };
  const connect = (): Promise<Server> =>
    repeat(() =>
      borrowed("open", "mariadb", (lent) =>
        step(
          "open",
          (async () => {
            const found = await inspectServer(lent, ledger);
            await openTables(lent, ledger);
            return found;
          })(),
        ),
      ),
    );

  const inTransaction = async <T>(
    lent: Lent,
    doing: string,
    begin: readonly string[],
    work: (lent: Lent) => Promise<T>,
    isCommitted = () => false,
  ): Promise<T> => {
    try {
      for (const statement of begin) await step(doing, lent.run(statement, []));
      const value = await work(lent);
      if (isCommitted()) return value;
      if (lent.conflicted()) throw new Conflict();
      await step(`${doing}, commit`, lent.run("commit", []));
      return value;
    } catch (error) {
      if (!lent.isBroken()) await lent.run("rollback", []).catch(lent.destroy);
      throw lent.conflicted() ? new Conflict(error) : error;
    }
  };

  const own = async <T>(doing: string, level: string, work: (connection: Connection) => Promise<T>): Promise<T> => {
    const { dialect } = await server(doing);
    const begin = beginning(dialect, level);
    return repeat(() =>
      borrowed(doing, dialect, (lent) => inTransaction(lent, doing, begin, (one) => step(doing, work(one)))),
    );
  };

  return {
    open: async () => {
      await server("open");
    },
    close: () => {
      closing ??= (async () => {
        await opening?.catch(ignore);
        await withDeadline(
          clock,
          defaults.drainMs,
          Promise.allSettled([...underWay].map(({ work }) => work)),
          () => new Error(),
        ).catch(() => {
          // a transaction that never ends is rolled back by disconnecting; the pool itself is the user's
          for (const { abort } of underWay) abort?.();
        });
      })();
      return closing;
    },
    server,
    unopened: async (doing, work) => {
      if (closing !== undefined) throw closed(doing);
      const patient = { ...options, deadlineMs: defaults.migrateMs };
      const inspected = async (lent: Lent) => {
        await inspectServer(lent, ledger);
        return work(lent);
      };
      return borrowed(doing, "mariadb", (lent) => step(doing, inspected(lent)), patient);
    },
    one: async (doing, text, params) => {
      const { dialect } = await server(doing);
      return repeat(() => borrowed(doing, dialect, (lent) => step(doing, lent.query(text, params))));
    },
    each: async (doing, work) => {
      const { dialect } = await server(doing);
      return repeat(() => borrowed(doing, dialect, (lent) => step(doing, work(lent))));
    },
    write: (doing, work) => own(doing, readCommitted, work),
    read: (doing, work) => own(doing, oneSnapshot, work),
    transact: async (doing, work) => {
      const { dialect } = await server(doing);
      return borrowed(doing, dialect, (lent) => {
        if (dialect === "mysql") {
          return inTransaction(lent, doing, ["start transaction"], () => work({ connection: lent, ours: lent }));
        }
        const { transaction, isCommitted } = beginLate(lent);
        return inTransaction(lent, doing, [], () => work(transaction), isCommitted);
      });
    },
    job: async (doing, statementMs, work) => {
      const { dialect } = await server(doing);
      const begin = beginning(dialect, readCommitted);
      const isMariadb = dialect === "mariadb";
      // the server ends it: behind a connection that is given up it would go on, and keep its locks
      const bound = isMariadb ? `set statement max_statement_time=${statementMs / 1_000} for ` : "";
      const bounded = (lent: Lent): Lent => ({ ...lent, query: (text, params) => lent.query(bound + text, params) });
      return borrowed(doing, dialect, (lent) => inTransaction(lent, doing, begin, () => work(bounded(lent))), {
        ...options,
        deadlineMs: isMariadb ? statementMs + options.deadlineMs : statementMs,
      });
    },
    step,
    repeat,
    track,
  };
}

function beginning(dialect: Server["dialect"], level: string): readonly string[] {
  return dialect === "mariadb" ? [`begin not atomic ${level}; start transaction; end`] : [level, "start transaction"];
}

function ignore(): void {}
