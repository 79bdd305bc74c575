import type { OutgoingMessage, Publisher, Sender } from "../../contract/publisher.ts";
import type { AmqpConnection } from "./shapes.ts";

export type RabbitmqPublisherOptions = {
  /** Connects anew, with `amqplib`: the publisher closes what it was given, and connects again where that was lost. */
  readonly connect: () => Promise<AmqpConnection>;
} & (
  | {
      /** It exists: the publisher declares none. */
      readonly queue: string;
    }
  | {
      /** It exists. What none of its queues takes is refused. */
      readonly exchange: string;
      readonly routingKey: string;
    }
);

/**
 * Sends to a queue or an exchange of RabbitMQ, persistent, on a channel that confirms. The business id is the `messageId`;
 * `timestamp` says, in whole seconds, when it was committed, as the source of this module reads it.
 *
 * @example
 * const to = rabbitmqPublisher({ connect: () => amqplib.connect(url), queue: "seat.released" });
 */
export function rabbitmqPublisher(options: RabbitmqPublisherOptions): Publisher {
  const [exchange, routingKey] = "queue" in options ? ["", options.queue] : [options.exchange, options.routingKey];
  return {
    name: `rabbitmq ${exchange === "" ? routingKey : `${exchange} ${routingKey}`}`,
    open: async () => {
      const connection = await options.connect();
      try {
        return await openSender(connection, exchange, routingKey);
      } catch (error) {
        await connection.close().catch(() => {});
        throw error;
      }
    },
  };
}

async function openSender(connection: AmqpConnection, exchange: string, routingKey: string): Promise<Sender> {
  let broken: Error | undefined;
  let isClosed = false;
  let tell: (reason: Error) => void = () => {};
  const gone = (error?: unknown) => {
    broken ??= error instanceof Error ? error : new Error("RabbitMQ has closed the connection");
    tell(broken);
  };
  // whoever does not listen is ended by the error of a socket
  connection.on("error", gone);
  connection.on("close", (error) => {
    isClosed = true;
    gone(error);
  });
  const channel = await connection.createConfirmChannel();
  channel.on("error", gone);
  channel.on("close", gone);
  // said before the confirmation: a broker confirms also what it has no queue for
  channel.on("return", () => gone(new Error("RabbitMQ has no queue for what it was sent")));

  const publish = ({ id, body, sentAt }: OutgoingMessage) =>
    channel.publish(exchange, routingKey, Buffer.from(body), {
      contentType: "application/json",
      messageId: id,
      timestamp: Math.floor(sentAt / 1_000),
      persistent: true,
      mandatory: true,
    });
  return {
    send: async (messages) => {
      if (broken !== undefined) throw broken;
      const breaking = new Promise<never>((_, reject) => {
        tell = reject;
      });
      for (const message of messages) publish(message);
      await Promise.race([channel.waitForConfirms(), breaking]);
      if (broken !== undefined) throw broken;
    },
    close: async () => {
      if (!isClosed) await connection.close();
    },
  };
}
