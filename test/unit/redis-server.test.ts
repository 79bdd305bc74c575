import { inspect } from "node:util";
import { Cluster } from "ioredis";
import { createClient, createCluster } from "redis";
import { describe, expect, test } from "vitest";
import { redisLedger } from "../../src/stores/redis/index.ts";
import { claimed, done, effect, leaseMs, work } from "../../src/testing/ledger-kit.ts";
import { startRedis, startRedisCluster } from "../support/redis.ts";
import { connect, newPrefix, redis, server, until } from "./redis-stand.ts";

describe("a server in the wrong role", () => {
  const opening = async (settings: Readonly<Record<string, string>>, options: object = {}) => {
    const before = await Promise.all(Object.keys(settings).map((name) => redis.config("GET", name)));
    try {
      for (const [name, value] of Object.entries(settings)) await redis.config("SET", name, value);
      await redisLedger({ client: redis, prefix: newPrefix(), ...options }).open();
    } finally {
      for (const pair of before) {
        const [name = "", value = ""] = pair as readonly string[];
        await redis.config("SET", name, value);
      }
    }
  };

  test.each(["allkeys-lru", "volatile-ttl"])(
    "is refused when it evicts by %s, with the reason and the fix",
    async (policy) => {
      await expect(opening({ "maxmemory-policy": policy, maxmemory: "100mb" })).rejects.toMatchObject({
        code: "REPRISE_LEDGER_UNSUITABLE",
        status: 503,
        message: `Ledger 'redis' must not keep outcomes here: its server evicts when its memory is full (maxmemory-policy ${policy}), and what it forgets runs again. Nothing was run. Set maxmemory-policy to noeviction, or give the ledger a server of its own.`,
      });
    },
  );

  test("is refused although somebody vouches for it: what it tells counts more", async () => {
    const settings = { "maxmemory-policy": "allkeys-lfu", maxmemory: "100mb" };
    await expect(opening(settings, { server: { neverEvicts: true, persists: true } })).rejects.toMatchObject({
      code: "REPRISE_LEDGER_UNSUITABLE",
    });
  });

  test("is refused when a restart forgets everything", async () => {
    await expect(opening({ appendonly: "no", save: "" })).rejects.toMatchObject({
      code: "REPRISE_LEDGER_UNSUITABLE",
      message: expect.stringMatching(/appendonly no, save ''.*Set appendonly to yes\.$/),
    });
  });

  test("is not what a bound without eviction is, nor snapshots", async () => {
    await opening({ "maxmemory-policy": "noeviction", maxmemory: "1gb" });
    await opening({ appendonly: "no", save: "3600 1" });
  });

  test("is refused through either package, and opens once it is mended", async () => {
    const client = createClient({ url: server.url });
    await client.connect();
    try {
      const ledger = redisLedger({ client, prefix: newPrefix() });
      await redis.config("SET", "appendonly", "no");
      await expect(ledger.open()).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNSUITABLE" });
      await expect(ledger.claim(work("a"))).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNSUITABLE" });
      await redis.config("SET", "appendonly", "yes");
      expect((await ledger.claim(work("a"))).is).toBe("won");
    } finally {
      await redis.config("SET", "appendonly", "yes");
      client.destroy();
    }
  });

  test("that does not tell is refused until somebody vouches for it", async () => {
    await redis.call("acl", "setuser", "app", "on", ">app", "~*", "+@all", "-info", "-config");
    const client = connect(server, { username: "app", password: "app", enableReadyCheck: false });
    try {
      const opened = (vouched: object) => redisLedger({ client, prefix: newPrefix(), server: vouched }).open();
      await expect(opened({})).rejects.toMatchObject({
        message: expect.stringContaining("server: { neverEvicts: true }"),
      });
      await expect(opened({ neverEvicts: true })).rejects.toMatchObject({
        code: "REPRISE_LEDGER_UNSUITABLE",
        message: expect.stringContaining("server: { persists: true }"),
      });
      await opened({ neverEvicts: true, persists: true });
    } finally {
      client.disconnect();
    }
  });
});

