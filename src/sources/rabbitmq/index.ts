import { randomUUID } from "node:crypto";
import type { Delivery, Receiver, Settlement, Source } from "../../contract/source.ts";
import { Inbox } from "../inbox.ts";
import { checkApart } from "../letters.ts";
import { lookAtDeadLetters } from "./dead-letters.ts";
import { headerNames, propertiesOf, sentAtOf } from "./message.ts";
import type { AmqpChannel, AmqpConnection, AmqpMessage } from "./shapes.ts";

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
 * @throws REPRISE_BAD_DECLARATION where `deadLetter` is `queue`
 * @example
 * const source = rabbitmq({ connect: () => amqplib.connect(url), queue: "seat.book", deadLetter: "seat.book.dead" });
 */
export function rabbitmq({ connect, queue, deadLetter }: RabbitmqOptions): Source {
  const name = `rabbitmq ${queue}`;
  checkApart(name, queue, deadLetter);
  return {
    name,
    delays: false,
    horizon: async () => null,
    open: (most, inOrder = false) =>
      connected(connect, (connection) => receive(connection, { queue, deadLetter, most, inOrder })),
    deadLetters: () => connected(connect, (connection) => lookAtDeadLetters(connection, { queue, deadLetter })),
    standing: async () => {
      const connection = await connect();
      // whoever does not listen is ended by the error of a socket
      connection.on("error", () => {});
      try {
        const channel = await connection.createConfirmChannel();
        channel.on("error", () => {});
        const { messageCount: waiting } = await channel.checkQueue(queue);
        const { messageCount: setAside } = await channel.checkQueue(deadLetter);
        return { waiting, setAside };
      } finally {
        await connection.close().catch(() => {});
      }
    },
  };
}

/** What is made of a connection closes it; one of which nothing could be made is closed here. */
async function connected<T>(
  connect: RabbitmqOptions["connect"],
  make: (connection: AmqpConnection) => Promise<T>,
): Promise<T> {
  const connection = await connect();
  try {
    return await make(connection);
  } catch (error) {
    await connection.close().catch(() => {});
    throw error;
  }
}

interface Asked {
  readonly queue: string;
  readonly deadLetter: string;
  readonly most: number;
  /** A quorum queue puts what is returned behind all others, and only what is not settled when its channel closes in its place. */
  readonly inOrder: boolean;
}

async function receive(connection: AmqpConnection, asked: Asked): Promise<Receiver> {
  const { queue, deadLetter, most, inOrder } = asked;
  const inbox = new Inbox<AmqpMessage>();
  const gone = (error?: unknown) =>
    inbox.break(error instanceof Error ? error : new Error("RabbitMQ has closed the connection"));
  // whoever does not listen is ended by the error of a socket
  connection.on("error", gone);
  let isClosed = false;
  connection.on("close", (error) => {
    isClosed = true;
    gone(error);
  });
  const channel = await connection.createConfirmChannel();
  channel.on("error", gone);
  channel.on("close", gone);
  // said before the confirmation: a broker confirms also what it has no queue for
  channel.on("return", () => gone(new Error("RabbitMQ has no queue for what is set aside")));
  // a queue that is missing closes the channel: better now than with the first message that nobody can set aside
  await channel.checkQueue(queue);
  await channel.checkQueue(deadLetter);
  await channel.prefetch(most);
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) gone(new Error("RabbitMQ has cancelled the consumer: its queue is gone"));
    else inbox.add(message);
  });
  return {
    pull: async (count, signal) =>
      (await inbox.pull(count, signal)).map((message) => deliveryOf(message, channel, inbox, asked)),
    stop: async (first) => {
      // what arrives after a cancellation the broker puts behind all others too: the close alone keeps its place
      if (inOrder || inbox.isBroken) return;
      // what comes before its answer is given back too
      await channel.cancel(consumerTag);
      await first;
      if (inbox.isBroken) return;
      for (const message of inbox.drain()) channel.nack(message, false, true);
    },
    close: async () => {
      if (isClosed) return;
      gone();
      // of a channel that is gone there is nothing to cancel, but its connection stands
      if (!inOrder) await channel.cancel(consumerTag).catch(() => {});
      // what is not acknowledged goes back with it, before anybody can ask for more
      await channel.close().catch(() => {});
      await connection.close();
    },
  };
}

function deliveryOf(
  message: AmqpMessage,
  channel: AmqpChannel,
  inbox: Inbox<AmqpMessage>,
  { deadLetter, inOrder }: Asked,
): Delivery {
  return {
    read: () => JSON.parse(message.content.toString("utf8")),
    sentAt: sentAtOf(message),
    isRepeated: message.fields.redelivered,
    lockMs: null,
    settle: async (settlement) => {
      // on a channel that is gone an acknowledgement returns as if it had been sent
      if (inbox.isBroken) return "lost";
      if (settlement.is === "return") {
        if (!inOrder) channel.nack(message, false, true);
      } else {
        const isThere = settlement.is !== "dead-letter" || (await setAside(message, channel, deadLetter, settlement));
        if (inbox.isBroken) return "lost";
        if (!isThere) return "refused";
        channel.ack(message);
      }
      return inbox.isBroken ? "lost" : "settled";
    },
  };
}

/**
 * A copy that the broker has confirmed; a crash before the acknowledgement leaves two of it. False: the broker has refused it,
 * as a full queue with `overflow: reject-publish` does.
 */
function setAside(
  message: AmqpMessage,
  channel: AmqpChannel,
  queue: string,
  { reason, why }: Extract<Settlement, { readonly is: "dead-letter" }>,
): Promise<boolean> {
  const { id, setAsideAt, reason: reasonName, why: whyName } = headerNames;
  const options = {
    ...propertiesOf(message),
    headers: {
      ...message.properties.headers,
      ...{ [id]: randomUUID(), [setAsideAt]: Date.now(), [reasonName]: reason, [whyName]: why },
    },
  };
  return new Promise((resolve) => {
    channel.sendToQueue(queue, message.content, options, (error) => resolve(error === null || error === undefined));
  });
}
