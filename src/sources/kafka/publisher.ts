import { checkGiven } from "../../base/given.ts";
import type { OutgoingMessage, Publisher } from "../../contract/publisher.ts";
import { sentAtName } from "../letters.ts";
import { requestsOf } from "../outgoing.ts";
import { connectProducer } from "./receiver.ts";
import type { KafkaClient } from "./shapes.ts";

export interface KafkaPublisherOptions {
  /** A `Kafka` of `kafkajs`. */
  readonly kafka: KafkaClient;
  readonly topic: string;
  /** Messages of one key are in one partition, and in order. Default: its id. */
  readonly key?: ((message: OutgoingMessage) => string) | undefined;
}

const idName = "x-reprise-id";
/** A broker takes a megabyte for a partition, as it comes. */
const most = { messages: 1_000, bytes: 900_000 };

/**
 * Sends to a topic of Kafka; all replicas that are in step have a message before it counts as sent. It carries
 * `x-reprise-id` and `x-reprise-sent-at`. Order is kept within a partition. What is sent again is there twice: its consumer
 * knows it by its identity.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const publisher = kafkaPublisher({ kafka: new Kafka({ brokers }), topic: "seats" });
 */
export function kafkaPublisher(options: KafkaPublisherOptions): Publisher {
  checkGiven("kafkaPublisher", options, { "kafka.producer": "function", topic: "string" }, { key: "function" });
  const { kafka, topic, key = ({ id }) => id } = options;
  return {
    name: `kafka ${topic}`,
    open: async () => {
      const producer = await connectProducer(kafka);
      return {
        send: async (messages) => {
          // one after the other: the next may not overtake one that is repeated
          for (const request of requestsOf(messages, most)) {
            const outgoing = request.map((message) => ({
              ...{ key: key(message), value: message.body, timestamp: String(message.sentAt) },
              headers: { [idName]: message.id, [sentAtName]: String(message.sentAt) },
            }));
            await producer.send({ topic, acks: -1, messages: outgoing });
          }
        },
        close: () => producer.disconnect(),
      };
    },
  };
}
