import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import { isWorkId } from "../../base/names.ts";
import type { Ledger } from "../../contract/ledger.ts";
import type { Transactions } from "../../contract/transactions.ts";
import { acceptWork, standingOf } from "./accept.ts";
import { postgresBatch } from "./batch.ts";
import { claimWork, renew } from "./claim.ts";
import { acceptOnce, runOnce } from "./database.ts";
import { opening } from "./database-steps.ts";
import { driverOf, type PostgresPool } from "./driver.ts";
import { pin, restart, start, transact } from "./effects.ts";
import {
  abandonedWork,
  completeWork,
  concludeWork,
  parkAbandonedWork,
  parkOwn,
  parkStalledWork,
  releaseWork,
  sweepWork,
} from "./endings.ts";
import { intervene } from "./intervene.ts";
import { postgresJournal } from "./journal.ts";
import { postgresLeases } from "./leases.ts";
import { found, look } from "./look.ts";
import { recentRuns, runHistory } from "./looking.ts";
import { openSchema, postgresSchema } from "./migration.ts";
import { postgresRegisters } from "./registers.ts";
import { type Isolation, type PostgresServer, postgresServer } from "./server.ts";
import { postgresSql } from "./sql.ts";
import { keptSuccesses } from "./successes.ts";
import { joinedTransactions, ownTransactions, type PostgresTransaction, type Transactor } from "./transaction.ts";
import { succeededTwice } from "./twice.ts";
import { postgresWriteJournal } from "./write-journal.ts";

const name = "postgres";

export interface PostgresLedgerOptions {
  /** A `Pool` of the package `pg`, or what `postgres()` returns. It stays its maker's: the ledger never ends it. */
  readonly pool: PostgresPool;
  /** Where the ledger's tables are, all called `reprise_…`. It is created where it is missing. Default: `"reprise"`. */
  readonly schema?: string | undefined;
  /**
   * Whether connections prepare statements under names, which spares the server their parsing: the ledger's, and of the
   * work's those that come again (200 texts at most; one whose columns change fails once, and is parsed each time from then
   * on). Say false
   * behind a pooler that gives each transaction another connection (PgBouncer in transaction mode). Default: true.
   */
  readonly prepared?: boolean | undefined;
  /** Of the ledger's own transactions. Default: the database's. */
  readonly isolation?: Isolation | undefined;
  /** How long a call waits for a connection, and for each answer to a statement of the ledger's. Default: 5s. */
  readonly deadline?: Duration | undefined;
  /** How long a statement of an operation's work may take, in a transaction of the ledger's pool. Default: 30s. */
  readonly workDeadline?: Duration | undefined;
}

/**
 * A ledger in a PostgreSQL database (13 or newer), beside the business tables. Constructing it connects to nothing. Several
 * instances may share it, and open it at once.
 *
 * With `effects: "database"` claim, work and outcome are one transaction of `pool`, or, with `transactions`, of a mapper,
 * whose statements then go one by one. It takes no round trip more than the bare work, and is repeated as a whole when
 * another transaction was in the way (40001, 40P01), so its work may run more than once before it commits once. A commit
 * whose answer is lost rejects with `REPRISE_LEDGER_AWAY`; the same call again tells what became of it.
 *
 * @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION at once
 * @example
 * const ledger = postgresLedger({ pool: new pg.Pool({ connectionString }) });
 */
export function postgresLedger<Tx>(
  options: PostgresLedgerOptions & { readonly transactions: Transactions<Tx> },
): Ledger<Tx>;
export function postgresLedger(options: PostgresLedgerOptions): Ledger<PostgresTransaction>;
export function postgresLedger<Tx>(
  options: PostgresLedgerOptions & { readonly transactions?: Transactions<Tx> },
): Ledger<Tx> | Ledger<PostgresTransaction> {
  const { pool, transactions } = options;
  const schema = options.schema ?? "reprise";
  const prepared = options.prepared ?? true;
  // PostgreSQL cuts longer names short, and no text of it holds NUL
  if (schema === "" || Buffer.byteLength(schema) > 63 || schema.includes("\0")) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "postgresLedger.schema",
      why: "it is no name that PostgreSQL keeps.",
      mend: "Use one to 63 bytes.",
    });
  }
  const within = (given: Duration | undefined, option: string, ordinary: number) =>
    given === undefined ? ordinary : milliseconds(given, `postgresLedger.${option}`);
  const server = postgresServer({
    ledger: name,
    driver: driverOf(pool, prepared),
    schema,
    prepared,
    isolation: options.isolation,
    answerMs: within(options.deadline, "deadline", defaults.postgres.answerMs),
    workMs: within(options.workDeadline, "workDeadline", defaults.postgres.workMs),
    create: (ask) => openSchema(ask, name, schema),
  });
  return transactions === undefined
    ? createLedger(server, ownTransactions(server), schema)
    : createLedger(server, joinedTransactions(server, transactions), schema);
}

function createLedger<Tx>(server: PostgresServer, transactor: Transactor<Tx>, schema: string): Ledger<Tx> {
  return {
    name,
    transactional: true,
    open: server.open,
    close: server.close,

    claim: (request) => claimWork(server, request),
    find: async (request) => {
      const { text, params } = look(request);
      return found((await server.once("find", text, ...params)).rows, request);
    },
    renew: (fence, leaseMs, progress) => renew(server, fence, leaseMs, progress),

    accept: (request) => acceptWork(server, request),
    standing: (id) => standingOf(server, id),

    start: (fence, effect) => start(server, fence, effect),
    restart: (fence, effect) => restart(server, fence, effect),
    pin: (id, effect, answer) => pin(server, id, effect, answer),

    complete: (fence, completion) => completeWork(server, fence, completion),
    release: (fence, release) => releaseWork(server, fence, release),
    park: (fence, parking) => parkOwn(server, fence, parking),

    transaction: (work) => transactor.bare("transaction", work),
    transact: (fence, effect, work) => transact(transactor, fence, effect, work),
    conclude: (fence, concluding, work) => concludeWork(transactor, fence, concluding, work),
    atomic: (request, work) =>
      transactor.run("atomic", opening(request, defaults.postgres.idleMs), (session, answers) =>
        runOnce(session, request, answers, work),
      ),
    join: (tx, request, work) =>
      transactor.nest(tx, opening(request, null), (session, answers) => runOnce(session, request, answers, work)),
    acceptIn: (tx, request) =>
      transactor.nest(tx, opening(request, null), (session, answers) => acceptOnce(session, request, answers)),
    batch: postgresBatch(transactor),

    abandoned: (query) => abandonedWork(server, query),
    parkStalled: (work, why) => parkStalledWork(server, work, why),
    parkAbandoned: async (queries) => {
      let parked = 0;
      for (const query of queries) parked += await parkAbandonedWork(server, query);
      return parked;
    },
    sweep: (limit) => sweepWork(server, limit),

    intervene: async (id, intervention, note) => isWorkId(id) && intervene(server, id, intervention, note),

    recent: (query) => recentRuns(server, query),
    // a person may ask for anything, and what is no id of ours PostgreSQL refuses as no uuid
    history: async (id) => (isWorkId(id) ? runHistory(server, id) : null),
    twice: (query) => succeededTwice(server, query),
    successes: (query) => keptSuccesses(server, query),

    journal: postgresJournal(server),
    writes: postgresWriteJournal(server),
    leases: postgresLeases(server, transactor),
    registers: postgresRegisters(server, transactor),
    sql: postgresSql(transactor),
    schema: postgresSchema(server, schema),
  };
}
