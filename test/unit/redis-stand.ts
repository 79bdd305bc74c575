import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { IoredisClient } from "../../src/stores/redis/index.ts";
import { noRedisHere, type RedisServer, startRedis } from "../support/redis.ts";

const missing = noRedisHere();
beforeEach((context) => {
  if (missing !== undefined) context.skip(missing);
});

export let server: RedisServer;
export let redis: Redis;
beforeAll(async () => {
  if (missing !== undefined) return;
  server = await startRedis();
  redis = connect();
});
afterAll(async () => {
  redis?.disconnect();
  await server?.stop();
});

export function connect(to: RedisServer = server, options: object = {}): Redis {
  const client = new Redis(to.url, { retryStrategy: () => 20, ...options });
  // what is wrong is told by the ledger
  client.on("error", () => {});
  return client;
}

export const newPrefix = () => `unit-${randomBytes(6).toString("hex")}`;

/** A client whose next command with an argument like this waits until it is let go; then it is sent, and answered. */
export function held(client: Redis, like: RegExp) {
  const [arrived, letGo, answered] = [signal(), signal(), signal()];
  let holds = true;
  const gated: IoredisClient = {
    call: async (command, ...args) => {
      if (!holds || !args.some((arg) => like.test(arg))) return client.call(command, ...args);
      holds = false;
      arrived.give();
      await letGo.given;
      return client.call(command, ...args).finally(answered.give);
    },
  };
  return { client: gated, arrived: arrived.given, letGo: letGo.give, answered: answered.given };
}

function signal() {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

export async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error("it did not become so in 20 s");
  }
}
