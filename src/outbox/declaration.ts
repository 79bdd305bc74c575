import type { Config, RefusedCall } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { Schema } from "../base/schema.ts";
import type { Size } from "../base/size.ts";
import type { Publisher } from "../contract/publisher.ts";
import type { Source } from "../contract/source.ts";
import type { OutboxCounts } from "./counters.ts";

/** What an outbox declares. */
export interface OutboxDeclaration<In, Out> {
  /** The same in all instances of the service, for as long as messages wait. */
  readonly name: string;
  /** A schema, or `unchecked<T>()`. What it returns is sent, as JSON. */
  readonly message: Schema<In, Out>;
  /**
   * What stays the same whenever this is published again, and tells it from everything else: it becomes the message's own
   * id. 1 to 128 bytes, none of them a control character.
   */
  readonly id: (message: Out) => string;
  /** Where messages go. Left out: they stay here, and `source()` hands them to consumers. */
  readonly to?: Publisher | undefined;
  /** Of one message's JSON. Default 192kb. */
  readonly limit?: Size | undefined;
  /** After so long another instance goes on with the messages of one that crashed. Default 10s. */
  readonly lease?: Duration | undefined;
}

/** Messages that are committed with the work that they tell of. */
export interface Outbox<in Tx, in In> {
  readonly name: string;
  /**
   * Publishes if, and only if, the caller's transaction commits: the `tx` of a run with database effects, that of
   * `transaction` in one with external effects, or any other open one of the ledger's. Messages are sent in the order in
   * which their transactions committed, at least once each, under their id. For that, transactions that publish through one
   * outbox commit one after the other: from this call on the others wait, so publish last, and through several outboxes in
   * one order everywhere. Await it before the transaction's next statement. The same id published by two transactions is two messages, which whoever receives them absorbs.
   *
   * Rejects before anything is written where the message is refused.
   *
   * @throws REPRISE_MESSAGE_INVALID; REPRISE_RETRY_TRANSACTION when the caller's whole transaction must be repeated;
   * REPRISE_LEDGER_AWAY, REPRISE_LEDGER_BUSY
   */
  readonly publishIn: (tx: Tx, message: In) => Promise<void>;
  /** What waits, as the ledger has it. */
  readonly standing: () => Promise<OutboxStanding>;
  /** What this process has counted since it started. */
  readonly counts: () => OutboxCounts;
}

/** An outbox whose messages stay in the ledger until a consumer is done with them: a queue without a broker. */
export interface OutboxQueue<in Tx, in In> extends Outbox<Tx, In> {
  /**
   * Where `reprise.consume` takes them from. One process at a time receives, also while its consumer is paused; another goes
   * on when it ends, or `lease` after it crashed. Nothing ends a redelivery, so its consumer says `deliveredWithin`.
   */
  readonly source: () => Source;
}

export interface OutboxStanding {
  /** Committed and not sent yet, or not done with; of a queue at most so many, where some are done with before older ones. */
  readonly waiting: number;
  /** When the oldest of them was committed, by the store's clock. `null`: none waits. */
  readonly oldestAt: Date | null;
}

/**
 * Messages that tell of work, committed in its transaction: none is lost and none tells of what was rolled back.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE, REPRISE_NAME_TWICE
 * @example
 * const released = reprise.outbox({
 *   name: "seat.released",
 *   message: unchecked<{ release: string; seat: number }>(),
 *   id: ({ release }) => release,
 *   to: rabbitmqPublisher({ connect: () => amqplib.connect(url), queue: "seat.released" }),
 * });
 * // in a run with database effects: await released.publishIn(tx, { release: input.id, seat: input.seat });
 */
export type OutboxVerb<C extends Config> = [C["tx"]] extends [never]
  ? RefusedCall<"this ledger has no transactions that a message could be committed in">
  : {
      <In, Out>(declaration: OutboxDeclaration<In, Out> & { readonly to: Publisher }): Outbox<C["tx"], In>;
      <In, Out>(declaration: OutboxDeclaration<In, Out> & { readonly to?: undefined }): OutboxQueue<C["tx"], In>;
    };

/** As the instance received it, its types erased. */
export type AnyOutboxDeclaration = OutboxDeclaration<unknown, never>;