test("a cluster of which one server evicts is refused, through either package", async () => {
  const { servers, stop } = await startRedisCluster();
  const cluster = new Cluster(servers.map(({ port }) => ({ host: "127.0.0.1", port })));
  const other = createCluster({ rootNodes: servers.map(({ url }) => ({ url })) });
  await other.connect();
  const evicting = servers.map((one) => connect(one));
  try {
    for (const one of evicting) {
      await one.config("SET", "maxmemory", "100mb");
      await one.config("SET", "maxmemory-policy", "allkeys-lru");
      for (const client of [cluster, other]) {
        await expect(redisLedger({ client, prefix: newPrefix() }).open()).rejects.toMatchObject({
          code: "REPRISE_LEDGER_UNSUITABLE",
        });
      }
      await one.config("SET", "maxmemory-policy", "noeviction");
    }
    for (const client of [cluster, other]) await redisLedger({ client, prefix: newPrefix() }).open();
  } finally {
    for (const one of evicting) one.disconnect();
    cluster.disconnect();
    other.destroy();
    await stop();
  }
});

describe("a server that fails", () => {
  test("is killed and comes back with everything that was acknowledged, knowing no scripts", async () => {
    // with `everysec`, what it acknowledges while its disk is at a sync dies with it
    const own = await startRedis(["--appendonly", "yes", "--appendfsync", "always", "--save", ""]);
    const client = connect(own);
    try {
      const ledger = redisLedger({ client, deadline: "300ms" });
      await done(ledger, "done", { key: "k" });
      const running = await claimed(ledger, "running");
      await ledger.start(running.fence, effect("charge"));
      await ledger.pin(running.fence.id, "charge", "answer");
      await own.signal("SIGKILL");
      await expect(ledger.claim(work("new"))).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY", status: 503 });
      await own.restart();
      await until(async () => (await ledger.find(work("done"))) !== null);
      expect(await ledger.claim(work("done", { key: "k" }))).toMatchObject({ is: "done", outcome: "outcome" });
      expect(await ledger.claim(work("other", { key: "k" }))).toMatchObject({ is: "mismatch" });
      expect(await ledger.start(running.fence, effect("charge"))).toMatchObject({ record: { answer: "answer" } });
    } finally {
      client.disconnect();
      await own.stop();
    }
  });

  test("is frozen: the ledger is away at the deadline, and the same attempt finds out what happened", async () => {
    const own = await startRedis();
    const client = connect(own);
    try {
      const ledger = redisLedger({ client, deadline: "200ms" });
      const { fence } = await claimed(ledger, "a");
      const request = work("b");
      await own.signal("SIGSTOP");
      const beganAt = performance.now();
      const away = { code: "REPRISE_LEDGER_AWAY" };
      await expect(ledger.renew(fence, leaseMs, null)).rejects.toMatchObject(away);
      await expect(ledger.claim(request)).rejects.toMatchObject(away);
      await expect(ledger.recent({ limit: 1 })).rejects.toMatchObject(away);
      expect(performance.now() - beganAt).toBeLessThan(5_000);
      await own.signal("SIGCONT");
      await until(async () => (await ledger.claim(request)).is === "won");
      expect(await ledger.renew(fence, leaseMs, null)).toBe("renewed");
    } finally {
      await own.signal("SIGCONT");
      client.disconnect();
      await own.stop();
    }
  });

  test("whose memory is full takes nothing more and says so; no value stands in the error", async () => {
    const ledger = redisLedger({ client: redis, prefix: newPrefix() });
    await ledger.open();
    const secret = "4242-4242-4242-4242";
    await redis.config("SET", "maxmemory", "1");
    try {
      const failed = await ledger.claim(work(secret, { input: secret, key: secret })).catch((error: unknown) => error);
      expect(failed).toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE", message: expect.stringContaining("maxmemory") });
      expect(inspect(failed, { depth: 9, showHidden: true })).not.toContain(secret);
    } finally {
      await redis.config("SET", "maxmemory", "0");
    }
  });

  test("is a closed client's: away at once", async () => {
    const client = connect();
    const ledger = redisLedger({ client, prefix: newPrefix() });
    await ledger.open();
    client.disconnect();
    const failed = await ledger.claim(work("secret")).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    expect(inspect(failed, { depth: 9, showHidden: true })).not.toContain("secret");
  });
});
