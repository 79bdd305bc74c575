/** As much of a `Kafka` of `kafkajs` as the source uses. */
export interface KafkaClient {
  consumer(config: {
    groupId: string;
    maxWaitTimeInMs?: number;
    sessionTimeout?: number;
    heartbeatInterval?: number;
    retry?: { restartOnFailure?: (error: Error) => Promise<boolean> };
  }): KafkaConsumer;
  producer(config: { maxInFlightRequests?: number }): KafkaProducer;
  admin(): KafkaAdmin;
}

export interface KafkaConsumer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(subscription: { topics: string[]; fromBeginning: boolean }): Promise<void>;
  run(config: { autoCommit: boolean; eachBatch: (payload: KafkaBatchPayload) => Promise<void> }): Promise<void>;
  commitOffsets(offsets: KafkaOffset[]): Promise<void>;
  on(event: "consumer.group_join", listener: () => void): unknown;
  on(event: "consumer.crash", listener: (event: { readonly payload: { readonly error: Error } }) => void): unknown;
}

export interface KafkaOffset {
  topic: string;
  partition: number;
  /** Of the next message. */
  offset: string;
  metadata?: string | null;
}

export interface KafkaBatchPayload {
  readonly batch: {
    readonly partition: number;
    readonly highWatermark: string;
    readonly messages: readonly KafkaMessage[];
    lastOffset(): string;
  };
  heartbeat(): Promise<void>;
}

export interface KafkaMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In milliseconds since the epoch. */
  readonly timestamp: string;
  readonly offset: string;
  readonly headers?: KafkaHeaders | undefined;
}

export type KafkaHeaders = Record<string, Buffer | string | (Buffer | string)[] | undefined>;

export interface KafkaProducer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(record: { topic: string; acks: number; messages: KafkaOutgoing[] }): Promise<unknown>;
}

export interface KafkaOutgoing {
  key: Buffer | string | null;
  value: Buffer | string | null;
  headers: Record<string, Buffer | string | (Buffer | string)[]>;
  timestamp?: string;
}

export interface KafkaAdmin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  fetchOffsets(asked: { groupId: string; topics: string[] }): Promise<
    {
      readonly topic: string;
      readonly partitions: readonly {
        readonly partition: number;
        /** `"-1"`: none is committed. */
        readonly offset: string;
        readonly metadata: string | null;
      }[];
    }[]
  >;
  fetchTopicOffsets(
    topic: string,
  ): Promise<{ readonly partition: number; readonly high: string; readonly low: string }[]>;
  describeConfigs(asked: {
    includeSynonyms: boolean;
    resources: { type: number; name: string; configNames: string[] }[];
  }): Promise<{
    readonly resources: readonly {
      readonly configEntries: readonly { readonly configName: string; readonly configValue: string }[];
    }[];
  }>;
  deleteGroups(groups: string[]): Promise<unknown>;
}
