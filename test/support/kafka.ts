import { execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { kafka } from "../../src/sources/kafka/index.ts";
import type { SetAside, SourceStage } from "../../src/testing/index.ts";

export interface KafkaMock {
  readonly brokers: string;
  /** A topic, for the cluster takes no request for that. */
  readonly create: (topic: string, partitions: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** A cluster that librdkafka simulates, in a process of its own; `undefined`: there is no librdkafka, or nothing to compile with. */
export async function startKafkaMock(): Promise<KafkaMock | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "reprise-kafka-"));
  const program = join(directory, "mock");
  const source = fileURLToPath(new URL("kafka-mock.c", import.meta.url));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    execFileSync("gcc", [source, "-o", program, "-lrdkafka"], { stdio: "ignore", timeout: 60_000 });
  } catch {
    remove();
    return undefined;
  }
  const mock = spawn(program, { stdio: ["pipe", "pipe", "ignore"] });
  const gone = once(mock, "exit");
  const lines = createInterface({ input: mock.stdout })[Symbol.asyncIterator]();
  const brokers = await lines.next();
  let creating: Promise<unknown> = Promise.resolve();
  return {
    brokers: String(brokers.value),
    create: async (topic, partitions) => {
      mock.stdin.write(`${topic} ${partitions}\n`);
      creating = creating.then(() => lines.next());
      await creating;
    },
    stop: async () => {
      mock.stdin.end();
      await gone;
      remove();
    },
  };
}

export interface KafkaStage extends SourceStage {
  readonly client: Kafka;
  readonly topic: string;
}

/** A topic of its own, with one for what is set aside. */
export async function kafkaStage(mock: KafkaMock, partitions = 1): Promise<KafkaStage> {
  const topic = `test-${randomUUID()}`;
  const deadLetter = `${topic}.dead`;
  const client = new Kafka({ brokers: [mock.brokers], logLevel: logLevel.NOTHING });
  for (const name of [topic, deadLetter]) await mock.create(name, partitions);
  const producer = client.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const send = async (to: string, value: string) => {
    await producer.send({ topic: to, messages: [{ key: "shop", value, headers: { trace: "t-1" } }] });
  };
  // the mock lets the first member wait for 3 s, and waits for one that has left until its session is over
  const consumer = { sessionTimeout: 4_000, heartbeatInterval: 300 };
  const source = kafka({ kafka: client, topic, group: `${topic}.book`, deadLetter, consumer });
  return {
    ...{ client, topic, source },
    send: (body) => send(topic, body),
    sendAside: (body) => send(deadLetter, body),
    setAside: async (count) => {
      const consumer = client.consumer({ groupId: `${topic}.look`, maxWaitTimeInMs: 100 });
      const all: SetAside[] = [];
      await consumer.connect();
      await consumer.subscribe({ topics: [deadLetter], fromBeginning: true });
      await new Promise<void>((resolve, reject) => {
        const eachMessage = async ({ message }: { readonly message: import("kafkajs").KafkaMessage }) => {
          const reason = String(message.headers?.["x-reprise-reason"]) as SetAside["reason"];
          all.push({ body: String(message.value), reason });
          if (all.length === count) resolve();
        };
        consumer.run({ eachMessage }).catch(reject);
      });
      await consumer.disconnect();
      return all;
    },
    cut: async () => {},
    close: async () => {
      await producer.disconnect();
    },
  };
}
