/** As much of `@nats-io/transport-node` and `@nats-io/jetstream` as the source uses. */
export interface NatsConnection {
  /** Resolves when the server has all that was sent. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when it is closed, by whom ever. */
  closed(): Promise<unknown>;
}

export interface JetStream {
  readonly consumers: { get(stream: string, consumer: string): Promise<JetStreamConsumer> };
  readonly streams: {
    get(stream: string): Promise<{ info(): Promise<{ readonly config: { readonly max_age: number } }> }>;
  };
  publish(subject: string, payload: Uint8Array, options: object): Promise<unknown>;
  jetstreamManager(): Promise<JetStreamManager>;
}

export interface JetStreamManager {
  readonly streams: {
    /** The name of the stream that stores it. */
    find(subject: string): Promise<string>;
    info(
      stream: string,
      options?: { readonly subjects_filter: string },
    ): Promise<{
      readonly config: { readonly subjects?: readonly string[] | undefined };
      readonly state: { readonly subjects?: Readonly<Record<string, number>> | undefined };
    }>;
    /** With `next_by_subj` the first of this subject from there on. */
    getMessage(
      stream: string,
      query: { readonly seq: number; readonly next_by_subj?: string },
    ): Promise<StoredMessage | null>;
    deleteMessage(stream: string, seq: number): Promise<boolean>;
  };
}

export interface StoredMessage {
  readonly seq: number;
  readonly header: NatsHeaders;
  readonly data: Uint8Array;
  readonly time: Date;
}

export interface JetStreamConsumer {
  info(): Promise<{ readonly config: JetStreamConsumerConfig; readonly num_pending: number }>;
  fetch(options: { readonly max_messages: number; readonly expires: number }): Promise<JetStreamMessages>;
}

export interface JetStreamConsumerConfig {
  readonly ack_policy?: string | undefined;
  readonly filter_subject?: string | undefined;
  readonly filter_subjects?: readonly string[] | undefined;
  /** In nanoseconds. */
  readonly ack_wait?: number | undefined;
  /** In nanoseconds: the locks of the first delivery, the second, and so on, instead of `ack_wait`. */
  readonly backoff?: readonly number[] | undefined;
}

export type JetStreamMessages = AsyncIterable<JetStreamMessage>;

export interface JetStreamMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: NatsHeaders | undefined;
  readonly redelivered: boolean;
  /** Its place in its stream. */
  readonly seq: number;
  readonly timestampNanos: bigint;
  ack(): void;
  nak(afterMs?: number): void;
  working(): void;
  term(): void;
}

export interface NatsHeaders {
  keys(): string[];
  values(key: string): string[];
  append(key: string, value: string): void;
}
