import { type Duration, milliseconds } from "../../base/duration.ts";
import { checkGiven } from "../../base/given.ts";
import type { Source } from "../../contract/source.ts";
import { over } from "../over.ts";
import { disconnect, type StreamClient } from "../redis-streams/shapes.ts";
import { BullmqDeadLetters } from "./dead-letters.ts";
import { BullmqReceiver } from "./receiver.ts";
import type { BullmqClasses } from "./shapes.ts";

export type { IoredisClient, NodeRedisClient, StreamClient } from "../redis-streams/shapes.ts";
export { type BullmqPublisherOptions, bullmqPublisher } from "./publisher.ts";
export type {
  BullmqClasses,
  BullmqJob,
  BullmqQueue,
  BullmqQueueOptions,
  BullmqWorker,
  BullmqWorkerOptions,
} from "./shapes.ts";

export interface BullmqOptions extends BullmqClasses {
  /** Connects anew, with `ioredis` (`maxRetriesPerRequest: null`, as BullMQ wants it) or `redis`. What it gives is closed. */
  readonly connect: () => Promise<StreamClient>;
  readonly queue: string;
  /** Of BullMQ's keys. Default `"bull"`. */
  readonly prefix?: string | undefined;
  /** For so long a job is kept from others unless it is renewed. Default 30 s. */
  readonly lock?: Duration | undefined;
  /** What of a job's data is the message; it throws where there is none. Default: all of it. */
  readonly read?: ((data: unknown) => unknown) | undefined;
}

/**
 * A queue of BullMQ. Nothing ends its redelivery, so its consumer says `deliveredWithin`. It delays by itself; what a
 * job's options say of attempts and pauses is not followed, for attempts are counted in the ledger. Jobs whose lock has
 * ended are looked for at half its length, as a worker of BullMQ does, and handed out again however often that was. What is
 * done is a completed job, kept or removed as its sender asked; what is set aside is a failed one, kept in any case, whose
 * reason reads `[mismatch] its identity came with other input before`.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 * @example
 * const connect = async () => new Redis(url, { maxRetriesPerRequest: null });
 * const source = bullmq({ Worker, Queue, connect, queue: "seats" });
 */
export function bullmq(options: BullmqOptions): Source {
  const needs = { Worker: "function", Queue: "function", connect: "function", queue: "string" } as const;
  checkGiven("bullmq", options, needs, { prefix: "string", read: "function" });
  const { Worker, Queue, connect, queue, prefix = "bull", lock = "30s", read = (data) => data } = options;
  const name = `bullmq ${queue}`;
  const lockMs = milliseconds(lock, `${name}, lock`);
  const connected = over(connect, disconnect);
  return {
    name,
    delays: true,
    horizon: async () => null,
    open: (most) =>
      connected.make(async (connection) => {
        const worker = new Worker(queue, null, {
          ...{
            connection: connection as never,
            prefix,
            autorun: false,
            lockDuration: lockMs,
            stalledInterval: Math.ceil(lockMs / 2),
          },
          // BullMQ fails what crashed twice with its worker, whichever of its jobs it was
          maxStalledCount: Number.MAX_SAFE_INTEGER,
        });
        const receiver = new BullmqReceiver(worker, connection, { most, lockMs, read });
        await worker.startStalledCheckTimer();
        return receiver;
      }),
    standing: () =>
      connected.once(async (connection) => {
        const counted = new Queue(queue, { connection: connection as never, prefix });
        counted.on("error", () => {});
        const { failed = 0, ...waiting } = await counted.getJobCounts("wait", "prioritized", "delayed", "failed");
        await counted.close();
        return { waiting: Object.values(waiting).reduce((sum, count) => sum + count, 0), setAside: failed };
      }),
    deadLetters: () =>
      connected.make(
        (connection) =>
          new BullmqDeadLetters(new Queue(queue, { connection: connection as never, prefix }), connection, read),
      ),
  };
}
