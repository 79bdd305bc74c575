import { randomBytes } from "node:crypto";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import amqplib from "amqplib";
import { Redis } from "ioredis";
import type { Source } from "reprise";
import { nats } from "reprise/nats";
import { rabbitmq } from "reprise/rabbitmq";
import { redisStreams } from "reprise/redis-streams";

/** A queue of its own, filled before it is measured how fast it is emptied. */
export interface Queue {
  readonly source: Source;
  /**
   * As somebody writes it who needs no library: so many at once, each acknowledged when it was handled, and then told.
   * Returns what ends it.
   */
  readonly receive: (
    most: number,
    handle: (body: string) => Promise<unknown>,
    settled: () => void,
  ) => Promise<() => Promise<void>>;
  readonly drop: () => Promise<void>;
}

export interface Broker {
  readonly ask: () => Promise<void>;
  readonly fill: (bodies: readonly string[]) => Promise<Queue>;
}

const rabbitmqUrl = process.env["RABBITMQ_URL"] ?? "amqp://guest:guest@127.0.0.1:5672";
const natsServers = process.env["NATS_SERVER"] ?? "127.0.0.1:4222";
const redisUrl = process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379";
const newName = () => `bench-${randomBytes(6).toString("hex")}`;

export const brokers: Readonly<Record<string, Broker>> = {
  rabbitmq: {
    ask: async () => (await amqplib.connect(rabbitmqUrl)).close(),
    fill: async (bodies) => {
      const queue = newName();
      const deadLetter = `${queue}.dead`;
      const connection = await amqplib.connect(rabbitmqUrl);
      const channel = await connection.createConfirmChannel();
      for (const name of [queue, deadLetter]) {
        await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum" } });
      }
      const timestamp = Math.floor(Date.now() / 1_000);
      for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { persistent: true, timestamp });
      await channel.waitForConfirms();
      return {
        source: rabbitmq({ connect: () => amqplib.connect(rabbitmqUrl), queue, deadLetter }),
        receive: async (most, handle, settled) => {
          const own = await amqplib.connect(rabbitmqUrl);
          const receiving = await own.createChannel();
          await receiving.prefetch(most);
          await receiving.consume(queue, async (message) => {
            if (message === null) return;
            await handle(message.content.toString());
            receiving.ack(message);
            settled();
          });
          return () => own.close();
        },
        drop: async () => {
          for (const name of [queue, deadLetter]) await channel.deleteQueue(name);
          await connection.close();
        },
      };
    },
  },
  nats: {
    ask: async () => (await connect({ servers: natsServers, reconnect: false })).close(),
    fill: async (bodies) => {
      const stream = newName();
      const deadLetter = `${stream}-dead`;
      const connection = await connect({ servers: natsServers });
      const manager = await jetstreamManager(connection);
      for (const name of [stream, deadLetter]) await manager.streams.add({ name, subjects: [name] });
      const consumer = { durable_name: "work", ack_policy: "explicit", max_ack_pending: -1 } as const;
      await manager.consumers.add(stream, consumer);
      const client = jetstream(connection);
      for (let from = 0; from < bodies.length; from += 200) {
        await Promise.all(bodies.slice(from, from + 200).map((body) => client.publish(stream, body)));
      }
      return {
        source: nats({
          connect: () => connect({ servers: natsServers, reconnect: false }),
          ...{ jetstream, headers, stream, consumer: "work", deadLetter },
        }),
        receive: async (most, handle, settled) => {
          const own = await connect({ servers: natsServers });
          const durable = await jetstream(own).consumers.get(stream, "work");
          const messages = await durable.consume({ max_messages: most });
          let underWay = 0;
          let wake = () => {};
          const receive = async () => {
            for await (const message of messages) {
              underWay += 1;
              void handle(message.string()).then(() => {
                message.ack();
                settled();
                underWay -= 1;
                wake();
              });
              while (underWay >= most) {
                await new Promise<void>((resolve) => {
                  wake = resolve;
                });
              }
            }
          };
          const receiving = receive();
          return async () => {
            messages.stop();
            await receiving;
            await own.close();
          };
        },
        drop: async () => {
          for (const name of [stream, deadLetter]) await manager.streams.delete(name);
          await connection.close();
        },
      };
    },
  },
  "redis-streams": {
    ask: async () => {
      const client = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => null });
      client.on("error", () => {});
      await client.connect();
      client.disconnect();
    },
    fill: async (bodies) => {
      const stream = newName();
      const client = new Redis(redisUrl);
      await client.xgroup("CREATE", stream, "work", "$", "MKSTREAM");
      await Promise.all(bodies.map((body) => client.xadd(stream, "*", "body", body)));
      return {
        source: redisStreams({
          connect: async () => new Redis(redisUrl),
          ...{ stream, group: "work", deadLetter: `${stream}-dead` },
        }),
        receive: async (most, handle, settled) => {
          const reader = new Redis(redisUrl);
          let underWay = 0;
          let ended = false;
          let wake = () => {};
          const receive = async () => {
            while (!ended) {
              while (underWay >= most) {
                await new Promise<void>((resolve) => {
                  wake = resolve;
                });
              }
              const count = most - underWay;
              const read = await reader.xreadgroup(
                "GROUP",
                "work",
                "hand",
                "COUNT",
                count,
                "BLOCK",
                100,
                "STREAMS",
                stream,
                ">",
              );
              const [[, entries]] = (read ?? [["", []]]) as [[string, [string, [string, string]][]]];
              for (const [id, [, body]] of entries) {
                underWay += 1;
                void handle(body).then(async () => {
                  await client.xack(stream, "work", id);
                  settled();
                  underWay -= 1;
                  wake();
                });
              }
            }
          };
          const receiving = receive();
          return async () => {
            ended = true;
            await receiving;
            reader.disconnect();
          };
        },
        drop: async () => {
          await client.del(stream, `${stream}-dead`);
          client.disconnect();
        },
      };
    },
  },
};
