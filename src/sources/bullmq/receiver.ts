import { randomUUID } from "node:crypto";
import { systemClock } from "../../base/clock.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Delivery, Receiver, Settlement } from "../../contract/source.ts";
import { LockedInbox } from "../locked-inbox.ts";
import { disconnect, type StreamClient } from "../redis-streams/shapes.ts";
import { reasonText } from "./reasons.ts";
import type { BullmqJob, BullmqWorker } from "./shapes.ts";

export interface BullmqReceiverOptions {
  readonly most: number;
  readonly lockMs: number;
  readonly read: (data: unknown) => unknown;
}

/** What was settled last is on its way for so long at most, when a receiver closes. */
const flushMs = 2_000;
/** Of BullMQ: the job is gone, its lock is, it is not at work, or its lock is another's. */
const lostCodes = new Set<unknown>([-1, -2, -3, -6]);

export class BullmqReceiver implements Receiver {
  readonly #worker: BullmqWorker;
  readonly #connection: StreamClient;
  readonly #options: BullmqReceiverOptions;
  /** Of the locks of its jobs: nobody else has it. */
  readonly #token = randomUUID();
  readonly #inbox: LockedInbox<BullmqJob>;
  readonly #settling = new Map<BullmqJob, Promise<unknown>>();
  #reading: Promise<void> | undefined;
  #isStopped = false;

  constructor(worker: BullmqWorker, connection: StreamClient, options: BullmqReceiverOptions) {
    this.#worker = worker;
    this.#connection = connection;
    this.#options = options;
    this.#inbox = new LockedInbox({
      ...options,
      ask: (count) => this.#read(count),
      renew: (job) => this.#renew(job),
    });
    // it connects again by itself; whoever does not listen is ended by the error of a socket
    worker.on("error", () => {});
  }

  readonly pull = async (most: number, signal: AbortSignal): Promise<readonly Delivery[]> =>
    (await this.#inbox.pullKept(most, signal)).map((job) => this.#deliveryOf(job));

  readonly stop = async (first: Promise<unknown>): Promise<void> => {
    this.#isStopped = true;
    await first;
    // each goes before those that were given back already
    await Promise.all([...this.#inbox.drain()].reverse().map((job) => this.#giveBack(job)));
  };

  readonly close = async (): Promise<void> => {
    if (this.#inbox.isBroken) return;
    this.#inbox.break(new Error("it is closed"));
    try {
      // a Redis that is away answers none of it, and what connects to it again and again keeps the process alive
      await withDeadline(systemClock, flushMs, this.#leave(), () => new Error("Redis does not answer")).catch(() => {});
    } finally {
      disconnect(this.#connection);
    }
  };

  async #leave(): Promise<void> {
    // ends also the wait for a job
    await this.#worker.close(true);
    await this.#reading;
    // each goes before those that were given back already
    const kept = this.#inbox.kept.filter((job) => !this.#settling.has(job)).reverse();
    // what is on its way would be lost with the connection
    await Promise.all([...this.#settling.values(), ...kept.map((job) => this.#giveBack(job))]);
  }

  /** What comes after whoever asked has left waits for the next one. */
  #read(count: number): void {
    if (this.#reading !== undefined) return;
    const reading = this.#receive(count).then(
      () => {
        this.#reading = undefined;
        this.#inbox.wake();
      },
      (error: unknown) => {
        this.#reading = undefined;
        this.#inbox.break(error instanceof Error ? error : new Error("BullMQ refused to be read from"));
      },
    );
    this.#reading = reading;
  }

  /** Waits for one, and takes as many more as are there. */
  async #receive(count: number): Promise<void> {
    for (let index = 0; index < count && !this.#inbox.isBroken; index += 1) {
      const job = await this.#worker.getNextJob(this.#token, { block: index === 0 });
      if (job === undefined) return;
      // what it waited for came too late
      if (this.#isStopped) return this.#giveBack(job);
      this.#inbox.add(job);
    }
  }

  async #giveBack(job: BullmqJob): Promise<void> {
    this.#inbox.release(job);
    // otherwise it comes to others when its lock ends
    await job.moveToWait(this.#token).catch(() => {});
  }

  async #renew(job: BullmqJob): Promise<"renewed" | "lost"> {
    if (Number(await job.extendLock(this.#token, this.#options.lockMs)) !== 1) return "lost";
    this.#inbox.keep(job);
    return "renewed";
  }

  #deliveryOf(job: BullmqJob): Delivery {
    const { read, lockMs } = this.#options;
    return {
      read: () => read(job.data),
      sentAt: job.timestamp,
      isRepeated: job.attemptsStarted > 1,
      lockMs,
      renew: () => this.#renew(job),
      settle: async (settlement) => {
        if (this.#inbox.isBroken) return "lost";
        const settling = this.#settle(job, settlement);
        this.#settling.set(
          job,
          settling.catch(() => {}),
        );
        try {
          await settling;
          return "settled";
        } catch (error) {
          if (lostCodes.has((error as { readonly code?: unknown }).code)) return "lost";
          throw error;
        } finally {
          this.#settling.delete(job);
          this.#inbox.release(job);
        }
      },
    };
  }

  async #settle(job: BullmqJob, settlement: Settlement): Promise<void> {
    switch (settlement.is) {
      case "acknowledge":
        await job.moveToCompleted(null, this.#token, false);
        return;
      case "return":
        if (settlement.afterMs === 0) await job.moveToWait(this.#token);
        else await job.moveToDelayed(Date.now() + settlement.afterMs, this.#token);
        return;
      case "dead-letter": {
        // whatever its sender asked for: it is kept for a person
        job.opts = { ...job.opts, removeOnFail: false };
        await job.moveToFailed(failureOf(reasonText(settlement.reason, settlement.why)), this.#token, false);
      }
    }
  }
}

/** One that BullMQ does not try again. */
function failureOf(text: string): Error {
  const failure = new Error(text);
  failure.name = "UnrecoverableError";
  // it is written down too, and tells nothing of the message
  failure.stack = text;
  return failure;
}
