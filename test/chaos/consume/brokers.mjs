// A queue of its own on each broker: what creates it, sends to it, and receives from it with and without the library.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, headers } from "@nats-io/transport-node";
import amqplib from "amqplib";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { bullmq } from "reprise/bullmq";
import { nats } from "reprise/nats";
import { rabbitmq } from "reprise/rabbitmq";
import { redisStreams } from "reprise/redis-streams";
import { onKafka, onSqs } from "./brokers-simulated.mjs";
import { onServiceBus, onServiceBusSessions } from "./service-bus.mjs";

const url = process.env.RABBITMQ_URL ?? "amqp://guest:guest@127.0.0.1:5672";
const redis = process.env.REDIS_URL ?? "redis://127.0.0.1:6379";
const servers = process.env.NATS_SERVER ?? "127.0.0.1:4222";

const onRabbitmq = {
  source: (name) => rabbitmq({ connect: () => amqplib.connect(url), queue: name, deadLetter: `${name}.dead` }),
  async create(name) {
    const connection = await amqplib.connect(url);
    const channel = await connection.createConfirmChannel();
    const queues = [name, `${name}.dead`];
    for (const queue of queues) {
      await channel.assertQueue(queue, { durable: true, arguments: { "x-queue-type": "quorum" } });
    }
    return {
      send: async (bodies) => {
        const timestamp = Math.floor(Date.now() / 1_000);
        for (const body of bodies) channel.sendToQueue(name, Buffer.from(body), { persistent: true, timestamp });
        await channel.waitForConfirms();
      },
      left: async () => (await channel.checkQueue(name)).messageCount,
      setAside: async () => (await channel.checkQueue(`${name}.dead`)).messageCount,
      drop: async () => {
        for (const queue of queues) await channel.deleteQueue(queue);
        await connection.close();
      },
    };
  },
  /** What stands in most services: as many at once, acknowledged behind the work. */
  async receive(name, most, handle) {
    const channel = await (await amqplib.connect(url)).createChannel();
    await channel.prefetch(most);
    await channel.consume(name, async (message) => {
      await handle(message.content.toString());
      channel.ack(message);
    });
  },
};

const onNats = {
  source: (name) =>
    nats({
      connect: () => connect({ servers, reconnect: false }),
      ...{ jetstream, headers, stream: name, consumer: "work", deadLetter: `${name}-dead` },
    }),
  async create(name) {
    const connection = await connect({ servers });
    const manager = await jetstreamManager(connection);
    const streams = [name, `${name}-dead`];
    for (const stream of streams) await manager.streams.add({ name: stream, subjects: [stream] });
    // as long as a crash is waited for
    const second = 1_000_000_000;
    const consumer = { durable_name: "work", ack_policy: "explicit", ack_wait: 2 * second, max_ack_pending: -1 };
    await manager.consumers.add(name, consumer);
    const client = jetstream(connection);
    return {
      send: async (bodies) => {
        for (const body of bodies) await client.publish(name, body);
      },
      left: async () => {
        const { num_pending, num_ack_pending } = await manager.consumers.info(name, "work");
        return num_pending + num_ack_pending;
      },
      setAside: async () => (await manager.streams.info(`${name}-dead`)).state.messages,
      drop: async () => {
        for (const stream of streams) await manager.streams.delete(stream);
        await connection.close();
      },
    };
  },
  async receive(name, most, handle) {
    const consumer = await jetstream(await connect({ servers })).consumers.get(name, "work");
    await consumer.consume({
      max_messages: most,
      callback: async (message) => {
        await handle(message.string());
        message.ack();
      },
    });
  },
};

const onRedisStreams = {
  source: (name) =>
    redisStreams({
      connect: async () => new Redis(redis),
      ...{ stream: name, group: "work", deadLetter: `${name}-dead`, lock: "2s" },
    }),
  async create(name) {
    const client = new Redis(redis);
    await client.xgroup("CREATE", name, "work", "$", "MKSTREAM");
    return {
      send: async (bodies) => {
        for (const body of bodies) await client.xadd(name, "*", "body", body);
      },
      left: async () => {
        const [pending] = await client.xpending(name, "work");
        const [[, , , , , , , last]] = await client.xinfo("GROUPS", name);
        return pending + (await client.xrange(name, `(${last}`, "+")).length;
      },
      setAside: () => client.xlen(`${name}-dead`),
      drop: async () => {
        await client.del(name, `${name}-dead`);
        client.disconnect();
      },
    };
  },
  async receive(name, most, handle) {
    const client = new Redis(redis);
    const reader = new Redis(redis);
    const me = String(process.pid);
    for (;;) {
      const [, left] = await client.xautoclaim(name, "work", me, 2_000, "0-0", "COUNT", most);
      const read =
        left.length > 0
          ? null
          : await reader.xreadgroup("GROUP", "work", me, "COUNT", most, "BLOCK", 200, "STREAMS", name, ">");
      const entries = left.length > 0 ? left : (read?.[0][1] ?? []);
      await Promise.all(
        entries.map(async ([id, [, body]]) => {
          await handle(body);
          await client.xack(name, "work", id);
        }),
      );
    }
  },
};

const blocking = async () => new Redis(redis, { maxRetriesPerRequest: null });

const onBullmq = {
  source: (name) => bullmq({ Worker, Queue, connect: blocking, queue: name, lock: "2s" }),
  async create(name) {
    const connection = await blocking();
    const queue = new Queue(name, { connection });
    const count = async (...states) =>
      Object.values(await queue.getJobCounts(...states)).reduce((sum, n) => sum + n, 0);
    return {
      send: async (bodies) => {
        await queue.addBulk(bodies.map((body) => ({ name: "book", data: JSON.parse(body) })));
      },
      left: () => count("wait", "active", "delayed"),
      setAside: () => count("failed"),
      drop: async () => {
        await queue.obliterate({ force: true });
        await queue.close();
        connection.disconnect();
      },
    };
  },
  async receive(name, most, handle) {
    const connection = await blocking();
    const options = {
      connection,
      concurrency: most,
      lockDuration: 2_000,
      stalledInterval: 1_000,
      maxStalledCount: 1_000,
    };
    new Worker(name, (job) => handle(JSON.stringify(job.data)), options);
  },
};

export const brokers = {
  rabbitmq: onRabbitmq,
  nats: onNats,
  "redis-streams": onRedisStreams,
  bullmq: onBullmq,
  sqs: onSqs,
  kafka: onKafka,
  "service-bus": onServiceBus,
  "service-bus-sessions": onServiceBusSessions,
};
