import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Ledger } from "../../contract/ledger.ts";
import { acceptWork, workStanding } from "./accept.ts";
import { claimWork, findWork } from "./claim.ts";
import type { RedisClient } from "./client.ts";
import { pinEffect, renewLease, restartEffect, startEffect } from "./effects.ts";
import { completeWork, parkOwn, parkStalled, releaseWork } from "./endings.ts";
import { succeededTwice } from "./intents.ts";
import { interveneWork } from "./intervene.ts";
import { redisJournal } from "./journal.ts";
import { redisLeases } from "./leases.ts";
import { abandonedWork, parkAbandoned, recentRuns, runHistory } from "./looking.ts";
import { redisRegisters } from "./registers.ts";
import type { Vouched } from "./server.ts";
import { redisStore } from "./store.ts";
import { sweepWork } from "./sweep.ts";

const name = "redis";

export interface RedisLedgerOptions {
  /** A client of `ioredis` (5, 6) or `redis` (6), for one server or a cluster; connected, and closed, by whoever made it. */
  readonly client: RedisClient;
  /** Begins the name of everything that is stored. Default: `"reprise"`. */
  readonly prefix?: string | undefined;
  /** How long a command may take before the ledger is away. Default: 5s. */
  readonly deadline?: Duration | undefined;
  /**
   * What you vouch for where the server does not tell it, as of a provider that forbids INFO or CONFIG. What it does tell
   * counts more.
   */
  readonly server?: Vouched | undefined;
}

/**
 * A ledger on Redis 6.2 or later, for operations with `effects: "external"`. Each step is one script on one slot, judged by
 * the server's clock. Opening refuses a server that may evict or that writes nothing to a disk.
 *
 * What a Redis acknowledges may be lost: up to about two seconds by power loss, or where it is killed while its disk is at a
 * sync (`appendfsync everysec`), everything since the last snapshot where there is no append-only file, and what a replica
 * had not received by a failover. So an operation with `costIfTwice: "money"` may have only effects that say
 * `ifUnknown: "retry"`.
 *
 * What finds work by something else than its name (a caller's key, the id of accepted work, its intent) may lie on another
 * server, and lives for the keep and a week from the last acceptance, claim or renewal: work that waits for longer is found
 * by its name alone until it is claimed again. The id of parked work lives until a person decided.
 *
 * Work that another's run asked for never expires by itself: it is deleted by the sweep, or by a claim that meets it, once
 * it is past its keep and its parent, which may lie on another server, was seen done or gone. A parent that begins anew
 * between that look and the deletion finds its child gone, or finds it and keeps it.
 *
 * @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION at once; REPRISE_LEDGER_UNSUITABLE when it opens
 * @example
 * const ledger = redisLedger({ client: new Redis(process.env.REDIS_URL) });
 */
export function redisLedger(options: RedisLedgerOptions): Ledger<never> {
  return createRedisLedger(options, () => 0);
}

/** `offsetMs` is added to the server's clock, for tests alone. */
export function createRedisLedger(options: RedisLedgerOptions, offsetMs: () => number): Ledger<never> {
  const { client, prefix = "reprise", deadline, server = {} } = options;
  if (!/^[^{}\s]+$/.test(prefix)) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "redisLedger.prefix",
      why: "it is empty, or holds braces or spaces, which tell a cluster where to put a key.",
      mend: 'Use a word, such as "shop".',
    });
  }
  const store = redisStore({
    ledger: name,
    client,
    prefix,
    clock: systemClock,
    deadlineMs: deadline === undefined ? defaults.redis.deadlineMs : milliseconds(deadline, "redisLedger.deadline"),
    server,
    offsetMs,
  });
  const noTransactions = async (): Promise<never> => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `ledger '${name}'`,
      why: "it has no transactions.",
      mend: "Use one that has, or effects: 'external'.",
    });
  };

  return {
    name,
    transactional: false,
    losesCommits: true,
    open: store.open,
    close: store.close,

    claim: (request) => claimWork(store, request),
    find: (request) => findWork(store, request),
    renew: (fence, leaseMs, progress) => renewLease(store, fence, leaseMs, progress),

    accept: (request) => acceptWork(store, request),
    standing: (id) => workStanding(store, id),

    start: (fence, effect) => startEffect(store, fence, effect),
    restart: (fence, effect) => restartEffect(store, fence, effect),
    pin: (id, effect, answer) => pinEffect(store, id, effect, answer),

    complete: (fence, completion) => completeWork(store, fence, completion),
    release: (fence, release) => releaseWork(store, fence, release),
    park: (fence, parking) => parkOwn(store, fence, parking),

    transaction: noTransactions,
    transact: noTransactions,
    conclude: noTransactions,
    atomic: noTransactions,
    join: noTransactions,
    acceptIn: noTransactions,

    abandoned: (query) => abandonedWork(store, query),
    parkStalled: (work, why) => parkStalled(store, work, why),
    parkAbandoned: (queries) => parkAbandoned(store, queries),
    sweep: (limit) => sweepWork(store, limit),

    intervene: (id, intervention, note) => interveneWork(store, id, intervention, note),

    recent: (query) => recentRuns(store, query),
    history: (id) => runHistory(store, id),
    twice: (query) => succeededTwice(store, query),

    journal: redisJournal(store),
    leases: redisLeases(store),
    registers: redisRegisters(store),
    schema: store.schema,
  };
}
