import { Redis } from "ioredis";
import { redisStreams } from "reprise/redis-streams";

const redis = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";

export const onRedisStreams = {
  source: (name, lockMs = 2_000) =>
    redisStreams({
      connect: async () => new Redis(redis),
      ...{ stream: name, group: "work", deadLetter: `${name}-dead`, lock: `${lockMs}ms` },
    }),
  async create(name) {
    const client = new Redis(redis);
    await client.xgroup("CREATE", name, "work", "$", "MKSTREAM");
    return {
      send: async (bodies) => {
        for (const body of bodies) await client.xadd(name, "*", "body", body);
      },
      left: async () => {
        const [pending] = await client.xpending(name, "work");
        const [[, , , , , , , last]] = await client.xinfo("GROUPS", name);
        return pending + (await client.xrange(name, `(${last}`, "+")).length;
      },
      setAside: () => client.xlen(`${name}-dead`),
      drop: async () => {
        await client.del(name, `${name}-dead`);
        client.disconnect();
      },
    };
  },
  async receive(name, most, handle) {
    const client = new Redis(redis);
    const reader = new Redis(redis);
    const me = String(process.pid);
    for (;;) {
      const [, left] = await client.xautoclaim(name, "work", me, 2_000, "0-0", "COUNT", most);
      const read =
        left.length > 0
          ? null
          : await reader.xreadgroup("GROUP", "work", me, "COUNT", most, "BLOCK", 200, "STREAMS", name, ">");
      const entries = left.length > 0 ? left : (read?.[0][1] ?? []);
      await Promise.all(
        entries.map(async ([id, [, body]]) => {
          await handle(body);
          await client.xack(name, "work", id);
        }),
      );
    }
  },
};
