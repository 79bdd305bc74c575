import { Queue as Jobs } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test } from "vitest";
import type { Publisher } from "../../src/contract/publisher.ts";
import { createReprise, type Duration, type Source, unchecked } from "../../src/index.ts";
import { bullmqPublisher } from "../../src/sources/bullmq/index.ts";
import { serviceBus, serviceBusPublisher } from "../../src/sources/service-bus/index.ts";
import { sqsPublisher } from "../../src/sources/sqs/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { bullmqStage } from "../support/bullmq.ts";
import { cannotRunHere } from "../support/environment.ts";
import { natsStage, natsVersion } from "../support/nats.ts";
import { rabbitmqStage, rabbitmqVersion } from "../support/rabbitmq.ts";
import { noRedisHere, startRedis } from "../support/redis.ts";
import { redisStreamsStage, streamClients } from "../support/redis-streams.ts";
import { serviceBusStage } from "../support/service-bus/stage.ts";
import { sqsStage, stopSqs } from "../support/sqs.ts";

const day = 86_400_000;
const noRedis = noRedisHere();
const server = noRedis === undefined ? await startRedis() : undefined;
const connect = async () => new Redis({ port: server?.port ?? 0, host: "127.0.0.1", maxRetriesPerRequest: null });
afterAll(async () => {
  await server?.stop();
  await stopSqs();
});

interface Queue {
  readonly source: Source;
  readonly publisher: Publisher;
  readonly setAside: (count: number) => Promise<readonly { readonly reason: string }[]>;
  readonly close: () => Promise<void>;
}

/** What each keeps, where it says so: two days. */
const queues: readonly {
  readonly name: string;
  readonly horizonMs: number | null;
  readonly missing: string | undefined;
  readonly open: () => Promise<Queue>;
}[] = [
  {
    name: "rabbitmq",
    horizonMs: null,
    missing: (await rabbitmqVersion()) === undefined ? "no RabbitMQ answers" : undefined,
    open: rabbitmqStage,
  },
  {
    name: "nats",
    horizonMs: 2 * day,
    missing: (await natsVersion()) === undefined ? "no NATS with JetStream answers" : undefined,
    open: () => natsStage(1_500, 2 * day),
  },
  {
    name: "redis streams",
    horizonMs: null,
    missing: noRedis,
    open: () => redisStreamsStage(streamClients["ioredis"] ?? connect),
  },
  {
    name: "bullmq",
    horizonMs: null,
    missing: noRedis,
    open: async () => {
      const stage = await bullmqStage(server?.port ?? 0, connect);
      const { name } = stage.queue;
      return { ...stage, source: stage.whole, publisher: bullmqPublisher({ Queue: Jobs, connect, queue: name }) };
    },
  },
  {
    name: "sqs",
    horizonMs: 2 * day,
    missing: undefined,
    open: async () => {
      const stage = await sqsStage({ attributes: { MessageRetentionPeriod: String((2 * day) / 1_000) } });
      const { client, queueUrl } = stage;
      return { ...stage, publisher: sqsPublisher({ client, queueUrl }) };
    },
  },
  {
    name: "service bus",
    horizonMs: 2 * day,
    missing: undefined,
    open: async () => {
      const stage = await serviceBusStage();
      const administration = {
        getQueue: async () => ({ defaultMessageTimeToLive: "P2D" }),
        getTopic: async () => ({ defaultMessageTimeToLive: "P2D" }),
        getSubscription: async () => ({ defaultMessageTimeToLive: "P2D" }),
        getQueueRuntimeProperties: async () => ({ activeMessageCount: 0, deadLetterMessageCount: 0 }),
        getSubscriptionRuntimeProperties: async () => ({ activeMessageCount: 0, deadLetterMessageCount: 0 }),
      };
      const { options } = stage;
      return {
        ...stage,
        source: serviceBus({ ...options, administration }),
        publisher: serviceBusPublisher({ connect: options.connect, queue: options.queue }),
      };
    },
  },
];

function consumerOf(source: Source, retention: Duration, deliveredWithin?: Duration) {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const runs: number[] = [];
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<{ seat: number }>(),
    ...{ principal: "everyone", retention, effects: "external" },
    identity: ({ seat }) => [seat],
    run: async ({ input }) => void runs.push(input.seat),
  });
  return { reprise, runs, consumer: reprise.consume(book, source, { deliveredWithin }) };
}

describe.each(queues)("a consumer of $name", ({ horizonMs, missing, open }) => {
  test("whose outcomes are forgotten before the last redelivery is refused at the start, with the number to write", async (context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const queue = await open();
    const { reprise, consumer } = consumerOf(queue.source, "1d");
    await reprise.start();
    const mend = horizonMs === null ? /Set 'deliveredWithin'/ : /Set its retention to 172800s or more/;
    await expect(consumer.ready).rejects.toMatchObject({
      code: "REPRISE_BAD_DECLARATION",
      message: expect.stringMatching(mend),
    });
    await reprise.close();
    await queue.close();
  });

  test("sets aside what was sent too long ago, and does not run it", async (context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const queue = await open();
    const { reprise, consumer, runs } = consumerOf(queue.source, "3d", "1d");
    const sender = await queue.publisher.open();
    const now = Date.now();
    await sender.send([
      { id: "old", body: '{"seat":1}', sentAt: now - 2 * day },
      { id: "new", body: '{"seat":2}', sentAt: now },
    ]);
    await sender.close();
    await reprise.start();
    await expect.poll(() => consumer.counts(), { timeout: 15_000 }).toMatchObject({ ran: 1, underWay: 0 });
    expect(await queue.setAside(1)).toMatchObject([{ reason: "too-old" }]);
    expect(runs).toEqual([2]);
    await reprise.close();
    await queue.close();
  });
});
