import { checkGiven } from "../../base/given.ts";
import type { Publisher } from "../../contract/publisher.ts";
import { sentAtName } from "../letters.ts";
import { add } from "./scripts.ts";
import { disconnect, type StreamClient, send } from "./shapes.ts";

export interface RedisStreamsPublisherOptions {
  /** Connects anew, with `ioredis` or `redis`. */
  readonly connect: () => Promise<StreamClient>;
  readonly stream: string;
  /** The field of an entry that holds the message. Default `"body"`. */
  readonly field?: string | undefined;
}

/**
 * Adds to a stream of Redis, a batch in one step. The business id is the field `id`; `x-reprise-sent-at` says when it was
 * committed, as the source of this module reads it. What Redis has acknowledged is as durable as its persistence.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const to = redisStreamsPublisher({ connect: async () => new Redis(url), stream: "seats.released" });
 */
export function redisStreamsPublisher(options: RedisStreamsPublisherOptions): Publisher {
  checkGiven("redisStreamsPublisher", options, { connect: "function", stream: "string" }, { field: "string" });
  const { connect, stream, field = "body" } = options;
  return {
    name: `redis-streams ${stream}`,
    open: async () => {
      const client = await connect();
      return {
        send: async (messages) => {
          const entries = messages.flatMap(({ id, body, sentAt }) => [id, body, String(sentAt)]);
          await send(client, ["EVAL", add, "1", stream, field, sentAtName, ...entries]);
        },
        close: async () => disconnect(client),
      };
    },
  };
}
