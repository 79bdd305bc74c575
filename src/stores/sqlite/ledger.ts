import { resolve } from "node:path";
import { type Clock, systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Ledger } from "../../contract/ledger.ts";
import { acceptWork, claimWork, findWork } from "./claim.ts";
import { runOnce } from "./database.ts";
import type { Connection } from "./driver.ts";
import { pinEffect, pinTransaction, renewLease, restartEffect, startEffect, transactionBefore } from "./effects.ts";
import {
  abandonedWork,
  completeWork,
  finishWork,
  obstacleTo,
  parkAbandonedWork,
  parkOwn,
  parkStalledWork,
  releaseWork,
  sweepWork,
} from "./endings.ts";
import { sqliteFile } from "./file.ts";
import { intervene } from "./intervene.ts";
import { sqliteJournal } from "./journal.ts";
import { sqliteLeases } from "./leases.ts";
import { keptSuccesses, recentRuns, runHistory, succeededTwice, workStanding } from "./looking.ts";
import { sqliteSchema } from "./migration.ts";
import { sqliteRegisters } from "./registers.ts";
import { sqliteSql } from "./sql.ts";
import { createTransactions, type SqliteTransaction } from "./transaction.ts";
import { sqliteWriteJournal } from "./write-journal.ts";

const name = "sqlite";

export interface SqliteLedgerOptions {
  /** The file; its directory must exist. Several processes of one machine may share it. */
  readonly path: string;
  /** The ledger's clock: every instance on one file should have the same. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** How long a call waits for its turn and for other processes, in all. Default: 5s. */
  readonly busy?: Duration | undefined;
}

/**
 * A ledger in one SQLite file, with the business tables beside its own. Uses `node:sqlite` where Node has it, else the
 * package `libsql`. Constructing it opens nothing. Transactions take turns, within a process and between processes;
 * a commit is on the disk when it is acknowledged (WAL, synchronous=FULL).
 *
 * @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION at once
 * @example
 * const ledger = sqliteLedger({ path: "data/shop.db" });
 */
export function sqliteLedger(options: SqliteLedgerOptions): Ledger<SqliteTransaction> {
  const clock = options.clock ?? systemClock;
  const busyMs = options.busy === undefined ? defaults.sqlite.busyMs : milliseconds(options.busy, "sqliteLedger.busy");
  if (options.path === "" || options.path === ":memory:" || options.path.startsWith("file:")) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "sqliteLedger.path",
      why: "an outcome is kept in a file on the disk.",
      mend: "Name one, or use memoryLedger for tests.",
    });
  }
  const file = sqliteFile({ ledger: name, path: resolve(options.path), clock, busyMs });
  const transactions = createTransactions();

  /** The user's `work` in a transaction that is open. */
  const within = <T>(connection: Connection, work: (tx: SqliteTransaction) => Promise<T>): Promise<T> =>
    transactions.of(connection).hand((tx) => file.within(() => work(tx)));

  return {
    name,
    transactional: true,
    open: file.open,
    close: file.close,

    claim: (request) => file.write("claim", (connection, now) => claimWork(connection, now, request)),
    find: (request) => file.read("find", (connection, now) => findWork(connection, now, request)),
    renew: (fence, leaseMs, progress) =>
      file.write("renew", (connection, now) => renewLease(connection, now, fence, leaseMs, progress)),

    accept: (request) => file.write("accept", (connection, now) => acceptWork(connection, now, request)),
    standing: (id) => file.read("standing", (connection) => workStanding(connection, id)),

    start: (fence, effect) => file.write("start", (connection, now) => startEffect(connection, now, fence, effect)),
    restart: (fence, effect) =>
      file.write("restart", (connection, now) => restartEffect(connection, now, fence, effect)),
    pin: (id, effect, answer) => file.write("pin", (connection, now) => pinEffect(connection, now, id, effect, answer)),

    complete: (fence, completion) =>
      file.write("complete", (connection, now) => completeWork(connection, now, fence, completion)),
    release: (fence, release) =>
      file.write("release", (connection, now) => releaseWork(connection, now, fence, release)),
    park: (fence, parking) => file.write("park", (connection, now) => parkOwn(connection, now, fence, parking)),

    transaction: (work) => file.transact("transaction", (connection) => within(connection, work)),
    transact: (fence, effect, work) =>
      file.transact("transact", async (connection) => {
        const before = file.step("fence", () => transactionBefore(connection, clock.now(), fence, effect));
        if (before !== undefined) return before;
        const answered = await within(connection, work);
        file.step("pin", () => pinTransaction(connection, clock.now(), fence, effect, answered.answer));
        return { is: "committed", value: answered.value };
      }),
    conclude: (fence, { keepMs, visited }, work) =>
      file.transact("conclude", async (connection) => {
        const obstacle = file.step("fence", () => obstacleTo(connection, fence, visited));
        if (obstacle !== undefined) return { is: obstacle };
        const finished = await within(connection, work);
        file.step("complete", () => finishWork(connection, clock.now(), fence.id, finished, keepMs));
        return { is: "done", value: finished.value };
      }),
    atomic: (request, work) =>
      file.transact("atomic", (connection) =>
        runOnce(file, clock, transactions.of(connection), request, (tx) => file.within(() => work(tx))),
      ),
    join: (tx, request, work) => transactions.nest(tx, (session) => runOnce(file, clock, session, request, work)),
    acceptIn: (tx, request) =>
      transactions.nest(tx, async ({ connection, running }) =>
        file.step("accept", () => acceptWork(connection, clock.now(), request, running)),
      ),

    abandoned: (query) => file.read("abandoned", (connection, now) => abandonedWork(connection, now, query)),
    parkStalled: (work, why) =>
      file.write("parkStalled", (connection, now) => parkStalledWork(connection, now, work, why)),
    parkAbandoned: (queries) =>
      file.write("parkAbandoned", (connection, now) =>
        queries.reduce((parked, query) => parked + parkAbandonedWork(connection, now, query), 0),
      ),
    sweep: (limit) => file.write("sweep", (connection, now) => sweepWork(connection, now, limit)),

    intervene: (id, intervention, note) =>
      file.write("intervene", (connection, now) => intervene(connection, now, id, intervention, note)),

    recent: (query) => file.read("recent", (connection) => recentRuns(connection, query)),
    history: (id) => file.read("history", (connection, now) => runHistory(connection, now, id)),
    twice: (query) => file.read("twice", (connection) => succeededTwice(connection, query)),
    successes: (query) => file.read("successes", (connection) => keptSuccesses(connection, query)),

    journal: sqliteJournal(file),
    writes: sqliteWriteJournal(file),
    leases: sqliteLeases(file, name, transactions),
    registers: sqliteRegisters(file, clock, transactions),
    sql: sqliteSql((work) => file.transact("sql", (connection) => within(connection, work)), transactions),
    schema: sqliteSchema(file, name),
  };
}
