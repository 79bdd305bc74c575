import { afterAll, describe, expect, test as plain } from "vitest";
import { type KafkaClient, kafka, kafkaPublisher } from "../../src/sources/kafka/index.ts";
import { acknowledge, bodies, isQuiet, pull } from "../../src/testing/source-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import { type KafkaStage, kafkaStage } from "../support/kafka.ts";
import { startKafkaMock } from "../support/kafka-mock.mjs";
import { sourceCases } from "../support/source-cases.ts";

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";
const mock = await startKafkaMock();
afterAll(() => mock?.stop());
const missing =
  mock === undefined ? "no librdkafka to simulate Kafka (Debian: apt-get install gcc librdkafka-dev)" : undefined;
const open = async (partitions?: number) => {
  if (mock === undefined) throw new Error(missing);
  return kafkaStage(mock, partitions);
};

const can = {
  cut: { not: "its client connects again by itself" },
  shared: { not: "Kafka gives each partition to one receiver" },
  deadLetters: true,
} as const;
sourceCases({ name: "kafka", can, open: () => open() }, missing, "at once");

const test = (name: string, run: (stage: KafkaStage) => Promise<void>, partitions?: number) =>
  plain(name, { timeout: 60_000 }, async (context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const stage = await open(partitions);
    await run(stage).finally(stage.close);
  });

describe.concurrent("a receiver of Kafka", () => {
  test("commits what is done only up to the first that is not: all behind it comes again", async ({ source, send }) => {
    for (const body of ["1", "2", "3"]) await send(body);
    const receiver = await source.open(3);
    const [, second, third] = await pull(receiver, 3);
    for (const one of [third, second]) expect(await one?.settle({ is: "acknowledge" })).toBe("settled");
    await receiver.close();
    const again = await source.open(3);
    const deliveries = await pull(again, 3);
    expect(bodies(deliveries)).toEqual([1, 2, 3]);
    await acknowledge([...deliveries].reverse());
    await again.close();
    const last = await source.open(3);
    expect(await isQuiet(last, 1_000)).toBe(true);
    await last.close();
  });

  test("hands out messages of one key in one partition as a group, whatever bytes the key has, and those without a key in none", async ({
    client,
    topic,
    source,
  }) => {
    const keys = [Buffer.from([0xff]), Buffer.from([0xfe]), Buffer.from([0xff]), null];
    const producer = client.producer();
    await producer.connect();
    await producer.send({ topic, messages: keys.map((key, index) => ({ key, partition: 0, value: String(index) })) });
    await producer.disconnect();
    const receiver = await source.open(4);
    const deliveries = await pull(receiver, 4);
    const groups = deliveries.map(({ group }) => group);
    expect(groups[2]).toBe(groups[0]);
    expect(new Set(groups).size).toBe(3);
    expect(groups[3]).toBeUndefined();
    await acknowledge(deliveries);
    await receiver.close();
  });

  test("tells how much is not committed, and not how much is set aside", async ({ source, send }) => {
    expect(await source.standing?.()).toEqual({ waiting: 0, setAside: null });
    for (const body of ["1", "2", "3"]) await send(body);
    const receiver = await source.open(2);
    await acknowledge(await pull(receiver, 2));
    await receiver.close();
    expect(await source.standing?.()).toEqual({ waiting: 1, setAside: null });
  });

  test("says of no more than a few that they may have been handed out before, also where nothing was settled", async (stage) => {
    for (let index = 0; index < 40; index += 1) await stage.send(String(index));
    const receiver = await stage.source.open(8);
    await pull(receiver, 8);
    await receiver.close();
    const again = await stage.source.open(40);
    const deliveries = await pull(again, 40);
    expect(bodies(deliveries)).toEqual(Array.from({ length: 40 }, (_, index) => index));
    expect(deliveries.map(({ isRepeated }) => isRepeated)).toEqual(deliveries.map((_, index) => index < 8));
    await again.close();
  });

  test("says so too where the commit before it handed them out failed once", async (stage) => {
    const { client, topic } = stage;
    let failures = 0;
    const failing: KafkaClient = {
      producer: (config) => client.producer(config),
      admin: () => client.admin(),
      consumer: (config) => {
        const real = client.consumer(config);
        const commitOffsets: typeof real.commitOffsets = async (offsets) => {
          failures += 1;
          if (failures === 1) throw Object.assign(new Error("the coordinator is loading"), { retriable: true });
          return real.commitOffsets(offsets);
        };
        return { ...real, commitOffsets } as never;
      },
    };
    for (const body of ["0", "1", "2", "3"]) await stage.send(body);
    const consumer = { sessionTimeout: 4_000, heartbeatInterval: 300 };
    const asked = { topic, group: `${topic}.book`, deadLetter: `${topic}.dead`, consumer };
    const receiver = await kafka({ kafka: failing, ...asked }).open(1);
    await pull(receiver, 1);
    await receiver.close();
    const again = await stage.source.open(4);
    const deliveries = await pull(again, 4);
    expect(deliveries.map(({ isRepeated }) => isRepeated)).toEqual([true, false, false, false]);
    await again.close();
  });

  test("says of all that was there that it may have been handed out, where another consumer had the group", async (stage) => {
    for (const body of ["0", "1", "2"]) await stage.send(body);
    const groupId = `${stage.topic}.book`;
    const other = stage.client.consumer({ groupId, sessionTimeout: 4_000, maxWaitTimeInMs: 100 });
    await other.connect();
    await other.subscribe({ topics: [stage.topic], fromBeginning: true });
    await other.run({ autoCommit: false, eachMessage: async () => {} });
    await other.commitOffsets([{ topic: stage.topic, partition: 0, offset: "1" }]);
    await other.disconnect();
    const receiver = await stage.source.open(8);
    const before = await pull(receiver, 2, 8);
    await stage.send("3");
    const behind = await pull(receiver, 1);
    expect([...before, ...behind].map((delivery) => [delivery.read(), delivery.isRepeated])).toEqual([
      [1, true],
      [2, true],
      [3, false],
    ]);
    await receiver.close();
  });

  test("loses what is under way when another joins the group, and between them they receive all of it again", async ({
    client,
    topic,
    source,
  }) => {
    const producer = client.producer();
    await producer.connect();
    const messages = Array.from({ length: 20 }, (_, index) => ({ partition: index % 2, value: String(index) }));
    await producer.send({ topic, messages });
    await producer.disconnect();
    const first = await source.open(20);
    const lost = await pull(first, 20);
    const second = await source.open(20);
    const ending = AbortSignal.timeout(20_000);
    const seen = new Set<unknown>();
    const shares = await Promise.all(
      [first, second].map(async (receiver) => {
        let count = 0;
        while (seen.size < 20 && !ending.aborted) {
          const deliveries = await receiver.pull(20, AbortSignal.timeout(500));
          for (const body of bodies(deliveries)) seen.add(body);
          count += deliveries.length;
          await acknowledge(deliveries);
        }
        return count;
      }),
    );
    expect(seen.size).toBe(20);
    expect(shares.every((share) => share > 0)).toBe(true);
    for (const delivery of lost) expect(await delivery.settle({ is: "acknowledge" })).toBe("lost");
    for (const receiver of [first, second]) await receiver.close();
  }, 2);
});

