import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Transactions } from "../../contract/transactions.ts";
import { type Enclosing, leaveWhole, runInside } from "../inside.ts";
import { asksForRepetition, Conflict } from "./conflict.ts";
import type { Database } from "./database.ts";
import { type Connection, isSavepointMissing } from "./driver.ts";
import { hasEnded, misuse, type Transactional, type Users, unawaited, underSavepoint } from "./transaction.ts";

/**
 * The transactions of an object-relational mapper, or of another pool on the same database. Whether its commit happened is
 * unknown to whoever gets its error, unless the server said that it rolled back.
 */
export function mapperTransactions<Tx>(
  database: Database,
  options: {
    readonly ledger: string;
    readonly clock: Clock;
    readonly transactions: Transactions<Tx>;
    readonly waitMs: number;
    readonly deadlineMs: number;
  },
): Transactional<Tx> {
  const { ledger, clock, transactions, waitMs, deadlineMs } = options;
  const away = (doing: string, cause?: unknown) => new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, cause);
  let savepoints = 0;
  /** The transactions that are begun here, and how long a statement of each may take. */
  const begun = new Map<Tx, Enclosing & { readonly statementMs: number }>();
  const inside = <T>(tx: Tx, work: () => Promise<T>): Promise<T> => {
    const level = begun.get(tx);
    return level === undefined || level.inside !== undefined ? work() : runInside(level, work);
  };

  const connectionOf = async (tx: Tx, doing: string): Promise<Connection> => {
    const { dialect } = await database.server(doing);
    const query: Connection["query"] = (text, params) =>
      withDeadline(clock, deadlineMs, transactions.query(tx, text, params), () => away(doing));
    return { dialect, query, run: query };
  };

  /** Between the ledger's own statements the work can end the transaction: whatever follows has not this savepoint. */
  const guarded =
    (connection: Connection, doing: string, tx: Tx): Users<Tx> =>
    async (work) => {
      savepoints += 1;
      const savepoint = `reprise_${savepoints}`;
      await database.step(doing, connection.query(`savepoint ${savepoint}`, []));
      const value = await work(tx);
      const released = connection.query(`release savepoint ${savepoint}`, []).catch((error: unknown) => {
        throw isSavepointMissing(error) ? hasEnded(error) : error;
      });
      await database.step(doing, released);
      return value;
    };

  const once = async <T>(doing: string, work: (tx: Tx) => Promise<T>, statementMs = deadlineMs): Promise<T> => {
    let state: "waiting" | "given up" | "at work" | "to commit" = "waiting";
    let enter = () => {};
    const entered = new Promise<void>((resolve) => {
      enter = resolve;
    });
    const ended = transactions.begin(async (tx) => {
      // whoever asked was told that the ledger is busy
      if (state === "given up") throw new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs });
      state = "at work";
      enter();
      const level = { inside: undefined, statementMs };
      begun.set(tx, level);
      try {
        const value = await leaveWhole(level, work(tx), unawaited);
        state = "to commit";
        return value;
      } finally {
        begun.delete(tx);
      }
    });
    const entering = Promise.race([entered, ended.then(ignore)]);
    await database.step(
      doing,
      withDeadline(clock, waitMs, entering, () => {
        state = "given up";
        ended.catch(ignore);
        return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs });
      }),
    );
    try {
      return await ended;
    } catch (error) {
      if (asksForRepetition(error)) throw new Conflict(error);
      if (isAtCommit(state)) throw away("commit", error);
      throw error;
    }
  };

  return {
    begin: (doing, work) =>
      database.repeat(async () => {
        await database.server(doing);
        return database.track(
          once(doing, async (tx) => {
            const connection = await connectionOf(tx, doing);
            return work(connection, guarded(connection, doing, tx));
          }),
        );
      }),
    nest: async (tx, work) => {
      const connection = await connectionOf(tx, "join");
      savepoints += 1;
      const savepoint = `reprise_${savepoints}`;
      const unproven = () =>
        misuse("this object is no open transaction.", "Pass what the mapper hands to a transaction, before it ends.");
      return inside(tx, () =>
        underSavepoint(
          connection,
          ledger,
          savepoint,
          () => work(connection, guarded(connection, "join", tx)),
          unproven,
        ),
      );
    },
    together: (tx, work) =>
      inside(tx, () =>
        work((text, params) =>
          withDeadline(clock, deadlineMs, transactions.query(tx, text, params), () => away("join")),
        ),
      ),
    sql: {
      dialect: "mysql",
      begin: async (work, statementMs) => {
        await database.server("SQL job");
        return database.track(once("SQL job", work, statementMs));
      },
      query: (tx, text, params) => {
        const withinMs = begun.get(tx)?.statementMs ?? deadlineMs;
        return withDeadline(clock, withinMs, transactions.query(tx, text, params), () => away("SQL job"));
      },
    },
  };
}

/** A function, since the compiler does not see that the callback writes it. */
function isAtCommit(state: string): boolean {
  return state === "to commit";
}

function ignore(): void {}
