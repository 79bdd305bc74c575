import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { checkApart } from "../letters.ts";
import { over } from "../over.ts";
import { lockOf, nanosecondsInMs, takes } from "./consumer.ts";
import { lookAtDeadLetters } from "./dead-letters.ts";
import { JetStreamReceiver } from "./receiver.ts";
import type { JetStream, NatsConnection, NatsHeaders } from "./shapes.ts";
import { standingOf } from "./standing.ts";

export { type NatsPublisherOptions, natsPublisher } from "./publisher.ts";
export type {
  JetStream,
  JetStreamConsumer,
  JetStreamConsumerConfig,
  JetStreamManager,
  JetStreamMessage,
  JetStreamMessages,
  NatsConnection,
  NatsHeaders,
  StoredMessage,
} from "./shapes.ts";

export interface NatsOptions<Connection extends NatsConnection> {
  /** Connects anew, with `@nats-io/transport-node`. One that does not reconnect by itself is noticed sooner. */
  readonly connect: () => Promise<Connection>;
  /** Of `@nats-io/jetstream`. */
  readonly jetstream: (connection: Connection) => JetStream;
  /** Of `@nats-io/transport-node`. */
  readonly headers: () => NatsHeaders;
  readonly stream: string;
  /**
   * A durable one that exists, with `ack_policy` explicit and no `backoff`; its `ack_wait` is how long a message is kept from
   * others.
   */
  readonly consumer: string;
  /** A subject of a stream that exists, for what is set aside. A copy is stored there before the message is ended. */
  readonly deadLetter: string;
}

/**
 * A durable consumer of a stream of NATS JetStream. Its horizon is the stream's `max_age`. It delays by itself. A server keeps
 * what it has delivered `max_deliver` times in the stream and says so to nobody: leave it without a bound, for attempts are
 * counted in the ledger. What is set aside carries `x-reprise-reason` and `x-reprise-why`, and its id is its sequence number.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const source = nats({ connect: () => connect({ servers }), jetstream, headers, stream: "SEATS", consumer: "book", deadLetter: "dead.seats" });
 */
export function nats<Connection extends NatsConnection>(options: NatsOptions<Connection>): Source {
  checkGiven("nats", options, {
    ...{ connect: "function", jetstream: "function", headers: "function" },
    ...{ stream: "string", consumer: "string", deadLetter: "string" },
  });
  const { connect, jetstream, stream, consumer, deadLetter, headers } = options;
  const name = `nats ${stream} ${consumer}`;
  const connected = over(connect, (connection) => connection.close());
  return {
    name,
    delays: true,
    horizon: () =>
      connected.once(async (connection) => {
        const { config } = await (await jetstream(connection).streams.get(stream)).info();
        return config.max_age === 0 ? null : config.max_age / nanosecondsInMs;
      }),
    standing: () => connected.once((connection) => standingOf(jetstream(connection), { stream, consumer, deadLetter })),
    deadLetters: () =>
      connected.make((connection) =>
        lookAtDeadLetters(connection, jetstream(connection), { stream, deadLetter, headers, source: name }),
      ),
    open: (most, inOrder = false) =>
      connected.make(async (connection) => {
        const client = jetstream(connection);
        const durable = await client.consumers.get(stream, consumer);
        const { config } = await durable.info();
        const lockMs = lockOf(name, config);
        const { streams } = await client.jetstreamManager();
        // with none what is set aside could be stored nowhere: better now than with the first such message
        const stores = await streams.find(deadLetter);
        if (stores === stream && takes(config, deadLetter)) checkApart(name, deadLetter, deadLetter);
        return new JetStreamReceiver(connection, client, durable, { ...options, most, lockMs, inOrder });
      }),
  };
}