describe.concurrent("a receiver of Kafka without a topic for what it would set aside", () => {
  test("does not begin", async ({ client, topic }) => {
    // the mock makes each topic that it is asked for
    const admin = () => {
      const real = client.admin();
      const unknown = async () => Promise.reject(new Error("UNKNOWN_TOPIC_OR_PARTITION"));
      return {
        ...real,
        fetchTopicOffsets: (name: string) => (name === "none" ? unknown() : real.fetchTopicOffsets(name)),
      };
    };
    const lacking: KafkaClient = {
      consumer: (config) => client.consumer(config),
      producer: (config) => client.producer(config),
      admin: admin as unknown as KafkaClient["admin"],
    };
    const source = kafka({ kafka: lacking, topic, group: `${topic}.lacking`, deadLetter: "none" });
    await expect(source.open(1)).rejects.toThrow("UNKNOWN_TOPIC");
  });
});

describe.concurrent("a publisher of Kafka", () => {
  test("sends all of them, those of one key in order, with the instant of the commit", async ({
    client,
    topic,
    source,
  }) => {
    const publisher = kafkaPublisher({ kafka: client, topic, key: ({ id }) => id.slice(0, 1) });
    const sender = await publisher.open();
    const ids = Array.from({ length: 30 }, (_, index) => `${index % 3} of ${index}`);
    await sender.send(ids.map((id) => ({ id, body: JSON.stringify({ id }), sentAt: 1_700_000_000_123 })));
    await sender.send([]);
    await sender.close();
    const receiver = await source.open(30);
    const deliveries = await pull(receiver, 30);
    const came = deliveries.map((delivery) => (delivery.read() as { readonly id: string }).id);
    for (const key of ["0", "1", "2"]) {
      const ofKey = (id: string) => id.startsWith(key);
      expect(came.filter(ofKey)).toEqual(ids.filter(ofKey));
    }
    expect(new Set(deliveries.map(({ sentAt }) => sentAt))).toEqual(new Set([1_700_000_000_123]));
    await acknowledge(deliveries);
    await receiver.close();
  }, 3);
});

/** The mock describes nothing: what a broker would answer, by the documentation. */
function describing(config: Readonly<Record<string, string>>): KafkaClient {
  const configEntries = Object.entries(config).map(([configName, configValue]) => ({ configName, configValue }));
  const admin = {
    connect: async () => {},
    disconnect: async () => {},
    describeConfigs: async () => ({ resources: [{ configEntries }] }),
  };
  return { admin: () => admin } as unknown as KafkaClient;
}

describe("a source of Kafka", () => {
  const day = 86_400_000;
  for (const [what, config, horizonMs] of [
    [
      "how long its segments stay",
      { "retention.ms": String(7 * day), "segment.ms": String(day), "cleanup.policy": "delete" },
      8 * day + 300_000,
    ],
    [
      "nothing of a topic that keeps all",
      { "retention.ms": "-1", "segment.ms": String(day), "cleanup.policy": "delete" },
      null,
    ],
    [
      "nothing of a compacted topic",
      { "retention.ms": String(7 * day), "segment.ms": String(day), "cleanup.policy": "compact,delete" },
      null,
    ],
  ] as const) {
    plain(`tells as its horizon ${what}`, async () => {
      const source = kafka({ kafka: describing(config), topic: "seats", group: "book", deadLetter: "dead" });
      expect(await source.horizon()).toBe(horizonMs);
    });
  }
});
