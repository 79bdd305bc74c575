import { checkGiven } from "../../base/given.ts";
import type { Publisher } from "../../contract/publisher.ts";
import { sentAtName } from "../letters.ts";
import type { JetStream, NatsConnection, NatsHeaders } from "./shapes.ts";

export interface NatsPublisherOptions<Connection extends NatsConnection> {
  /** Connects anew, with `@nats-io/transport-node`. One that does not reconnect by itself is noticed sooner. */
  readonly connect: () => Promise<Connection>;
  /** Of `@nats-io/jetstream`. */
  readonly jetstream: (connection: Connection) => Pick<JetStream, "publish">;
  /** Of `@nats-io/transport-node`. */
  readonly headers: () => NatsHeaders;
  /** Of a stream that exists. */
  readonly subject: string;
}

/**
 * Sends to a subject of a stream of NATS JetStream, which acknowledges each message when it is stored. The business id is the
 * message's (`Nats-Msg-Id`), so that what is sent again within the stream's `duplicate_window` is stored once;
 * `x-reprise-sent-at` says when it was committed, as the source of this module reads it.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const to = natsPublisher({ connect: () => connect({ servers }), jetstream, headers, subject: "seats.released" });
 */
export function natsPublisher<Connection extends NatsConnection>(options: NatsPublisherOptions<Connection>): Publisher {
  const needs = { connect: "function", jetstream: "function", headers: "function", subject: "string" } as const;
  checkGiven("natsPublisher", options, needs);
  const { connect, jetstream, headers: create, subject } = options;
  return {
    name: `nats ${subject}`,
    open: async () => {
      const connection = await connect();
      let isClosed = false;
      const gone = () => {
        isClosed = true;
      };
      connection.closed().then(gone, gone);
      const client = jetstream(connection);
      const encoder = new TextEncoder();
      return {
        send: async (messages) => {
          // each is on its way before the next one: a connection keeps their order
          const stored = messages.map(({ id, body, sentAt }) => {
            const headers = create();
            headers.append(sentAtName, String(sentAt));
            return client.publish(subject, encoder.encode(body), { msgID: id, headers });
          });
          await Promise.all(stored);
        },
        close: async () => {
          if (!isClosed) await connection.close();
        },
      };
    },
  };
}
