import { afterAll, describe, expect, test } from "vitest";
import type { SourceStage } from "../../src/testing/index.ts";
import { acknowledge, pull } from "../../src/testing/source-kit.ts";
import { bullmqClients, bullmqStage } from "../support/bullmq.ts";
import { cannotRunHere } from "../support/environment.ts";
import { natsStage, natsVersion } from "../support/nats.ts";
import { rabbitmqStage, rabbitmqVersion } from "../support/rabbitmq.ts";
import { noRedisHere, startRedis } from "../support/redis.ts";
import { redisStreamsStage, streamClients } from "../support/redis-streams.ts";
import { sqsStage, stopSqs } from "../support/sqs.ts";

const server = noRedisHere() === undefined ? await startRedis() : undefined;
const none = () => Promise.reject(new Error("there is no such client"));
afterAll(async () => {
  await server?.stop();
  await stopSqs();
});

/** What a broker tells of how much there is, asked of it while messages come and go. */

const stages: Readonly<Record<string, readonly [() => Promise<SourceStage>, string | undefined]>> = {
  rabbitmq: [rabbitmqStage, (await rabbitmqVersion()) === undefined ? "no RabbitMQ answers" : undefined],
  nats: [natsStage, (await natsVersion()) === undefined ? "no NATS with JetStream answers" : undefined],
  ...Object.fromEntries(
    Object.entries(streamClients).map(([name, connect]) => [
      `redis streams through ${name}`,
      [() => redisStreamsStage(connect), noRedisHere()] as const,
    ]),
  ),
  bullmq: [() => bullmqStage(server?.port ?? 0, bullmqClients["ioredis"] ?? none), noRedisHere()],
  sqs: [() => sqsStage(), undefined],
};

describe("a source tells how many messages wait, and how many are set aside", () => {
  for (const [name, [open, missing]] of Object.entries(stages))
    test(name, async (context) => {
      if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
      const stage = await open();
      const standing = () => stage.source.standing?.();
      try {
        await expect.poll(standing).toEqual({ waiting: 0, setAside: 0 });
        for (const body of ["1", "2", "3"]) await stage.send(body);
        await expect.poll(standing).toEqual({ waiting: 3, setAside: 0 });
        const receiver = await stage.source.open(2);
        const [first, second] = await pull(receiver, 2);
        await first?.settle({ is: "dead-letter", reason: "failed", why: "ECONNREFUSED" });
        if (second !== undefined) await acknowledge([second]);
        await receiver.close();
        await expect.poll(standing, { timeout: 5_000 }).toEqual({ waiting: 1, setAside: 1 });
      } finally {
        await stage.close();
      }
    });
});
