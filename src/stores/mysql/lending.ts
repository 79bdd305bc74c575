import type { Clock } from "../../base/clock.ts";
import { RepriseError } from "../../base/errors.ts";
import { withDeadline } from "../../base/promise.ts";
import {
  type Answer,
  answerOf,
  type Connection,
  type Dialect,
  isAnswer,
  isConflict,
  isLoss,
  type MysqlConnection,
  type MysqlPool,
} from "./driver.ts";

/** A connection of the pool, until it is given back. */
export interface Lent extends Connection {
  readonly query: (text: string, params: readonly unknown[]) => Promise<Answer>;
  /** A statement of the user's: options of the pool apply to it, and its errors pass through. */
  readonly users: (text: string, params: readonly unknown[]) => Promise<Answer>;
  /** Whether the server has rolled the open transaction back by itself. */
  readonly conflicted: () => boolean;
  /** Back to the pool, or destroyed where nobody knows what it is in the middle of. */
  readonly giveBack: () => void;
  readonly destroy: () => void;
  readonly isBroken: () => boolean;
}

export interface LendingOptions {
  readonly ledger: string;
  readonly pool: MysqlPool;
  readonly clock: Clock;
  readonly waitMs: number;
  readonly deadlineMs: number;
}

/** @throws REPRISE_LEDGER_BUSY when the pool has no connection in time */
export async function lend(options: LendingOptions, dialect: Dialect, doing: string): Promise<Lent> {
  const { ledger, pool, clock, waitMs, deadlineMs } = options;
  const connection = await borrow(pool, clock, waitMs, () => {
    return new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs });
  });
  const away = (cause?: unknown) => new RepriseError("REPRISE_LEDGER_AWAY", { ledger, doing }, cause);
  let broken = false;
  let conflicted = false;
  let returned = false;

  const destroy = (): void => {
    broken = true;
    if (returned) return;
    returned = true;
    connection.destroy();
  };
  const answered = async (ask: () => ReturnType<MysqlConnection["query"]>): Promise<Answer> => {
    if (broken) throw away();
    try {
      const [raw] = await withDeadline(clock, deadlineMs, ask(), () => away());
      return answerOf(raw);
    } catch (error) {
      // the answer to this statement may still come: it must not be taken for the next one's
      if (!isAnswer(error)) destroy();
      if (isConflict(error)) conflicted = true;
      throw isLoss(error) ? away(error) : error;
    }
  };
  // with options of a statement's own mysql2 takes ten times as long before it sends it
  const plain = (text: string, params: readonly unknown[]) => answered(() => connection.query(text, [...params]));
  return {
    dialect,
    query: (text, params) =>
      answered(() =>
        connection.query({
          sql: text,
          values: [...params],
          rowsAsArray: false,
          nestTables: false,
          namedPlaceholders: false,
          typeCast: true,
        }),
      ),
    run: plain,
    users: plain,
    conflicted: () => conflicted,
    isBroken: () => broken,
    destroy,
    giveBack: () => {
      if (returned) return;
      returned = true;
      connection.release();
    },
  };
}

/** A connection that comes too late goes back to the pool. */
function borrow(pool: MysqlPool, clock: Clock, waitMs: number, late: () => Error): Promise<MysqlConnection> {
  let gaveUp = false;
  const coming = pool.getConnection();
  coming.then(
    (connection) => {
      if (gaveUp) connection.release();
    },
    () => {},
  );
  return withDeadline(clock, waitMs, coming, () => {
    gaveUp = true;
    return late();
  });
}
