import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import type { Ledger } from "../../contract/ledger.ts";
import type { Transactions } from "../../contract/transactions.ts";
import { abandonedWork, parkAbandonedWork, parkStalledWork, sweepWork } from "./abandoned.ts";
import { found, look } from "./claim.ts";
import { acceptJoined, acceptWork, claimExternal, runAtomic, runJoined } from "./claiming.ts";
import { Conflict } from "./conflict.ts";
import { type Database, mysqlDatabase } from "./database.ts";
import { isDuplicate, type MysqlPool } from "./driver.ts";
import { pinEffect, pinTransaction, renewLease, restartEffect, startEffect, transactionBefore } from "./effects.ts";
import { completeWork, finishWork, obstacleTo, parkOwn, releaseWork } from "./endings.ts";
import { intervene } from "./intervene.ts";
import { mysqlJournal } from "./journal.ts";
import { mysqlLeases } from "./leases.ts";
import { keptSuccesses, recentRuns, runHistory, standingOf, succeededTwice } from "./looking.ts";
import { mapperTransactions } from "./mapper.ts";
import { mysqlSchema } from "./migration.ts";
import { mysqlRegisters } from "./registers.ts";
import { type MysqlTransaction, ownTransactions, type Transactional } from "./transaction.ts";
import { mysqlWriteJournal } from "./write-journal.ts";

const name = "mysql";

export interface MysqlLedgerOptions {
  /**
   * A pool of `mysql2/promise` on the database that keeps the business tables. It stays yours: closing the ledger does not
   * end it. Duplicates and heartbeats take a connection for milliseconds, so that a pool that suits your work suits both.
   */
  readonly pool: MysqlPool;
  /** How long a call waits for a connection of the pool. Default: 5s. */
  readonly wait?: Duration | undefined;
  /** How long any one statement may take, those of your work too; then its connection is destroyed. Default: 10s. */
  readonly deadline?: Duration | undefined;
}

export interface MysqlMapperOptions<Tx> extends MysqlLedgerOptions {
  /** Transactions of an object-relational mapper on the same database: what `run` receives, and what `executeIn` joins. */
  readonly transactions: Transactions<Tx>;
}

/**
 * A ledger on MariaDB 10.6 or later, or MySQL 8, in the database of its pool, with the business tables beside its own.
 * Constructing it opens nothing; `open` creates the tables that are missing. Work runs at the isolation level of the pool's
 * sessions, and is repeated as a whole after a deadlock. Times are judged by the server's clock.
 *
 * @throws REPRISE_BAD_DURATION at once
 * @example
 * const pool = mysql.createPool({ uri: process.env.DATABASE_URL });   // mysql2/promise
 * const ledger = mysqlLedger({ pool });
 */
export function mysqlLedger(options: MysqlLedgerOptions): Ledger<MysqlTransaction>;
export function mysqlLedger<Tx>(options: MysqlMapperOptions<Tx>): Ledger<Tx>;
export function mysqlLedger<Tx>(options: MysqlLedgerOptions | MysqlMapperOptions<Tx>): Ledger<Tx | MysqlTransaction> {
  const clock = systemClock;
  const waitMs = durationOf(options.wait, "wait", defaults.mysql.waitMs);
  const deadlineMs = durationOf(options.deadline, "deadline", defaults.mysql.deadlineMs);
  const database = mysqlDatabase({ ledger: name, pool: options.pool, clock, waitMs, deadlineMs });
  if (!("transactions" in options)) return ledgerOn(database, ownTransactions(database, name));
  const { transactions } = options;
  return ledgerOn(database, mapperTransactions(database, { ledger: name, clock, transactions, waitMs, deadlineMs }));
}

function durationOf(duration: Duration | undefined, option: string, otherwise: number): number {
  return duration === undefined ? otherwise : milliseconds(duration, `mysqlLedger.${option}`);
}

function ledgerOn<Tx>(database: Database, transactions: Transactional<Tx>): Ledger<Tx> {
  const running = { database, transactions, ledger: name, clock: systemClock };
  return {
    name,
    transactional: true,
    open: database.open,
    close: database.close,

    claim: (request) => claimExternal(database, name, systemClock, request),
    find: (request) => database.each("find", async (connection) => found(await look(connection, request, ""), request)),
    renew: (fence, leaseMs, progress) =>
      database.each("renew", (connection) => renewLease(connection, fence, leaseMs, progress)),

    accept: (request) => acceptWork(database, name, systemClock, request),
    standing: (id) => database.each("standing", (connection) => standingOf(connection, id)),

    start: (fence, effect) => database.each("start", (connection) => startEffect(connection, fence, effect)),
    restart: (fence, effect) => database.write("restart", (connection) => restartEffect(connection, fence, effect)),
    pin: (id, effect, answer) => database.write("pin", (connection) => pinEffect(connection, id, effect, answer)),

    complete: (fence, completion) =>
      database.write("complete", (connection) => completeWork(connection, fence, completion)),
    release: (fence, release) => database.write("release", (connection) => releaseWork(connection, fence, release)),
    park: (fence, parking) => database.write("park", (connection) => parkOwn(connection, fence, parking)),

    transaction: (work) => transactions.begin("transaction", (_, users) => users(work)),
    transact: (fence, effect, work) =>
      transactions.begin("transact", async (connection, users) => {
        const before = await database.step("fence", transactionBefore(connection, fence, effect));
        if (before !== undefined) return before;
        const { value, answer } = await users(work);
        const pinned = pinTransaction(connection, fence, effect, answer).catch((error: unknown) => {
          // it committed meanwhile: this one is rolled back, and then finds that
          throw isDuplicate(error) ? new Conflict(error) : error;
        });
        if (!(await database.step("pin", pinned))) throw new Conflict();
        return { is: "committed", value };
      }),
    conclude: (fence, { keepMs, visited }, work) =>
      transactions.begin("conclude", async (connection, users) => {
        const obstacle = await database.step("fence", obstacleTo(connection, fence, visited));
        if (obstacle !== undefined) return { is: obstacle };
        const finished = await users(work);
        // the server rolled it back, and the work did not let that error pass
        if (!(await database.step("complete", finishWork(connection, fence, finished, keepMs, null))))
          throw new Conflict();
        return { is: "done", value: finished.value };
      }),
    atomic: (request, work) => runAtomic(running, request, work),
    join: (tx, request, work) => runJoined(running, tx, request, work),
    acceptIn: (tx, request) => acceptJoined(running, tx, request),

    abandoned: (query) => database.each("abandoned", (connection) => abandonedWork(connection, query)),
    parkStalled: (work, why) => database.write("parkStalled", (connection) => parkStalledWork(connection, work, why)),
    parkAbandoned: async (queries) => {
      let parked = 0;
      for (const query of queries) parked += await parkAbandonedWork(database, query);
      return parked;
    },
    sweep: (limit) => database.write("sweep", (connection) => sweepWork(connection, limit)),

    intervene: (id, intervention, note) => intervene(database, name, systemClock, id, intervention, note),

    recent: (query) => database.each("recent", (connection) => recentRuns(connection, query)),
    history: (id) => database.read("history", (connection) => runHistory(connection, id)),
    twice: (query) => database.each("twice", (connection) => succeededTwice(connection, query)),
    successes: (query) => database.each("successes", (connection) => keptSuccesses(connection, query)),

    journal: mysqlJournal(database),
    writes: mysqlWriteJournal(database),
    leases: mysqlLeases(database, transactions.sql, name),
    registers: mysqlRegisters(database, transactions),
    sql: transactions.sql,
    schema: mysqlSchema(database, name),
  };
}
