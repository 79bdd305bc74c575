import { randomUUID } from "node:crypto";
import type { Delivery, Receiver, Settlement } from "../../contract/source.ts";
import { Inbox } from "../inbox.ts";
import { checkQueues, openChannel } from "./channel.ts";
import { headerNames, propertiesOf, sentAtOf } from "./message.ts";
import type { AmqpChannel, AmqpConnection, AmqpMessage } from "./shapes.ts";

export interface ReceivingOptions {
  readonly queue: string;
  readonly deadLetter: string;
  readonly most: number;
  /** A quorum queue puts what is returned behind all others, and only what is not settled when its channel closes in its place. */
  readonly inOrder: boolean;
}

/** What a broker pushes over one channel, as long as that stands: nothing has a lock. */
export async function receive(connection: AmqpConnection, options: ReceivingOptions): Promise<Receiver> {
  const { queue, deadLetter, most, inOrder } = options;
  const inbox = new Inbox<AmqpMessage>();
  const { channel, close } = await openChannel(connection, "what is set aside", (reason) => inbox.break(reason));
  // better now than with the first message that nobody can set aside
  await checkQueues(channel, `rabbitmq ${queue}`, [queue, deadLetter]);
  await channel.prefetch(most);
  const { consumerTag } = await channel.consume(queue, (message) => {
    if (message === null) inbox.break(new Error("RabbitMQ has cancelled the consumer: its queue is gone"));
    else inbox.add(message);
  });
  return {
    pull: async (count, signal) =>
      (await inbox.pull(count, signal)).map((message) => deliveryOf(message, channel, inbox, options)),
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
      inbox.break(new Error("it is closed"));
      // of a channel that is gone there is nothing to cancel, but its connection stands
      if (!inOrder) await channel.cancel(consumerTag).catch(() => {});
      await close();
    },
  };
}

function deliveryOf(
  message: AmqpMessage,
  channel: AmqpChannel,
  inbox: Inbox<AmqpMessage>,
  { deadLetter, inOrder }: ReceivingOptions,
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
