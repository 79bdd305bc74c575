import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { checkApart } from "../letters.ts";
import { KafkaDeadLetters } from "./dead-letters.ts";
import { KafkaReceiver } from "./receiver.ts";
import type { KafkaAdmin, KafkaClient } from "./shapes.ts";

export { type KafkaPublisherOptions, kafkaPublisher } from "./publisher.ts";
export type {
  KafkaAdmin,
  KafkaBatchPayload,
  KafkaClient,
  KafkaConsumer,
  KafkaHeaders,
  KafkaMessage,
  KafkaOffset,
  KafkaOutgoing,
  KafkaProducer,
} from "./shapes.ts";

export interface KafkaOptions {
  /** A `Kafka` of `kafkajs`. Each receiver has a consumer and an admin of its own, and a producer once it sets aside. */
  readonly kafka: KafkaClient;
  readonly topic: string;
  /** The consumer group. Of what it has not committed yet it begins with the oldest. */
  readonly group: string;
  /** A topic that exists, for what is set aside. A copy is stored there before the message counts as done. */
  readonly deadLetter: string;
  /** More of the consumer's settings, as `kafkajs` takes them: `sessionTimeout`, which is how long a crash is felt, and others. */
  readonly consumer?: { readonly sessionTimeout?: number; readonly heartbeatInterval?: number } | undefined;
}

/** Of `describeConfigs`. */
const topicType = 2;
/** A broker looks so seldom for what is past its retention. */
const checkMs = 300_000;

/**
 * A topic of Kafka, as one consumer group takes it. Kafka knows no single message: it keeps an offset for each partition,
 * and all behind the first message that is not done is delivered again after a crash, what was done already too: that is
 * answered from the ledger. It delays nothing. Its horizon is the topic's `retention.ms` and `segment.ms`, for it deletes whole segments; of a
 * compacted topic nothing ends it. A rebalance takes back all that is under way; whoever receives then gets it again.
 * With each commit stands up to where messages may have been handed out: what is behind that comes for the first time.
 *
 * @throws REPRISE_BAD_DECLARATION, also where `deadLetter` is `topic`
 * @example
 * const source = kafka({ kafka: new Kafka({ brokers }), topic: "seats", group: "book", deadLetter: "seats.dead" });
 */
export function kafka(options: KafkaOptions): Source {
  checkGiven("kafka", options, { "kafka.admin": "function", topic: "string", group: "string", deadLetter: "string" });
  const { kafka: client, topic, group } = options;
  const name = `kafka ${topic} ${group}`;
  checkApart(name, topic, options.deadLetter);
  return {
    name,
    delays: false,
    horizon: () => horizonOf(client, topic),
    open: (most) => KafkaReceiver.open({ ...options, most }),
    // what is no more is in the topic still
    standing: async () => ({ waiting: await lagOf(client, topic, group), setAside: null }),
    deadLetters: () => KafkaDeadLetters.open(options),
  };
}

async function horizonOf(client: KafkaClient, topic: string): Promise<number | null> {
  return withAdmin(client, async (admin) => {
    const configNames = ["retention.ms", "segment.ms", "cleanup.policy"];
    const resources = [{ type: topicType, name: topic, configNames }];
    const { resources: described } = await admin.describeConfigs({ includeSynonyms: false, resources });
    const entries = new Map(
      described[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    const [retentionMs, segmentMs] = [Number(entries.get("retention.ms")), Number(entries.get("segment.ms"))];
    if (!(retentionMs >= 0 && segmentMs >= 0)) return null;
    return entries.get("cleanup.policy") === "delete" ? retentionMs + segmentMs + checkMs : null;
  });
}

/** What is not committed, what is under way included. */
async function lagOf(client: KafkaClient, topic: string, groupId: string): Promise<number> {
  return withAdmin(client, async (admin) => {
    const [of] = await admin.fetchOffsets({ groupId, topics: [topic] });
    const committed = new Map(of?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    const all = await admin.fetchTopicOffsets(topic);
    return all.reduce((sum, { partition, high, low }) => {
      return sum + Number(high) - Math.max(committed.get(partition) ?? 0, Number(low));
    }, 0);
  });
}

async function withAdmin<T>(client: KafkaClient, use: (admin: KafkaAdmin) => Promise<T>): Promise<T> {
  const admin = client.admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}
