import { sha256 } from "../../base/names.ts";
import type { DeadLetter, DeadLetters } from "../../contract/source.ts";
import { disconnect, type StreamClient, send } from "../redis-streams/shapes.ts";
import { readReason } from "./reasons.ts";
import type { BullmqJob, BullmqQueue } from "./shapes.ts";

/** Of BullMQ: the job is gone, or has not failed. */
const goneCodes = new Set<unknown>([-1, -3]);

/** The failed jobs of a queue. */
export class BullmqDeadLetters implements DeadLetters {
  readonly #queue: BullmqQueue;
  readonly #connection: StreamClient;
  readonly #read: (data: unknown) => unknown;
  /** The ids of jobs by what is told of them. */
  readonly #seen = new Map<string, string>();

  constructor(queue: BullmqQueue, connection: StreamClient, read: (data: unknown) => unknown) {
    this.#queue = queue;
    this.#connection = connection;
    this.#read = read;
    queue.on("error", () => {});
  }

  readonly list = async (most: number): Promise<readonly DeadLetter[]> => {
    if (most < 1) return [];
    const jobs = await this.#queue.getJobs(["failed"], 0, most - 1, true);
    return jobs.map((job) => this.#letterOf(job));
  };

  readonly redrive = async (letter: DeadLetter): Promise<"done" | "gone"> => {
    const job = await this.#jobOf(letter);
    if (job === undefined) return "gone";
    try {
      await job.retry("failed", { resetAttemptsMade: true });
      return "done";
    } catch (error) {
      if (goneCodes.has((error as { readonly code?: unknown }).code)) return "gone";
      throw error;
    }
  };

  readonly discard = async (letter: DeadLetter): Promise<"done" | "gone"> => {
    const job = await this.#jobOf(letter);
    if (job?.id === undefined) return "gone";
    // BullMQ removes a job in any state: one that somebody has sent again meanwhile would be lost
    const removed = await send(this.#connection, ["ZREM", this.#queue.toKey("failed"), job.id]);
    if (Number(removed) !== 1) return "gone";
    await job.remove();
    return "done";
  };

  readonly close = async (): Promise<void> => {
    await this.#queue.close();
    disconnect(this.#connection);
  };

  #letterOf(job: BullmqJob): DeadLetter {
    const id = letterIdOf(job.id ?? "");
    this.#seen.set(id, job.id ?? "");
    return {
      id,
      read: () => this.#read(job.data),
      sentAt: job.timestamp,
      setAsideAt: job.finishedOn ?? null,
      ...readReason(job.failedReason),
      bytes: Buffer.byteLength(JSON.stringify(job.data)),
    };
  }

  async #jobOf({ id }: DeadLetter): Promise<BullmqJob | undefined> {
    let jobId = this.#seen.get(id);
    if (jobId === undefined) {
      const failed = await this.#queue.getRanges(["failed"], 0, -1, true);
      jobId = failed.find((one) => letterIdOf(one) === id);
    }
    return jobId === undefined ? undefined : this.#queue.getJob(jobId);
  }
}

/** A job's id may be its sender's, and say what it is about. */
function letterIdOf(jobId: string): string {
  return sha256(jobId).slice(0, 32);
}
