import amqplib from "amqplib";
import type { Publisher, Source } from "reprise";
import { rabbitmq, rabbitmqPublisher } from "reprise/rabbitmq";

/** Where queues are that other services share. */
export interface Broker {
  readonly publisher: (queue: string) => Publisher;
  readonly source: (queue: string) => Source;
}

/** RabbitMQ, with the queues that are asked of it: what each sets aside lies in one of its own. */
export function createBroker(url: string, prefix = "booking."): Broker {
  const connect = async (queue: string) => {
    const connection = await amqplib.connect(url);
    const channel = await connection.createChannel();
    for (const name of [queue, `${queue}.dead`]) {
      await channel.assertQueue(name, { durable: true, arguments: { "x-queue-type": "quorum" } });
    }
    await channel.close();
    return connection;
  };
  return {
    publisher: (name) => {
      const queue = prefix + name;
      return rabbitmqPublisher({ connect: () => connect(queue), queue });
    },
    source: (name) => {
      const queue = prefix + name;
      return rabbitmq({ connect: () => connect(queue), queue, deadLetter: `${queue}.dead` });
    },
  };
}
