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

test("nothing ends the redelivery of a stream's entries", async () => {
  const connect = () => Promise.reject(new Error("it connects to tell that"));
  const source = redisStreams({ connect, stream: "seats", group: "book", deadLetter: "dead" });
  expect(await source.horizon()).toBeNull();
});
