/** As much of `amqplib`'s channel API as the source uses. */
export interface AmqpConnection {
  readonly createConfirmChannel: () => Promise<AmqpChannel>;
  readonly close: () => Promise<unknown>;
  on(event: "close" | "error", listener: (error?: unknown) => void): unknown;
}

export interface AmqpChannel {
  readonly prefetch: (count: number) => Promise<unknown>;
  readonly checkQueue: (queue: string) => Promise<{ readonly messageCount: number }>;
  readonly consume: (
    queue: string,
    onMessage: (message: AmqpMessage | null) => void,
    options?: { readonly consumerTag: string },
  ) => Promise<{ readonly consumerTag: string }>;
  readonly cancel: (consumerTag: string) => Promise<unknown>;
  ack(message: AmqpMessage): void;
  nack(message: AmqpMessage, allUpTo: boolean, requeue: boolean): void;
  readonly publish: (exchange: string, routingKey: string, content: Buffer, options: object) => boolean;
  /** `confirmed` is called with an error where the broker has refused it. */
  readonly sendToQueue: (
    queue: string,
    content: Buffer,
    options: object,
    confirmed?: (error: unknown) => void,
  ) => boolean;
  readonly waitForConfirms: () => Promise<void>;
  readonly close: () => Promise<unknown>;
  /** `return`: what was sent as `mandatory` has no queue. */
  on(event: "close" | "error" | "return", listener: (error?: unknown) => void): unknown;
}

export interface AmqpMessage {
  readonly content: Buffer;
  readonly fields: { readonly redelivered: boolean };
  readonly properties: {
    readonly contentType?: unknown;
    readonly contentEncoding?: unknown;
    readonly messageId?: unknown;
    readonly correlationId?: unknown;
    readonly type?: unknown;
    /** In seconds, written by the publisher. */
    readonly timestamp?: unknown;
    readonly headers?: Readonly<Record<string, unknown>> | undefined;
  };
}
