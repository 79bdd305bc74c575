import { randomUUID } from "node:crypto";
import amqplib from "amqplib";
import { rabbitmq, rabbitmqPublisher } from "../../src/sources/rabbitmq/index.ts";
import type { PublisherStage, SetAside, SourceStage } from "../../src/testing/index.ts";
import { startForwarder } from "./forwarder.ts";

export const rabbitmqUrl = process.env["RABBITMQ_URL"] ?? "amqp://guest:guest@127.0.0.1:5672";

/** The server's version; `undefined`: none answers. */
export async function rabbitmqVersion(): Promise<string | undefined> {
  try {
    const connection = await amqplib.connect(rabbitmqUrl, { timeout: 5_000 });
    const { version } = connection.connection.serverProperties;
    await connection.close();
    return String(version);
  } catch {
    return undefined;
  }
}

/** More than any test sets aside. */
const mostAside = 100;

/** A quorum queue of its own, with one for what is set aside. */
export async function rabbitmqStage(): Promise<SourceStage & PublisherStage & { readonly queue: string }> {
  const queue = `reprise.test.${randomUUID()}`;
  const deadLetter = `${queue}.dead`;
  const admin = await amqplib.connect(rabbitmqUrl);
  const channel = await admin.createConfirmChannel();
  const bounds = { "x-max-length": mostAside, "x-overflow": "reject-publish" };
  for (const name of [queue, deadLetter]) {
    const bounded = name === deadLetter ? bounds : {};
    await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum", ...bounded } });
  }
  const { hostname, port } = new URL(rabbitmqUrl);
  const forwarder = await startForwarder({ host: hostname, port: Number(port || 5672) });
  const through = new URL(rabbitmqUrl);
  through.host = `127.0.0.1:${forwarder.port}`;
  const connect = () => amqplib.connect(String(through));
  return {
    queue,
    source: rabbitmq({ connect, queue, deadLetter }),
    publisher: rabbitmqPublisher({ connect, queue }),
    nowhere: rabbitmqPublisher({ connect, queue: `${queue}.none` }),
    ids: async (count) => {
      const all: string[] = [];
      while (all.length < count) {
        const message = await channel.get(queue, { noAck: true });
        if (message !== false) all.push(String(message.properties.messageId));
      }
      return all;
    },
    send: async (body) => {
      const timestamp = Math.floor(Date.now() / 1_000);
      channel.sendToQueue(queue, Buffer.from(body), { persistent: true, timestamp });
      await channel.waitForConfirms();
    },
    sendAside: async (body) => {
      channel.sendToQueue(deadLetter, Buffer.from(body), { persistent: true });
      await channel.waitForConfirms();
    },
    setAside: async (count) => {
      const all: SetAside[] = [];
      while (all.length < count) {
        const message = await channel.get(deadLetter);
        if (message === false) {
          await new Promise((resolve) => setTimeout(resolve, 20));
          continue;
        }
        channel.ack(message);
        all.push({ body: message.content.toString(), reason: message.properties.headers?.["x-reprise-reason"] });
      }
      return all;
    },
    refuse: async () => {
      // a quorum queue notices a little late that it is full
      for (let isFull = false; !isFull; ) {
        const sending = Array.from(
          { length: mostAside },
          () =>
            new Promise<boolean>((resolve) => {
              channel.sendToQueue(deadLetter, Buffer.from("1"), {}, (error) => resolve(error != null));
            }),
        );
        isFull = (await Promise.all(sending)).every(Boolean);
      }
      return async () => {
        await channel.purgeQueue(deadLetter);
        // and that it is not any more
        await new Promise((resolve) => setTimeout(resolve, 100));
      };
    },
    cut: async () => forwarder.cut(),
    close: async () => {
      await forwarder.close();
      for (const name of [queue, deadLetter]) await channel.deleteQueue(name);
      await admin.close();
    },
  };
}
