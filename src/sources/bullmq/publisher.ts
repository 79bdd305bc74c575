import { checkGiven } from "../../base/given.ts";
import { sha256 } from "../../base/names.ts";
import type { Publisher } from "../../contract/publisher.ts";
import { disconnect, type StreamClient } from "../redis-streams/shapes.ts";
import type { BullmqClasses } from "./shapes.ts";

export interface BullmqPublisherOptions extends Pick<BullmqClasses, "Queue"> {
  /** As a source's. */
  readonly connect: () => Promise<StreamClient>;
  readonly queue: string;
  /** Of BullMQ's keys. Default `"bull"`. */
  readonly prefix?: string | undefined;
  /** The name of the jobs. Default: the queue's. */
  readonly job?: string | undefined;
  /** Of each job, as BullMQ takes them: `removeOnComplete` and the like. */
  readonly options?: object | undefined;
}

/**
 * Adds jobs to a queue of BullMQ, their data the message, their `timestamp` the instant of its commit, and their `jobId` its
 * id; a digest of it where BullMQ does not take it, which is where it is a number or has a colon. As long as a job of that
 * id is in Redis, completed and failed ones too, BullMQ drops what is added under it: what is sent again, and also other data.
 * Once it was removed what is sent again is another delivery.
 *
 * @throws REPRISE_BAD_DECLARATION
 * @example
 * const publisher = bullmqPublisher({ Queue, connect, queue: "seats", options: { removeOnComplete: { age: 86_400 } } });
 */
export function bullmqPublisher(options: BullmqPublisherOptions): Publisher {
  const needs = { Queue: "function", connect: "function", queue: "string" } as const;
  checkGiven("bullmqPublisher", options, needs, { prefix: "string", job: "string" });
  const { Queue, connect, queue: name, prefix = "bull", job = name, options: opts = {} } = options;
  return {
    name: `bullmq ${name}`,
    open: async () => {
      const connection = await connect();
      const queue = new Queue(name, { connection: connection as never, prefix });
      queue.on("error", () => {});
      return {
        send: async (messages) => {
          await queue.addBulk(
            messages.map(({ id, body, sentAt }) => ({
              ...{ name: job, data: JSON.parse(body) },
              opts: { ...opts, jobId: jobIdOf(id), timestamp: sentAt },
            })),
          );
        },
        close: async () => {
          await queue.close();
          disconnect(connection);
        },
      };
    },
  };
}

function jobIdOf(id: string): string {
  return id === "" || id.includes(":") || /^-?\d+$/.test(id) ? `id-${sha256(id)}` : id;
}
