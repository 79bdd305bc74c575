import { randomUUID } from "node:crypto";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { createClient } from "redis";
import type { Source } from "../../src/contract/source.ts";
import { bullmq, type StreamClient } from "../../src/sources/bullmq/index.ts";
import type { SetAside, SourceStage } from "../../src/testing/index.ts";
import { type Forwarder, startForwarder } from "./forwarder.ts";

const quiet = () => {};

export const bullmqClients: Readonly<Record<string, (port: number) => Promise<StreamClient>>> = {
  ioredis: async (port) => {
    const client = new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: null });
    client.on("error", quiet);
    return client;
  },
  "node-redis": async (port) => {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    client.on("error", quiet);
    await client.connect();
    return client as unknown as StreamClient;
  },
};

export interface BullmqStage extends SourceStage {
  readonly queue: Queue;
  readonly forwarder: Forwarder;
  /** The same queue, of which all of a job's data is the message. */
  readonly whole: Source;
}

/** A queue of its own on a server; its jobs hold their message as text, for BullMQ takes nothing but JSON. */
export async function bullmqStage(
  port: number,
  connect: (port: number) => Promise<StreamClient>,
): Promise<BullmqStage> {
  const name = `reprise-test-${randomUUID()}`;
  const forwarder = await startForwarder({ host: "127.0.0.1", port });
  const admin = new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: null });
  const queue = new Queue(name, { connection: admin });
  const textOf = (data: unknown) => (data as { readonly text: string }).text;
  return {
    ...{ queue, forwarder },
    whole: bullmq({ Worker, Queue, queue: name, connect: () => connect(forwarder.port) }),
    source: bullmq({
      ...{ Worker, Queue, queue: name, lock: "5s" },
      connect: () => connect(forwarder.port),
      read: (data) => JSON.parse(textOf(data)),
    }),
    send: async (text) => {
      // as many services have it: what is done is removed, and what fails is tried again or removed
      await queue.add("book", { text }, { removeOnComplete: true, removeOnFail: true, attempts: 3 });
    },
    sendAside: async (text) => {
      const job = await queue.add("book", { text }, { lifo: true });
      const worker = new Worker(name, null, { connection: admin, autorun: false });
      const taken = await worker.getNextJob("another", { block: false });
      if (taken?.id !== job.id) throw new Error("another job was waiting");
      await taken?.moveToFailed(new Error("it timed out"), "another", false);
      await worker.close();
    },
    setAside: async () => {
      const failed = await queue.getFailed();
      return failed.reverse().map(({ data, failedReason }): SetAside => {
        return { body: textOf(data), reason: /^\[(.*?)\]/.exec(failedReason)?.[1] as SetAside["reason"] };
      });
    },
    cut: async () => forwarder.cut(),
    close: async () => {
      await forwarder.close();
      await queue.close();
      admin.disconnect();
    },
  };
}
