import { checkGiven } from "../../base/given.ts";
import { sha256 } from "../../base/names.ts";
import type { OutgoingMessage, Publisher } from "../../contract/publisher.ts";
import { sentAtName } from "../letters.ts";
import { requestsOf } from "../outgoing.ts";
import { isFifo, withAttributes } from "./attributes.ts";
import type { SqsClient, SqsOutgoing } from "./shapes.ts";

export interface SqsPublisherOptions {
  /** An `SQS` of `@aws-sdk/client-sqs`, which the publisher does not close. */
  readonly client: SqsClient;
  readonly queueUrl: string;
  /** Of a FIFO queue: messages of one group come one after the other. Default: all of them. */
  readonly group?: ((message: OutgoingMessage) => string) | undefined;
}

const idName = "x-reprise-id";
/** A request holds so many messages, and so many bytes with their attributes. */
const most = { messages: 10, bytes: 240_000 };

/**
 * Sends to a queue of Amazon SQS. A message carries `x-reprise-id` and `x-reprise-sent-at`. In a FIFO queue its id is the
 * deduplication's too: sent again within five minutes it comes once; there each is sent on its own, for a batch of which
 * one is refused would come out of order.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const publisher = sqsPublisher({ client: new SQS({ region }), queueUrl });
 */
export function sqsPublisher(options: SqsPublisherOptions): Publisher {
  checkGiven("sqsPublisher", options, { "client.sendMessage": "function", queueUrl: "string" }, { group: "function" });
  const { client, queueUrl, group = () => "reprise" } = options;
  const outgoing = (message: OutgoingMessage): SqsOutgoing => ({
    MessageBody: message.body,
    MessageAttributes: withAttributes({}, { [idName]: message.id, [sentAtName]: String(message.sentAt) }),
    ...(isFifo(queueUrl) && { MessageGroupId: group(message), MessageDeduplicationId: deduplicationOf(message.id) }),
  });
  return {
    name: `sqs ${queueUrl.slice(queueUrl.lastIndexOf("/") + 1)}`,
    open: async () => ({
      send: async (messages) => {
        if (isFifo(queueUrl)) {
          for (const message of messages) await client.sendMessage({ QueueUrl: queueUrl, ...outgoing(message) });
          return;
        }
        for (const batch of requestsOf(messages, most)) {
          const Entries = batch.map((message, index) => ({ Id: String(index), ...outgoing(message) }));
          const { Failed = [] } = await client.sendMessageBatch({ QueueUrl: queueUrl, Entries });
          if (Failed[0] !== undefined) throw new Error(`SQS refused ${Failed.length} messages: ${Failed[0].Code}`);
        }
      },
      close: async () => {},
    }),
  };
}

/** Of 128 characters of ASCII at most. */
function deduplicationOf(id: string): string {
  return /^[\x21-\x7e]{1,128}$/.test(id) ? id : sha256(id);
}
