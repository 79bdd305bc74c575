import amqplib from "amqplib";
import { describe, expect, test as plain } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { rabbitmq } from "../../src/sources/rabbitmq/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { bodies, pull } from "../../src/testing/source-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import { rabbitmqStage, rabbitmqUrl, rabbitmqVersion } from "../support/rabbitmq.ts";

const version = await rabbitmqVersion();

/** A queue whose connections are counted, and what deletes queues. */
async function stand() {
  const stage = await rabbitmqStage();
  const admin = await amqplib.connect(rabbitmqUrl);
  const channel = await admin.createChannel();
  const deadLetter = `${stage.queue}.dead`;
  let open = 0;
  const connect = async () => {
    const connection = await amqplib.connect(rabbitmqUrl);
    open += 1;
    connection.on("close", () => {
      open -= 1;
    });
    return connection;
  };
  return {
    ...stage,
    ...{ channel, deadLetter, connect },
    source: rabbitmq({ connect, queue: stage.queue, deadLetter }),
    openConnections: () => open,
    close: async () => {
      await admin.close();
      await stage.close();
    },
  };
}

const test = (name: string, run: (stage: Awaited<ReturnType<typeof stand>>) => Promise<void>) =>
  plain(name, async (context) => {
    if (version === undefined) context.skip(`${cannotRunHere}no RabbitMQ answers`);
    const stage = await stand();
    await run(stage).finally(stage.close);
  });

describe("a receiver of RabbitMQ", () => {
  test("whose queue is deleted rejects, and keeps no connection once it is closed", async (stage) => {
    const receiver = await stage.source.open(4);
    const waiting = expect(receiver.pull(1, AbortSignal.timeout(10_000))).rejects.toThrow(/queue is gone/);
    await stage.channel.deleteQueue(stage.queue);
    await waiting;
    await receiver.close();
    await expect.poll(stage.openConnections).toBe(0);
  });

  test("whose channel the broker closes rejects, and keeps no connection once it is closed", async (stage) => {
    await stage.send("1");
    const receiver = await stage.source.open(4);
    const [delivery] = await pull(receiver, 1);
    const waiting = expect(receiver.pull(1, AbortSignal.timeout(10_000))).rejects.toThrow(/unknown delivery tag/);
    await delivery?.settle({ is: "acknowledge" });
    await delivery?.settle({ is: "acknowledge" });
    await waiting;
    await receiver.close();
    await expect.poll(stage.openConnections).toBe(0);
  });

  test("shows its dead letters in the order in which they were set aside, however often they were looked at before", async (stage) => {
    for (let place = 0; place < 60; place += 1) {
      stage.channel.sendToQueue(stage.deadLetter, Buffer.from(String(place)));
    }
    await expect.poll(async () => (await stage.channel.checkQueue(stage.deadLetter)).messageCount).toBe(60);
    const looked: unknown[][] = [];
    for (const counts of [[60], [12, 48], [1_000], [60]]) {
      const open = await stage.source.deadLetters?.();
      for (const count of counts) looked.push((await open?.list(count))?.map(({ read }) => read()) ?? []);
      await open?.close();
    }
    const places = Array.from({ length: 60 }, (_, place) => place);
    expect(looked).toEqual([places, places.slice(0, 12), places.slice(0, 48), places, places]);
  });

  test("keeps a message that it cannot set aside, for the queue for those is gone", async (stage) => {
    await stage.send("no json");
    const receiver = await stage.source.open(4);
    const [delivery] = await pull(receiver, 1);
    await stage.channel.deleteQueue(stage.deadLetter);
    const why = "its body cannot be read";
    expect(await delivery?.settle({ is: "dead-letter", reason: "invalid", why })).toBe("lost");
    await expect(receiver.pull(1, AbortSignal.timeout(10_000))).rejects.toThrow(/set aside/);
    await receiver.close();
    await expect.poll(async () => (await stage.channel.checkQueue(stage.queue)).messageCount).toBe(1);
    // it receives nothing until there is one again
    const missing = `looking for queue '${stage.deadLetter}': Error 404`;
    await expect(stage.source.open(4)).rejects.toMatchObject({
      code: "REPRISE_SOURCE_AWAY",
      details: { doing: missing },
    });
  });

  test("keeps a message, and its connection, while the queue for what is set aside is full", async (stage) => {
    const full = `${stage.queue}.full`;
    const bounds = { "x-max-length": 1, "x-overflow": "reject-publish" };
    await stage.channel.assertQueue(full, { durable: true, arguments: bounds });
    const connect = () => amqplib.connect(rabbitmqUrl);
    const receiver = await rabbitmq({ connect, queue: stage.queue, deadLetter: full }).open(4);
    for (const body of ["1", "2", "3"]) await stage.send(body);
    const deliveries = await pull(receiver, 3);
    const aside = { is: "dead-letter", reason: "failed", why: "Error" } as const;
    expect(await deliveries[0]?.settle(aside)).toBe("settled");
    // one that is refused says nothing about the others
    const both = await Promise.all([deliveries[1]?.settle(aside), deliveries[2]?.settle({ is: "acknowledge" })]);
    expect(both).toEqual(["refused", "settled"]);
    await stage.channel.purgeQueue(full);
    expect(await deliveries[1]?.settle(aside)).toBe("settled");
    await receiver.close();
    expect((await stage.channel.deleteQueue(full)).messageCount).toBe(1);
    expect((await stage.channel.checkQueue(stage.queue)).messageCount).toBe(0);
  });
});

