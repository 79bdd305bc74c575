import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { redisStreams } from "../../src/sources/redis-streams/index.ts";
import { acknowledge, isQuiet, pull } from "../../src/testing/source-kit.ts";
import { noRedisHere, startRedis } from "../support/redis.ts";

test("an entry without the declared field has no body, whatever its other fields hold", async (context) => {
  const missing = noRedisHere();
  if (missing !== undefined) context.skip(missing);
  const server = await startRedis();
  const admin = new Redis({ port: server.port, host: "127.0.0.1" });
  await admin.xgroup("CREATE", "seats", "book", "$", "MKSTREAM");
  const connect = async () => new Redis({ port: server.port, host: "127.0.0.1" });
  const source = redisStreams({ connect, stream: "seats", group: "book", deadLetter: "dead" });
  // a name that reads as JSON
  await admin.xadd("seats", "*", "1", "2");
  const receiver = await source.open(1);
  const [delivery] = await pull(receiver, 1);
  expect(() => delivery?.read()).toThrow();
  if (delivery !== undefined) await acknowledge([delivery]);
  expect(await isQuiet(receiver)).toBe(true);
  await receiver.close();
  admin.disconnect();
  await server.stop();
});

test("what a dead process has left is found behind many that others hold", async (context) => {
  const missing = noRedisHere();
  if (missing !== undefined) context.skip(missing);
  const server = await startRedis();
  const admin = new Redis({ port: server.port, host: "127.0.0.1" });
  await admin.xgroup("CREATE", "seats", "book", "$", "MKSTREAM");
  const connect = async () => new Redis({ port: server.port, host: "127.0.0.1" });
  const source = redisStreams({ connect, stream: "seats", group: "book", deadLetter: "dead", lock: "30s" });
  for (let index = 0; index < 25; index += 1) await admin.xadd("seats", "*", "body", String(index));
  const holding = await source.open(25);
  await pull(holding, 25);
  const id = (await admin.xadd("seats", "*", "body", '"left"')) ?? "";
  await admin.call("XREADGROUP", "GROUP", "book", "dead", "COUNT", "1", "STREAMS", "seats", ">");
  await admin.call("XCLAIM", "seats", "book", "dead", "0", id, "IDLE", "60000", "JUSTID");
  const receiver = await source.open(1);
  const [delivery] = await pull(receiver, 1);
  expect([delivery?.read(), delivery?.isRepeated]).toEqual(["left", true]);
  for (const one of [receiver, holding]) await one.close();
  admin.disconnect();
  await server.stop();
});

test("a receiver closes while Redis is away, and lets go of what would connect again", async (context) => {
  const missing = noRedisHere();
  if (missing !== undefined) context.skip(missing);
  const server = await startRedis();
  const admin = new Redis({ port: server.port, host: "127.0.0.1" });
  await admin.xgroup("CREATE", "seats", "book", "$", "MKSTREAM");
  admin.disconnect();
  let open = 0;
  const connect = async () => {
    const client = new Redis({ port: server.port, host: "127.0.0.1", maxRetriesPerRequest: null });
    client.on("error", () => {});
    open += 1;
    return {
      call: (command: string, ...args: string[]) => client.call(command, ...args),
      disconnect: () => {
        open -= 1;
        client.disconnect();
      },
    };
  };
  const receiver = await redisStreams({ connect, stream: "seats", group: "book", deadLetter: "dead" }).open(1);
  expect(await isQuiet(receiver)).toBe(true);
  await server.stop();
  await expect(receiver.close()).rejects.toThrow("does not answer");
  expect(open).toBe(0);
});

test("nothing ends the redelivery of a stream's entries", async () => {
  const connect = () => Promise.reject(new Error("it connects to tell that"));
  const source = redisStreams({ connect, stream: "seats", group: "book", deadLetter: "dead" });
  expect(await source.horizon()).toBeNull();
});
