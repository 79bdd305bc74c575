import { randomBytes } from "node:crypto";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { RedisClient } from "../../src/stores/redis/index.ts";
import { createRedisLedger } from "../../src/stores/redis/ledger.ts";
import { type LedgerAdapter, ledgerSuite } from "../../src/testing/index.ts";
import { doesNotApply } from "../support/environment.ts";
import { noRedisHere, type RedisServer, startRedis, startRedisCluster } from "../support/redis.ts";

interface Connection {
  readonly client: RedisClient;
  readonly close: () => Promise<unknown>;
}

/** Each stage has a prefix, and each of its ledgers a connection, of its own. Stored time moves when told to. */
function redis(name: string, connect: () => Promise<Connection>): LedgerAdapter<never> {
  return {
    name,
    can: { transactions: { not: "Redis joins no transactions of the user's" }, severalInstances: true },
    open: async () => {
      const prefix = `suite-${randomBytes(6).toString("hex")}`;
      const opened: { readonly ledger: Ledger<never>; readonly connection: Connection }[] = [];
      let passed = 0;
      const another = async () => {
        const connection = await connect();
        const ledger = createRedisLedger({ client: connection.client, prefix, deadline: "20s" }, () => passed);
        opened.push({ ledger, connection });
        await ledger.open();
        return ledger;
      };
      return {
        ledger: await another(),
        another,
        passTime: async (ms) => {
          passed += ms;
        },
        insertBooking: () => Promise.reject(new Error("Redis has no transactions")),
        bookings: async () => [],
        close: async () => {
          for (const { ledger, connection } of opened) {
            await ledger.close();
            await connection.close();
          }
        },
      };
    },
  };
}

function suite(adapter: LedgerAdapter<never>, start: () => Promise<{ readonly stop: () => Promise<void> }>): void {
  const missing = noRedisHere();
  describe(`the ledger suite on ${adapter.name}`, () => {
    let started: { readonly stop: () => Promise<void> } | undefined;
    beforeAll(async () => {
      if (missing === undefined) started = await start();
    });
    afterAll(() => started?.stop());
    for (const { name, skip, run } of ledgerSuite(adapter)) {
      test(name, async (context) => {
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        if (missing !== undefined) context.skip(missing);
        await run();
      });
    }
  });
}

let server: RedisServer;
const single = async () => {
  server = await startRedis();
  return server;
};
let nodes: readonly RedisServer[] = [];
const cluster = async () => {
  const started = await startRedisCluster();
  nodes = started.servers;
  return started;
};

suite(
  redis("redis through ioredis", async () => {
    const client = new Redis(server.url);
    return { client, close: () => client.quit() };
  }),
  single,
);
suite(
  redis("redis through node-redis", async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    return { client, close: () => client.close() };
  }),
  single,
);
suite(
  redis("a cluster through ioredis", async () => {
    const client = new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
    return { client, close: () => client.quit() };
  }),
  cluster,
);
suite(
  redis("a cluster through node-redis", async () => {
    const client = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
    await client.connect();
    return { client, close: () => client.close() };
  }),
  cluster,
);
