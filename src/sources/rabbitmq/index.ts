import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { checkApart } from "../letters.ts";
import { over } from "../over.ts";
import { openChannel } from "./channel.ts";
import { lookAtDeadLetters } from "./dead-letters.ts";
import { receive } from "./receiver.ts";
import type { AmqpConnection } from "./shapes.ts";

export { type RabbitmqPublisherOptions, rabbitmqPublisher } from "./publisher.ts";
export type { AmqpChannel, AmqpConnection, AmqpMessage } from "./shapes.ts";

export interface RabbitmqOptions {
  /** Connects anew, with `amqplib`: the source closes what it was given, and connects again where that was lost. */
  readonly connect: () => Promise<AmqpConnection>;
  /** It exists: the source declares none. A quorum queue, for whose `delivery-limit` see the guarantees. */
  readonly queue: string;
  /** A queue that exists, for what is set aside. A copy is confirmed there before the message is acknowledged. */
  readonly deadLetter: string;
}

/**
 * A queue of RabbitMQ. It may deliver again after any time, for a client cannot ask a queue for its limits: its consumer
 * says `deliveredWithin`. When a message was sent its publisher writes (`timestamp`), for the broker does not. It delays
 * nothing: what waits is kept unacknowledged. What is set aside carries `x-reprise-reason` and `x-reprise-why`; whoever looks
 * at it keeps it from others meanwhile, and the broker counts that as a delivery: give its queue no `delivery-limit`.
 *
 * @throws REPRISE_BAD_DECLARATION, also where `deadLetter` is `queue`
 * @example
 * const source = rabbitmq({ connect: () => amqplib.connect(url), queue: "seat.book", deadLetter: "seat.book.dead" });
 */
export function rabbitmq(options: RabbitmqOptions): Source {
  checkGiven("rabbitmq", options, { connect: "function", queue: "string", deadLetter: "string" });
  const { connect, queue, deadLetter } = options;
  const name = `rabbitmq ${queue}`;
  checkApart(name, queue, deadLetter);
  const connected = over(connect, (connection) => connection.close());
  return {
    name,
    delays: false,
    horizon: async () => null,
    open: (most, inOrder = false) =>
      connected.make((connection) => receive(connection, { queue, deadLetter, most, inOrder })),
    deadLetters: () => connected.make((connection) => lookAtDeadLetters(connection, { queue, deadLetter })),
    standing: () =>
      connected.once(async (connection) => {
        const { channel } = await openChannel(connection);
        const { messageCount: waiting } = await channel.checkQueue(queue);
        const { messageCount: setAside } = await channel.checkQueue(deadLetter);
        return { waiting, setAside };
      }),
  };
}
