import amqplib from "amqplib";
import { rabbitmq } from "reprise/rabbitmq";

const url = process.env.RABBITMQ_URL ?? "amqp://guest:guest@127.0.0.1:5672";

export const onRabbitmq = {
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
