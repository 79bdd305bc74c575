import { Redis } from "ioredis";
import { createClient } from "redis";
import { redisStreams, redisStreamsPublisher, type StreamClient } from "../../src/sources/redis-streams/index.ts";
import type { PublisherStage, SetAside, SourceStage } from "../../src/testing/index.ts";
import { startForwarder } from "./forwarder.ts";
import { startRedis } from "./redis.ts";

const quiet = () => {};

export const streamClients: Readonly<Record<string, (port: number) => Promise<StreamClient>>> = {
  ioredis: async (port) => {
    const client = new Redis({ port, host: "127.0.0.1", retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on("error", quiet);
    return client;
  },
  "node-redis": async (port) => {
    const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } });
    client.on("error", quiet);
    await client.connect();
    return client as unknown as StreamClient;
  },
};

/** A server of its own with one stream. */
export async function redisStreamsStage(
  connect: (port: number) => Promise<StreamClient>,
): Promise<SourceStage & PublisherStage> {
  const server = await startRedis();
  const forwarder = await startForwarder({ host: "127.0.0.1", port: server.port });
  const admin = new Redis({ port: server.port, host: "127.0.0.1" });
  await admin.xgroup("CREATE", "seats", "book", "$", "MKSTREAM");
  const publisher = redisStreamsPublisher({ connect: () => connect(forwarder.port), stream: "seats" });
  return {
    publisher,
    // what a stream is sent makes it
    nowhere: publisher,
    ids: async (count) => {
      const entries = await admin.xrange("seats", "-", "+", "COUNT", count);
      return entries.map(([, fields]) => fields[fields.indexOf("id") + 1] ?? "");
    },
    source: redisStreams({
      connect: () => connect(forwarder.port),
      ...{ stream: "seats", group: "book", deadLetter: "dead", lock: "1500ms" },
    }),
    send: async (body) => {
      await admin.xadd("seats", "*", "trace", "t-1", "body", body);
    },
    sendAside: async (body) => {
      await admin.xadd("dead", "*", "body", body);
    },
    setAside: async () => {
      const entries = await admin.xrange("dead", "-", "+");
      return entries.map(([, fields]): SetAside => {
        const of = (name: string) => fields[fields.indexOf(name) + 1] ?? "";
        return { body: of("body"), reason: of("reason") as SetAside["reason"] };
      });
    },
    refuse: async () => {
      await admin.set("dead", "of another kind");
      return async () => {
        await admin.del("dead");
      };
    },
    cut: async () => forwarder.cut(),
    close: async () => {
      admin.disconnect();
      await forwarder.close();
      await server.stop();
    },
  };
}
