import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { afterAll, describe, expect, test as plain } from "vitest";
import { bullmq, bullmqPublisher } from "../../src/sources/bullmq/index.ts";
import { acknowledge, bodies, isQuiet, pull } from "../../src/testing/source-kit.ts";
import { type BullmqStage, bullmqClients, bullmqStage } from "../support/bullmq.ts";
import { noRedisHere, startRedis } from "../support/redis.ts";
import { sourceCases } from "../support/source-cases.ts";

const missing = noRedisHere();
const server = missing === undefined ? await startRedis() : undefined;
const port = server?.port ?? 0;
afterAll(() => server?.stop());

const cut = { not: "BullMQ connects again by itself, and a job's lock outlives its connection" };
const refusal = { not: "a job that is set aside stays where it is" };
for (const [name, connect] of Object.entries(bullmqClients)) {
  const adapter = { name: `bullmq through ${name}`, can: { cut, refusal, deadLetters: true as const } };
  sourceCases({ ...adapter, open: () => bullmqStage(port, connect) }, missing, "concurrent");
}

const connect = async () => new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: null });

const test = (name: string, run: (stage: BullmqStage) => Promise<void>) =>
  plain(name, async (context) => {
    if (missing !== undefined) context.skip(missing);
    const stage = await bullmqStage(port, connect);
    await run(stage).finally(stage.close);
  });

describe("a source of BullMQ", () => {
  test("hands out all of a job's data where nothing else is said", async ({ queue }) => {
    const source = bullmq({ Worker, Queue, connect, queue: queue.name });
    expect([source.name, await source.horizon()]).toEqual([`bullmq ${queue.name}`, null]);
    await queue.add("book", { seat: 1 });
    const receiver = await source.open(1);
    const deliveries = await pull(receiver, 1);
    expect(bodies(deliveries)).toEqual([{ seat: 1 }]);
    await acknowledge(deliveries);
    await receiver.close();
    expect(await queue.getJobCounts("completed", "active", "wait")).toEqual({ completed: 1, active: 0, wait: 0 });
  });

  test("fails no job that crashed with its worker often: whose fault it was is counted in the ledger", async (stage) => {
    await stage.send("1");
    for (let turn = 0; turn < 3; turn += 1) {
      const connection = await connect();
      const worker = new Worker(stage.queue.name, null, { connection, lockDuration: 50 });
      expect(await worker.getNextJob(`crashed-${turn}`, { block: true })).toBeDefined();
      await worker.close(true);
      connection.disconnect();
      const receiver = await stage.source.open(1);
      const [delivery] = await pull(receiver, 1);
      expect([delivery?.isRepeated, delivery?.read()]).toEqual([true, 1]);
      await receiver.close();
    }
    expect(await stage.queue.getFailedCount()).toBe(0);
  });

  test("does not settle, and does not fail, what is another's by now", async (stage) => {
    await stage.send("1");
    const slow = await stage.source.open(1);
    const [late] = await pull(slow, 1);
    const other = await stage.source.open(1);
    const [delivery] = await pull(other, 1);
    expect(await late?.renew?.()).toBe("lost");
    expect(await late?.settle({ is: "acknowledge" })).toBe("lost");
    expect(await late?.settle({ is: "dead-letter", reason: "failed", why: "Error" })).toBe("lost");
    expect(await delivery?.settle({ is: "acknowledge" })).toBe("settled");
    for (const receiver of [slow, other]) await receiver.close();
    expect(await stage.queue.getFailedCount()).toBe(0);
  });

  test("closes while Redis is away, and lets go of what would connect again", async () => {
    const away = await startRedis();
    let open = 0;
    const connectTo = async () => {
      const client = new Redis({ port: away.port, host: "127.0.0.1", maxRetriesPerRequest: null });
      client.on("error", () => {});
      open += 1;
      const { disconnect } = client;
      client.disconnect = (...args) => {
        open -= 1;
        disconnect.apply(client, args);
      };
      return client;
    };
    const receiver = await bullmq({ Worker, Queue, queue: "seats", connect: connectTo }).open(1);
    expect(await isQuiet(receiver)).toBe(true);
    await away.stop();
    await receiver.close();
    expect(open).toBe(0);
  });

  test("goes on after its connections were cut, with what it had and with what comes", async (stage) => {
    await stage.send("1");
    const receiver = await stage.source.open(2);
    const first = await pull(receiver, 1);
    await stage.cut();
    await stage.send("2");
    const second = await pull(receiver, 1);
    expect(bodies(second)).toEqual([2]);
    for (const delivery of [...first, ...second]) expect(await delivery.settle({ is: "acknowledge" })).toBe("settled");
    expect(await isQuiet(receiver)).toBe(true);
    await receiver.close();
  });

  test("keeps the id of a job to itself when its failure is looked at: it may say what it is about", async (stage) => {
    await stage.queue.add("book", { text: "1" }, { jobId: "card-4111" });
    const receiver = await stage.source.open(1);
    const [delivery] = await pull(receiver, 1);
    await delivery?.settle({ is: "dead-letter", reason: "failed", why: "Error" });
    await receiver.close();
    const letters = await stage.source.deadLetters?.();
    const [letter] = (await letters?.list(1)) ?? [];
    expect(letter?.id).not.toContain("4111");
    await letters?.close();
    // by its id alone, in another process
    const others = await stage.source.deadLetters?.();
    expect(letter && (await others?.discard(letter))).toBe("done");
    expect(await stage.queue.getJob("card-4111")).toBeUndefined();
    await others?.close();
  });
});

describe("a publisher of BullMQ", () => {
  test("adds jobs in order under the messages' ids, once, whatever those hold, with the instant of the commit", async ({
    queue,
  }) => {
    const ids = ["seat-1", "42", "shop:1", "ü ☂", "-7"];
    const messages = ids.map((id) => ({ id, body: JSON.stringify({ id }), sentAt: 1_700_000_000_123 }));
    const sender = await bullmqPublisher({ Queue, connect, queue: queue.name }).open();
    for (let turn = 0; turn < 2; turn += 1) await sender.send(messages);
    await sender.close();
    const receiver = await bullmq({ Worker, Queue, connect, queue: queue.name }).open(10);
    const deliveries = await pull(receiver, ids.length, 10);
    expect(bodies(deliveries)).toEqual(ids.map((id) => ({ id })));
    expect(new Set(deliveries.map(({ sentAt }) => sentAt))).toEqual(new Set([1_700_000_000_123]));
    expect(await isQuiet(receiver)).toBe(true);
    await acknowledge(deliveries);
    expect(await queue.getJob("seat-1")).toBeDefined();
    await receiver.close();
  });

  test("sends anew what was removed, and drops other data under an id that is there still", async ({ queue }) => {
    const sent = (body: unknown) => ({ id: "seat-1", body: JSON.stringify(body), sentAt: 1_700_000_000_123 });
    const options = { removeOnComplete: true };
    const sender = await bullmqPublisher({ Queue, connect, queue: queue.name, job: "book", options }).open();
    const receiver = await bullmq({ Worker, Queue, connect, queue: queue.name }).open(10);
    for (const body of [1, 2]) await sender.send([sent(body)]);
    const first = await pull(receiver, 1, 10);
    expect(bodies(first)).toEqual([1]);
    await acknowledge(first);
    await sender.send([sent(3)]);
    const second = await pull(receiver, 1, 10);
    expect(bodies(second)).toEqual([3]);
    await acknowledge(second);
    await receiver.close();
    await sender.close();
  });
});