describe("a receiver of RabbitMQ that is to keep the order", () => {
  test("gives back what was returned, and what nobody had pulled, in its place", async (stage) => {
    for (let index = 0; index < 12; index += 1) await stage.send(String(index));
    const receiver = await stage.source.open(6, true);
    const [done, ...others] = await pull(receiver, 3);
    await done?.settle({ is: "acknowledge" });
    for (const delivery of others) expect(await delivery.settle({ is: "return", afterMs: 0 })).toBe("settled");
    await receiver.stop?.(Promise.resolve());
    await receiver.close();
    const again = await stage.source.open(12, true);
    expect(bodies(await pull(again, 11))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    await again.close();
  });
});

describe("a consumer of RabbitMQ", () => {
  test("that is paused leaves within moments what the broker had pushed to it, and ends what it was at", async (stage) => {
    let work = () => {};
    const working = new Promise<void>((resolve) => {
      work = resolve;
    });
    const runs: unknown[] = [];
    const instance = (name: string) => {
      const reprise = createReprise({ service: name, undecided: "listed", ledger: memoryLedger() });
      const operation = reprise.operation({
        name: "seat.book",
        input: unchecked<number>(),
        ...{ principal: "everyone", retention: "1d", effects: "external" },
        identity: (input) => [input],
        run: async ({ input }) => {
          runs.push([name, input]);
          if (input === 1) await working;
        },
      });
      const consumer = reprise.consume(operation, stage.source, { atOnce: 1, deliveredWithin: "1h" });
      return { reprise, consumer };
    };
    const [a, b] = [instance("a"), instance("b")];
    await a.reprise.start();
    await a.consumer.ready;
    for (const body of ["1", "2"]) await stage.send(body);
    await expect.poll(() => runs).toEqual([["a", 1]]);
    await b.reprise.start();
    await b.consumer.ready;
    await expect.poll(async () => (await stage.channel.checkQueue(stage.queue)).messageCount).toBe(0);
    a.consumer.pause();
    await expect
      .poll(() => runs, { timeout: 5_000 })
      .toEqual([
        ["a", 1],
        ["b", 2],
      ]);
    work();
    await expect.poll(() => a.consumer.counts().ran).toBe(1);
    a.consumer.resume();
    await b.reprise.close();
    await stage.send("3");
    await expect.poll(() => runs.length, { timeout: 5_000 }).toBe(3);
    await a.reprise.close();
    await expect.poll(stage.openConnections).toBe(0);
    expect((await stage.channel.checkQueue(stage.queue)).messageCount).toBe(0);
  });
});

describe("a look at what RabbitMQ has set aside", () => {
  test("keeps what its queue refuses, or has gone from under it, and no connection once it is closed", async (stage) => {
    const full = `${stage.queue}.full`;
    const refusing = { "x-max-length": 1, "x-overflow": "reject-publish" };
    await stage.channel.assertQueue(full, { durable: true, arguments: refusing });
    for (const body of ["1", "2"]) stage.channel.sendToQueue(full, Buffer.from(body));
    await stage.sendAside("3");
    const source = rabbitmq({ connect: stage.connect, queue: full, deadLetter: stage.deadLetter });
    for (const isGone of [false, true]) {
      const letters = await source.deadLetters?.();
      const [letter] = (await letters?.list(10)) ?? [];
      expect(letter?.read()).toBe(3);
      if (isGone) await stage.channel.deleteQueue(full);
      await expect(letter && letters?.redrive(letter)).rejects.toThrow();
      await letters?.close();
    }
    await expect.poll(async () => (await stage.channel.checkQueue(stage.deadLetter)).messageCount).toBe(1);
    await expect.poll(stage.openConnections).toBe(0);
  });
});

plain("nothing ends the redelivery of a queue's messages", async () => {
  const connect = () => Promise.reject(new Error("it connects to tell that"));
  expect(await rabbitmq({ connect, queue: "seats", deadLetter: "dead" }).horizon()).toBeNull();
});
