import { randomUUID } from "node:crypto";
import { type ConsumerConfig, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import type { Source } from "../../src/contract/source.ts";
import { nats, natsPublisher } from "../../src/sources/nats/index.ts";
import type { PublisherStage, SetAside, SourceStage } from "../../src/testing/index.ts";
import { startForwarder } from "./forwarder.ts";

const [host = "127.0.0.1", port = "4222"] = (process.env["NATS_SERVER"] ?? "127.0.0.1:4222").split(":");
export const natsServers = `${host}:${port}`;

/** The server's version; `undefined`: none with JetStream answers. */
export async function natsVersion(): Promise<string | undefined> {
  try {
    const connection = await connect({ servers: natsServers, timeout: 5_000, reconnect: false });
    const { version, jetstream: has } = connection.info ?? {};
    await connection.close();
    return has === true ? version : undefined;
  } catch {
    return undefined;
  }
}

export interface NatsStage extends SourceStage, PublisherStage {
  /** The stream through a further consumer that is configured so. */
  readonly withConsumer: (name: string, config: Partial<ConsumerConfig>) => Promise<Source>;
}

/** A stream of its own, with one for what is set aside. */
export async function natsStage(ackWaitMs = 1_500, maxAgeMs = 0): Promise<NatsStage> {
  const stream = `test-${randomUUID()}`;
  const deadLetter = `dead-${stream}`;
  const admin = await connect({ servers: natsServers });
  const manager = await jetstreamManager(admin);
  const addStream = (name: string) => manager.streams.add({ name, subjects: [name], max_age: maxAgeMs * 1_000_000 });
  for (const name of [stream, deadLetter]) await addStream(name);
  const acknowledging = { ack_policy: "explicit", ack_wait: ackWaitMs * 1_000_000, max_ack_pending: -1 } as const;
  await manager.consumers.add(stream, { durable_name: "book", ...acknowledging });
  await manager.consumers.add(deadLetter, { durable_name: "look", ...acknowledging });
  const client = jetstream(admin);
  const forwarder = await startForwarder({ host, port: Number(port) });
  const connectThrough = () => connect({ servers: `127.0.0.1:${forwarder.port}`, reconnect: false });
  const sending = { connect: connectThrough, jetstream, headers };
  const sourceOf = (consumer: string) =>
    nats({ connect: connectThrough, ...{ jetstream, headers, stream, consumer, deadLetter } });
  return {
    source: sourceOf("book"),
    withConsumer: async (name, config) => {
      await manager.consumers.add(stream, { durable_name: name, ...config });
      return sourceOf(name);
    },
    publisher: natsPublisher({ ...sending, subject: stream }),
    nowhere: natsPublisher({ ...sending, subject: `none-${stream}` }),
    ids: async (count) => {
      const all: string[] = [];
      const consumer = await client.consumers.get(stream, "book");
      for await (const message of await consumer.fetch({ max_messages: count, expires: 10_000 })) {
        message.ack();
        all.push(message.headers?.get("Nats-Msg-Id") ?? "");
      }
      return all;
    },
    send: async (body) => {
      await client.publish(stream, body);
    },
    sendAside: async (body) => {
      await client.publish(deadLetter, body);
    },
    setAside: async (count) => {
      const consumer = await client.consumers.get(deadLetter, "look");
      const all: SetAside[] = [];
      for await (const message of await consumer.fetch({ max_messages: count, expires: 10_000 })) {
        message.ack();
        const reason = message.headers?.get("x-reprise-reason") as SetAside["reason"];
        all.push({ body: message.string(), reason });
      }
      return all;
    },
    refuse: async () => {
      await manager.streams.delete(deadLetter);
      return async () => {
        await addStream(deadLetter);
        await manager.consumers.add(deadLetter, { durable_name: "look", ...acknowledging });
      };
    },
    cut: async () => forwarder.cut(),
    close: async () => {
      await forwarder.close();
      for (const name of [stream, deadLetter]) await manager.streams.delete(name);
      await admin.close();
    },
  };
}
