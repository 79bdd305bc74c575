import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, describe, test } from "vitest";
import type { Publisher } from "../../src/contract/publisher.ts";
import { bullmqPublisher } from "../../src/sources/bullmq/index.ts";
import { kafkaPublisher } from "../../src/sources/kafka/index.ts";
import { sqsPublisher } from "../../src/sources/sqs/index.ts";
import { type PublisherAdapter, publisherSuite } from "../../src/testing/publisher-suite.ts";
import { bullmqClients, bullmqStage } from "../support/bullmq.ts";
import { cannotRunHere, doesNotApply } from "../support/environment.ts";
import { kafkaStage } from "../support/kafka.ts";
import { startKafkaMock } from "../support/kafka-mock.mjs";
import { noRedisHere, startRedis } from "../support/redis.ts";
import { escapeHalves, sqsStage, stopSqs } from "../support/sqs.ts";

/** BullMQ, Amazon SQS and Kafka, whose connections are made again by their clients. */

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";
const missingRedis = noRedisHere();
const server = missingRedis === undefined ? await startRedis() : undefined;
const mock = await startKafkaMock();
afterAll(async () => {
  await server?.stop();
  await mock?.stop();
  await stopSqs();
});

const cut = { not: "its client connects again by itself" };
const none: Publisher = { name: "none", open: () => Promise.reject(new Error("there is none")) };

const sqsAdapter = (fifo: boolean): PublisherAdapter => ({
  name: fifo ? "sqs, a FIFO queue" : "sqs, a standard queue",
  can: { cut, nowhere: true },
  open: async () => {
    const stage = await sqsStage({ fifo });
    const { client, queueUrl } = stage;
    // a group for each message: the emulator hands out one of a group at a time
    const escaping = (publisher: Publisher): Publisher => ({
      name: publisher.name,
      open: async () => {
        const sender = await publisher.open();
        const escaped = (messages: Parameters<typeof sender.send>[0]) =>
          messages.map((message) => ({ ...message, body: escapeHalves(message.body) }));
        return { ...sender, send: (messages) => sender.send(escaped(messages)) };
      },
    });
    const group = ({ id }: { readonly id: string }) => id.replace(/[^\w]/g, "-");
    return {
      ...stage,
      publisher: escaping(sqsPublisher({ client, queueUrl, group })),
      nowhere: sqsPublisher({ client, queueUrl: queueUrl.replace("reprise-test-", "reprise-none-") }),
      ids: async (count) => {
        const ids: string[] = [];
        while (ids.length < count) {
          const { Messages = [] } = await client.receiveMessage({
            ...{ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1, MessageAttributeNames: ["All"] },
          });
          ids.push(...Messages.map(({ MessageAttributes }) => MessageAttributes?.["x-reprise-id"]?.StringValue ?? ""));
        }
        return ids;
      },
    };
  },
});

const adapters: readonly (readonly [PublisherAdapter, string | undefined])[] = [
  [sqsAdapter(false), undefined],
  [sqsAdapter(true), undefined],
  [
    {
      name: "bullmq",
      can: { cut, nowhere: { not: "a queue of BullMQ is made by what is added to it" } },
      open: async () => {
        const port = server?.port ?? 0;
        const connect = async () => new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: null });
        const stage = await bullmqStage(port, bullmqClients["ioredis"] ?? connect);
        return {
          ...stage,
          source: stage.whole,
          publisher: bullmqPublisher({ Queue, connect, queue: stage.queue.name }),
          nowhere: none,
          ids: async () => (await stage.queue.getJobs(["wait"], 0, -1, true)).map(({ id = "" }) => id),
        };
      },
    },
    missingRedis,
  ],
  [
    {
      name: "kafka",
      can: { cut, nowhere: { not: "the simulated cluster makes a topic for whoever asks" } },
      open: async () => {
        if (mock === undefined) throw new Error("there is no cluster");
        const stage = await kafkaStage(mock);
        const { client, topic } = stage;
        return {
          ...stage,
          publisher: kafkaPublisher({ kafka: client, topic }),
          nowhere: none,
          ids: async (count) => {
            const consumer = client.consumer({ groupId: `${topic}.ids`, maxWaitTimeInMs: 100 });
            await consumer.connect();
            await consumer.subscribe({ topics: [topic], fromBeginning: true });
            const ids: string[] = [];
            await new Promise<void>((resolve, reject) => {
              const eachMessage = async ({ message }: { readonly message: import("kafkajs").KafkaMessage }) => {
                ids.push(String(message.headers?.["x-reprise-id"]));
                if (ids.length === count) resolve();
              };
              consumer.run({ eachMessage }).catch(reject);
            });
            await consumer.disconnect();
            return ids;
          },
        };
      },
    },
    mock === undefined ? `${cannotRunHere}no librdkafka to simulate Kafka` : undefined,
  ],
];

for (const [adapter, missing] of adapters) {
  describe.concurrent(`the suite of publishers on ${adapter.name}`, () => {
    for (const { name, skip, run } of publisherSuite(adapter)) {
      test(name, async (context) => {
        if (missing !== undefined) context.skip(missing);
        if (skip !== null) context.skip(`${doesNotApply}${skip}`);
        await run();
      });
    }
  });
}
