import { randomUUID } from "node:crypto";
import { Kafka, logLevel, Partitioners } from "kafkajs";
import { type KafkaClient, type KafkaProducer, kafka } from "../../src/sources/kafka/index.ts";
import type { SetAside, SourceStage } from "../../src/testing/index.ts";
import type { KafkaMock } from "./kafka-mock.mjs";

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
  // the mock refuses nothing: what a broker would answer whose limit is too small
  let isRefusing = false;
  const refusing: KafkaClient = {
    consumer: (config) => client.consumer(config),
    admin: () => client.admin(),
    producer: (config) => {
      const real = client.producer(config);
      const send: KafkaProducer["send"] = (record) =>
        isRefusing ? Promise.reject(new Error("MESSAGE_TOO_LARGE")) : real.send(record);
      return { connect: real.connect, disconnect: real.disconnect, send };
    },
  };
  const source = kafka({ kafka: refusing, topic, group: `${topic}.book`, deadLetter, consumer });
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
    refuse: async () => {
      isRefusing = true;
      return async () => {
        isRefusing = false;
      };
    },
    cut: async () => {},
    close: async () => {
      await producer.disconnect();
    },
  };
}
