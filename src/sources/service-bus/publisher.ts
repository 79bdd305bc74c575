import { checkGiven } from "../../base/given.ts";
import type { OutgoingMessage, Publisher, Sender } from "../../contract/publisher.ts";
import { sentAtName } from "../letters.ts";
import { over } from "../over.ts";
import { within } from "./line.ts";
import type { SentMessage, ServiceBusBatch, ServiceBusConnection, ServiceBusSender } from "./shapes.ts";

export interface ServiceBusPublisherOptions {
  /** Connects anew, with `@azure/service-bus`: the publisher closes what it was given. */
  readonly connect: () => ServiceBusConnection | Promise<ServiceBusConnection>;
  /** A queue or a topic that exists. */
  readonly queue: string;
  /** Of a queue with sessions: which one a message belongs to. */
  readonly session?: ((message: OutgoingMessage) => string) | undefined;
}

/**
 * Sends to a queue, or a topic, of Azure Service Bus. A message's id is its business id, so a queue that detects duplicates
 * drops what is sent again within its window; `x-reprise-sent-at` says when it was committed, and the source reads it.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const publisher = serviceBusPublisher({ connect: () => new ServiceBusClient(connection), queue: "seat.released" });
 */
export function serviceBusPublisher(options: ServiceBusPublisherOptions): Publisher {
  checkGiven("serviceBusPublisher", options, { connect: "function", queue: "string" }, { session: "function" });
  const { connect, queue, session } = options;
  return {
    name: `service-bus ${queue}`,
    open: () =>
      over(connect, (client) => within(client.close())).make(async (client) => {
        const sender = client.createSender(queue);
        // a queue that is missing is told of now
        await sender.createMessageBatch();
        return senderOver(client, sender, session);
      }),
  };
}

function senderOver(
  client: ServiceBusConnection,
  sender: ServiceBusSender,
  session: ServiceBusPublisherOptions["session"],
): Sender {
  return {
    send: async (messages) => {
      let batch: ServiceBusBatch | undefined;
      for (const message of messages) {
        const written = write(message, session?.(message));
        if (batch?.tryAddMessage(written) === true) continue;
        // one after the other: the order is the messages'
        if (batch !== undefined && batch.count > 0) await sender.sendMessages(batch);
        batch = await sender.createMessageBatch();
        // what no batch can hold the broker refuses, and says why
        if (!batch.tryAddMessage(written)) await sender.sendMessages(written);
      }
      if (batch !== undefined && batch.count > 0) await sender.sendMessages(batch);
    },
    close: () => within(client.close()),
  };
}

function write({ id, body, sentAt }: OutgoingMessage, sessionId: string | undefined): SentMessage {
  return {
    // as bytes: a text would be written as JSON once more
    body: Buffer.from(body),
    messageId: id,
    contentType: "application/json",
    applicationProperties: { [sentAtName]: String(sentAt) },
    ...(sessionId === undefined ? {} : { sessionId }),
  };
}
