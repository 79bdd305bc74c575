import { type Duration, milliseconds } from "../../base/duration.ts";
import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { checkApart } from "../letters.ts";
import { over } from "../over.ts";
import { lookAtDeadLetters } from "./dead-letters.ts";
import { StreamReceiver } from "./receiver.ts";
import { disconnect, type StreamClient } from "./shapes.ts";
import { standingOf } from "./standing.ts";

export { type RedisStreamsPublisherOptions, redisStreamsPublisher } from "./publisher.ts";
export type { IoredisClient, NodeRedisClient, StreamClient } from "./shapes.ts";

export interface RedisStreamsOptions {
  /** Connects anew, with `ioredis` or `redis`: two connections for each receiver, of which one waits. */
  readonly connect: () => Promise<StreamClient>;
  readonly stream: string;
  /** A consumer group that exists. */
  readonly group: string;
  /** A stream for what is set aside. In a cluster its name has the stream's hash tag. */
  readonly deadLetter: string;
  /** The field of an entry that holds the message. Default `"body"`. */
  readonly field?: string | undefined;
  /** For so long a message is kept from others unless it is renewed. Default 30 s. */
  readonly lock?: Duration | undefined;
}

/**
 * A consumer group of a stream of Redis. What trims the stream loses messages that nobody has acknowledged: trim by what is
 * done, not by length. Entries carry the time of their writing; nothing ends their redelivery, so its consumer says
 * `deliveredWithin`. What is set aside is moved, in one step, with the fields `reason` and `why` and the entry's own, and so is
 * what is sent again.
 *
 * @throws REPRISE_BAD_DURATION; REPRISE_BAD_DECLARATION, also where `deadLetter` is `stream`
 * @example
 * const source = redisStreams({ connect: async () => new Redis(url), stream: "seats", group: "book", deadLetter: "seats.dead" });
 */
export function redisStreams(options: RedisStreamsOptions): Source {
  const needs = { connect: "function", stream: "string", group: "string", deadLetter: "string" } as const;
  checkGiven("redisStreams", options, needs, { field: "string" });
  const { connect, stream, group, deadLetter, field = "body", lock = "30s" } = options;
  const name = `redis-streams ${stream} ${group}`;
  checkApart(name, stream, deadLetter);
  const lockMs = milliseconds(lock, `${name}, lock`);
  const connected = over(connect, disconnect);
  return {
    name,
    delays: false,
    horizon: async () => null,
    standing: () => connected.once((client) => standingOf(client, { stream, group, deadLetter })),
    deadLetters: async () => lookAtDeadLetters(await connect(), { stream, deadLetter, field }),
    open: (most) =>
      connected.make(async (waiting) => {
        const client = await connect();
        return new StreamReceiver(client, waiting, { stream, group, deadLetter, field, lockMs, most });
      }),
  };
}
