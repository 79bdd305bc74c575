import { randomBytes } from "node:crypto";
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterAll, beforeAll, describe } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { RedisClient } from "../../src/stores/redis/index.ts";
import { createRedisLedger } from "../../src/stores/redis/ledger.ts";
import type { LedgerAdapter } from "../../src/testing/index.ts";
import { noRedisHere, type RedisServer, startRedis, startRedisCluster } from "./redis.ts";

interface Connection {
  readonly client: RedisClient;
  readonly close: () => Promise<unknown>;
}

/** The ledger on Redis, for suites, and the servers that it needs. */
interface RedisLedgers {
  readonly adapter: LedgerAdapter<never>;
  readonly start: () => Promise<{ readonly stop: () => Promise<void> }>;
}

/** Declares tests on each, with its servers running where this machine has them. */
export function describeOnRedis(declare: (adapter: LedgerAdapter<never>, missing: string | undefined) => void): void {
  const missing = noRedisHere();
  describe.each(redisLedgers)("on $adapter.name", ({ adapter, start }) => {
    let started: { readonly stop: () => Promise<void> } | undefined;
    beforeAll(async () => {
      if (missing === undefined) started = await start();
    });
    afterAll(() => started?.stop());
    declare(adapter, missing);
  });
}

/** Each stage has a prefix, and each of its ledgers a connection, of its own. Stored time moves when told to. */
function over(name: string, connect: () => Promise<Connection>): LedgerAdapter<never> {
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

/** Through both packages, on one server and in a cluster. */
const redisLedgers: readonly RedisLedgers[] = [
  {
    adapter: over("redis through ioredis", async () => {
      const client = new Redis(server.url);
      return { client, close: () => client.quit() };
    }),
    start: single,
  },
  {
    adapter: over("redis through node-redis", async () => {
      const client = createClient({ url: server.url });
      await client.connect();
      return { client, close: () => client.close() };
    }),
    start: single,
  },
  {
    adapter: over("a cluster through ioredis", async () => {
      const client = new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })));
      return { client, close: () => client.quit() };
    }),
    start: cluster,
  },
  {
    adapter: over("a cluster through node-redis", async () => {
      const client = createCluster({ rootNodes: nodes.map(({ url }) => ({ url })) });
      await client.connect();
      return { client, close: () => client.close() };
    }),
    start: cluster,
  },
];
