import { checkGiven } from "../../base/given.ts";
import type { OutgoingMessage, Publisher, Sender } from "../../contract/publisher.ts";
import { over } from "../over.ts";
import { openChannel } from "./channel.ts";
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
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const to = rabbitmqPublisher({ connect: () => amqplib.connect(url), queue: "seat.released" });
 */
export function rabbitmqPublisher(options: RabbitmqPublisherOptions): Publisher {
  const isExchange = "exchange" in Object(options) && !("queue" in options);
  const to = isExchange ? ({ exchange: "string", routingKey: "string" } as const) : ({ queue: "string" } as const);
  checkGiven("rabbitmqPublisher", options, { connect: "function", ...to });
  const [exchange, routingKey] = "queue" in options ? ["", options.queue] : [options.exchange, options.routingKey];
  return {
    name: `rabbitmq ${exchange === "" ? routingKey : `${exchange} ${routingKey}`}`,
    open: () =>
      over(options.connect, (connection) => connection.close()).make((connection) =>
        openSender(connection, exchange, routingKey),
      ),
  };
}

async function openSender(connection: AmqpConnection, exchange: string, routingKey: string): Promise<Sender> {
  let tell: (reason: Error) => void = () => {};
  const { channel, check, close } = await openChannel(connection, "what it was sent", (reason) => tell(reason));
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
      check();
      const breaking = new Promise<never>((_, reject) => {
        tell = reject;
      });
      for (const message of messages) publish(message);
      await Promise.race([channel.waitForConfirms(), breaking]);
      check();
    },
    close,
  };
}
