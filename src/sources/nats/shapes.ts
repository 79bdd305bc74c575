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
}

export interface JetStreamConsumer {
  info(): Promise<{ readonly config: JetStreamConsumerConfig }>;
  fetch(options: { readonly max_messages: number; readonly expires: number }): Promise<JetStreamMessages>;
}

export interface JetStreamConsumerConfig {
  readonly ack_policy?: string | undefined;
  /** In nanoseconds. */
  readonly ack_wait?: number | undefined;
  /** In nanoseconds: the locks of the first delivery, the second, and so on, instead of `ack_wait`. */
  readonly backoff?: readonly number[] | undefined;
}

export interface JetStreamMessages extends AsyncIterable<JetStreamMessage> {
  stop(): void;
}

export interface JetStreamMessage {
  readonly data: Uint8Array;
  readonly headers?: NatsHeaders | undefined;
  readonly redelivered: boolean;
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
