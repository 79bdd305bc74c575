/** As much of `@azure/service-bus` as the source and the publisher use. */
export interface ServiceBusConnection {
  createReceiver(queue: string, options: ReceivingOptions): ServiceBusReceiver;
  createReceiver(topic: string, subscription: string, options: ReceivingOptions): ServiceBusReceiver;
  acceptNextSession(queue: string, options: ReceivingOptions): Promise<ServiceBusSession>;
  acceptNextSession(topic: string, subscription: string, options: ReceivingOptions): Promise<ServiceBusSession>;
  createSender(queueOrTopic: string): ServiceBusSender;
  close(): Promise<void>;
}

export interface ReceivingOptions {
  subQueueType?: "deadLetter";
  maxAutoLockRenewalDurationInMs: number;
  skipParsingBodyAsJson: boolean;
  abortSignal?: AbortSignal;
}

/** What settles the messages that came over it. */
export interface Settling {
  completeMessage(message: ServiceBusMessage): Promise<void>;
  abandonMessage(message: ServiceBusMessage): Promise<void>;
  deadLetterMessage(message: ServiceBusMessage, options: DeadLettering): Promise<void>;
}

/** What else is written becomes properties of the message. */
export interface DeadLettering {
  readonly deadLetterReason: string;
  readonly deadLetterErrorDescription: string;
  readonly [property: string]: string;
}

export interface Subscribing {
  subscribe(handlers: MessageHandlers, options: SubscribingOptions): { close(): Promise<void> };
}

export interface SubscribingOptions {
  autoCompleteMessages: boolean;
  maxConcurrentCalls: number;
}

export interface MessageHandlers {
  processMessage(message: ServiceBusMessage): Promise<void>;
  processError(args: { readonly error: Error }): Promise<void>;
  /** Before each attachment of a link. Undocumented: without it, one that is attached anew is not noticed. */
  preInitialize?(): Promise<void>;
}

export interface ServiceBusReceiver extends Settling, Subscribing {
  receiveMessages(most: number, options: { maxWaitTimeInMs: number }): Promise<readonly ServiceBusMessage[]>;
  peekMessages(most: number, options?: { fromSequenceNumber?: object }): Promise<readonly ServiceBusMessage[]>;
  renewMessageLock(message: ServiceBusMessage): Promise<Date>;
}

export interface ServiceBusSession extends Settling, Subscribing {
  readonly sessionLockedUntilUtc: Date;
  renewSessionLock(): Promise<Date>;
  getSessionState(): Promise<unknown>;
  setSessionState(state: unknown): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceBusSender {
  sendMessages(messages: SentMessage | ServiceBusBatch): Promise<void>;
  createMessageBatch(): Promise<ServiceBusBatch>;
}

export interface ServiceBusBatch {
  readonly count: number;
  /** Nobody here reads the two; without them the client takes it for none of its own. */
  readonly sizeInBytes: number;
  readonly maxSizeInBytes: number;
  tryAddMessage(message: SentMessage): boolean;
}

export type Properties = Record<string, string | number | boolean | Date | null>;

export interface SentMessage {
  body: unknown;
  messageId?: string;
  contentType?: string;
  correlationId?: string | number | Buffer;
  subject?: string;
  to?: string;
  replyTo?: string;
  replyToSessionId?: string;
  sessionId?: string;
  partitionKey?: string;
  applicationProperties?: Properties;
}

export interface ServiceBusMessage {
  readonly body: unknown;
  readonly messageId?: unknown;
  readonly contentType?: string;
  readonly correlationId?: string | number | Buffer;
  readonly subject?: string;
  readonly to?: string;
  readonly replyTo?: string;
  readonly replyToSessionId?: string;
  readonly sessionId?: string;
  readonly partitionKey?: string;
  readonly applicationProperties?: Properties;
  /** How often it came back. */
  readonly deliveryCount?: number;
  readonly enqueuedTimeUtc?: Date;
  readonly lockedUntilUtc?: Date;
  /** A `Long`. */
  readonly sequenceNumber?: { toString(): string };
  readonly deadLetterReason?: string;
  readonly deadLetterErrorDescription?: string;
}

/** As much of a `ServiceBusAdministrationClient` as tells how long messages live, and how many there are. */
export interface ServiceBusAdministration {
  getQueue(queue: string): Promise<Lifetime>;
  getTopic(topic: string): Promise<Lifetime>;
  getSubscription(topic: string, subscription: string): Promise<Lifetime>;
  getQueueRuntimeProperties(queue: string): Promise<RuntimeProperties>;
  getSubscriptionRuntimeProperties(topic: string, subscription: string): Promise<RuntimeProperties>;
}

export interface RuntimeProperties {
  /** Those that are locked too. */
  readonly activeMessageCount: number;
  readonly deadLetterMessageCount: number;
}

export interface Lifetime {
  /** Of ISO 8601: `"P14D"`. */
  readonly defaultMessageTimeToLive: string;
}
