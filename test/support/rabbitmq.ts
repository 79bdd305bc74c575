import { randomUUID } from "node:crypto";
import amqplib from "amqplib";
import { rabbitmq } from "../../src/sources/rabbitmq/index.ts";
import type { SetAside, SourceStage } from "../../src/testing/index.ts";
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

/** A quorum queue of its own, with one for what is set aside. */
export async function rabbitmqStage(): Promise<SourceStage & { readonly queue: string }> {
  const queue = `reprise.test.${randomUUID()}`;
  const deadLetter = `${queue}.dead`;
  const admin = await amqplib.connect(rabbitmqUrl);
  const channel = await admin.createConfirmChannel();
  for (const name of [queue, deadLetter]) {
    await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum" } });
  }
  const { hostname, port } = new URL(rabbitmqUrl);
  const forwarder = await startForwarder({ host: hostname, port: Number(port || 5672) });
  const through = new URL(rabbitmqUrl);
  through.host = `127.0.0.1:${forwarder.port}`;
  return {
    queue,
    source: rabbitmq({ connect: () => amqplib.connect(String(through)), queue, deadLetter }),
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
    cut: async () => forwarder.cut(),
    close: async () => {
      await forwarder.close();
      for (const name of [queue, deadLetter]) await channel.deleteQueue(name);
      await admin.close();
    },
  };
}
