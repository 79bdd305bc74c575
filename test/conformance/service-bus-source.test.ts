import { type ServiceBusAdministrationClient, ServiceBusClient, type ServiceBusReceiver } from "@azure/service-bus";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type ServiceBusAdministration, serviceBus, serviceBusPublisher } from "../../src/sources/service-bus/index.ts";
import { acknowledge, bodies, isQuiet, pause, pull } from "../../src/testing/source-kit.ts";
import type { BusQueueOptions } from "../support/service-bus/bus-queue.ts";
import { type ServiceBusStage, serviceBusStage } from "../support/service-bus/stage.ts";
import { takeWork } from "../support/service-bus/work.ts";
import { sourceCases } from "../support/source-cases.ts";

const refusal = {
  not: "a queue of Service Bus has its own for what is set aside, which takes what the queue has taken",
};
const can = { cut: true, refusal, deadLetters: true } as const;

// the client is the real one, the broker is not
sourceCases({ name: "service-bus, simulated", can, open: () => serviceBusStage() }, undefined, "concurrent");
sourceCases(
  { name: "service-bus with sessions, simulated", can, open: () => serviceBusStage({ sessions: true }) },
  undefined,
  "concurrent",
);

async function on(asked: BusQueueOptions, run: (stage: ServiceBusStage) => Promise<void>): Promise<void> {
  const stage = await serviceBusStage(asked);
  await run(stage).finally(stage.close);
}

/** `expect.poll` cannot tell tests that run at once apart. */
async function until(holds: () => boolean): Promise<void> {
  const late = performance.now() + 15_000;
  while (!holds()) {
    if (performance.now() > late) throw new Error(`it does not come to it: ${holds}`);
    await pause(20);
  }
}

/** A quick and a slow one, which share an id as two copies would that carry the business id. */
async function sendTwo({ client }: ServiceBusStage): Promise<void> {
  const sender = client.createSender("seats");
  const messages = ["slow", "quick"].map((reference) => ({ body: { reference }, messageId: "R-1" }));
  await sender.sendMessages(messages);
}

const slowMs = 4_000;
const byName = (reference: string) => pause(reference === "slow" ? slowMs : 10);

describe.concurrent("a source of Azure Service Bus, simulated", () => {
  test("renews the locks of two messages that share an id, though one of them is settled long before the other", () =>
    on({ lockMs: 1_500 }, async (stage) => {
      const { begun, ended, close, consumer } = await takeWork(stage.source, byName);
      await sendTwo(stage);
      await until(() => ended.length === 2);
      await close();
      expect(begun.toSorted()).toEqual(["quick", "slow"]);
      expect(stage.queue.counts).toMatchObject({ lockExpired: 0, delivered: 2 });
      expect(stage.queue.size).toBe(0);
      expect(consumer.counts()).toMatchObject({ ran: 2, lost: 0 });
    }));

  test("stands beside the client's own renewal, which forgets the slow one of two messages that share an id", () =>
    on({ lockMs: 1_500 }, async (stage) => {
      const receiver: ServiceBusReceiver = stage.client.createReceiver("seats");
      let runs = 0;
      const processMessage = async ({ body }: { readonly body: { readonly reference: string } }) => {
        runs += 1;
        await byName(body.reference);
      };
      receiver.subscribe({ processMessage, processError: async () => {} }, { maxConcurrentCalls: 8 });
      await sendTwo(stage);
      await until(() => stage.queue.counts.lockExpired > 0);
      await until(() => runs > 2);
    }));

  test("lets a run go on whose lock is lost; what is delivered again is answered from the ledger", () =>
    on({}, async (stage) => {
      let end = () => {};
      const ending = new Promise<void>((resolve) => {
        end = resolve;
      });
      const { begun, consumer, close } = await takeWork(stage.source, () => ending);
      await stage.send('{"reference":"R-1"}');
      await until(() => begun.length === 1);
      stage.queue.loseLocks();
      await until(() => consumer.counts().received === 2);
      // it has to hear of it: its next renewal is refused
      await pause(1_500);
      end();
      await until(() => consumer.counts().lost + consumer.counts().replayed === 2);
      expect(consumer.counts()).toMatchObject({ lost: 1, replayed: 1 });
      await close();
      expect(begun).toEqual(["R-1"]);
      expect(stage.queue.size).toBe(0);
      expect(stage.queue.deadLetters?.size).toBe(0);
    }));

  test("sets aside with the reason and the description that everybody sees who looks at the queue", () =>
    on({}, async (stage) => {
      const { close, consumer } = await takeWork(stage.source, async () => {});
      await stage.send("no json");
      await until(() => consumer.counts().setAside.invalid === 1);
      await close();
      const receiver = stage.client.createReceiver("seats", { subQueueType: "deadLetter" });
      const [message] = await receiver.peekMessages(1);
      expect(message).toMatchObject({
        deadLetterReason: "invalid",
        deadLetterErrorDescription: "its body cannot be read",
      });
      const letters = await stage.source.deadLetters?.();
      expect(await letters?.list(1)).toMatchObject([{ reason: "invalid", why: "its body cannot be read" }]);
      await letters?.close();
    }));

  test(
    "gives up a settlement that nobody answers, and ends the waiting",
    () =>
      on({ lockMs: 15_000 }, async (stage) => {
        await stage.send("1");
        const receiver = await stage.source.open(2);
        const [delivery] = await pull(receiver, 1);
        const waiting = expect(receiver.pull(1, AbortSignal.timeout(20_000))).rejects.toThrow(/does not answer/);
        stage.freeze();
        await expect(delivery?.settle({ is: "acknowledge" })).rejects.toThrow(/does not answer/);
        await waiting;
        await receiver.close();
      }),
    30_000,
  );

  test("does not open where its queue is missing", () =>
    on({}, async ({ options }) => {
      await expect(serviceBus({ ...options, queue: "seat" }).open(1)).rejects.toThrow(/could not be found/);
    }));

  test("sends again past the detection of duplicates, which would drop it for its id", () =>
    on({ dedupeMs: 60_000 }, async ({ client, source, queue }) => {
      await client.createSender("seats").sendMessages({ body: { seat: 1 }, messageId: "R-1" });
      const receiver = await source.open(1);
      const [first] = await pull(receiver, 1);
      await first?.settle({ is: "dead-letter", reason: "failed", why: "no answer" });
      const letters = await source.deadLetters?.();
      const [letter] = (await letters?.list(1)) ?? [];
      expect(letter && (await letters?.redrive(letter))).toBe("done");
      expect(queue.counts.dropped).toBe(0);
      const [again] = await pull(receiver, 1);
      expect(again?.read()).toEqual({ seat: 1 });
      await again?.settle({ is: "acknowledge" });
      await letters?.close();
      await receiver.close();
    }));

  test("finds a dead letter that another look has told of", () =>
    on({}, async ({ sendAside, source }) => {
      for (const body of ["1", "2"]) await sendAside(body);
      const first = await source.deadLetters?.();
      const last = (await first?.list(2))?.at(-1);
      await first?.close();
      const letters = await source.deadLetters?.();
      expect(last && (await letters?.discard(last))).toBe("done");
      expect(last && (await letters?.discard(last))).toBe("gone");
      expect(await letters?.list(2)).toHaveLength(1);
      await letters?.close();
    }));

  test("receives from a subscription of a topic, whose dead letters are sent to the topic again", () =>
    on({}, async ({ server, options: { connect } }) => {
      const [one, other] = [server.add("news/Subscriptions/one"), server.add("news/Subscriptions/other")];
      server.addTopic("news", [one, other]);
      const source = serviceBus({ connect, topic: "news", subscription: "one" });
      const sender = await serviceBusPublisher({ connect, queue: "news" }).open();
      await sender.send([{ id: "R-1", body: "1", sentAt: Date.now() }]);
      await sender.close();
      const receiver = await source.open(1);
      const [delivery] = await pull(receiver, 1);
      await delivery?.settle({ is: "dead-letter", reason: "failed", why: "no answer" });
      const letters = await source.deadLetters?.();
      const [letter] = (await letters?.list(1)) ?? [];
      expect(letter && (await letters?.redrive(letter))).toBe("done");
      await letters?.close();
      await acknowledge(await pull(receiver, 1));
      await receiver.close();
      expect([one.size, other.size]).toEqual([0, 2]);
    }));

  test("refuses a number of sessions that is none", () => {
    const connect = () => Promise.reject(new Error("it connects to tell that"));
    for (const sessions of [0, -1, 1.5, Number.NaN]) {
      expect(() => serviceBus({ connect, queue: "seats", sessions })).toThrow(/'sessions'/);
    }
  });

  test("tells as its horizon how long the queue keeps messages, if it may ask, or that nothing ends it", async () => {
    expectTypeOf<ServiceBusAdministrationClient>().toExtend<ServiceBusAdministration>();
    const connect = () => Promise.reject(new Error("it connects to tell that"));
    const lasting = (queue: string, subscription = queue) => ({
      getQueue: async () => ({ defaultMessageTimeToLive: queue }),
      getTopic: async () => ({ defaultMessageTimeToLive: queue }),
      getSubscription: async () => ({ defaultMessageTimeToLive: subscription }),
      ...counted,
    });
    const horizon = (queue: string) => serviceBus({ connect, queue: "q", administration: lasting(queue) }).horizon();
    expect(await serviceBus({ connect, queue: "q" }).horizon()).toBeNull();
    expect(await horizon("P10675199DT2H48M5.4775807S")).toBeNull();
    expect(await horizon("P14D")).toBe(14 * 86_400_000);
    expect(await horizon("PT1H30M0.5S")).toBe(5_400_500);
    const subscribed = { connect, topic: "t", subscription: "s" };
    expect(await serviceBus({ ...subscribed, administration: lasting("P14D", "P2D") }).horizon()).toBe(2 * 86_400_000);
  });

  test("tells how many wait and are set aside, if it may ask, in the documented answer's words; the service is untried", async () => {
    const connect = () => Promise.reject(new Error("it connects to tell that"));
    const lasting = async () => ({ defaultMessageTimeToLive: "P14D" });
    const administration = { getQueue: lasting, getTopic: lasting, getSubscription: lasting, ...counted };
    const subscribed = { connect, topic: "t", subscription: "s" };
    expect(await serviceBus({ connect, queue: "q", administration }).standing?.()).toEqual({ waiting: 7, setAside: 2 });
    expect(await serviceBus({ ...subscribed, administration }).standing?.()).toEqual({ waiting: 3, setAside: 1 });
    expect(serviceBus({ connect, queue: "q" })).not.toHaveProperty("standing");
  });
});

/** As the service documents its answers. */
const counted = {
  getQueueRuntimeProperties: async (name: string) => {
    const counts = { activeMessageCount: 7, deadLetterMessageCount: 2, scheduledMessageCount: 4 };
    return { name, ...counts, transferMessageCount: 0, transferDeadLetterMessageCount: 0 };
  },
  getSubscriptionRuntimeProperties: async (topicName: string, subscriptionName: string) => {
    const counts = { totalMessageCount: 4, activeMessageCount: 3, deadLetterMessageCount: 1 };
    return { topicName, subscriptionName, ...counts, transferMessageCount: 0, transferDeadLetterMessageCount: 0 };
  },
};

describe.concurrent("sessions of Azure Service Bus, simulated", () => {
  test("are run several at once, the messages of each in their order, those too that fail first", () =>
    on({ sessions: true, lockMs: 5_000 }, async (stage) => {
      const failed = new Set<string>();
      let [now, most] = [0, 0];
      const work = async (reference: string) => {
        now += 1;
        most = Math.max(most, now);
        await pause(5);
        now -= 1;
        if (!reference.endsWith("3") || failed.has(reference)) return;
        failed.add(reference);
        throw new Error("at first it fails");
      };
      const sender = stage.client.createSender("seats");
      for (let index = 0; index < 8; index += 1) {
        const of = (sessionId: string) => ({ body: { reference: `${sessionId}-${index}` }, sessionId });
        await sender.sendMessages(["a", "b", "c"].map(of));
      }
      const source = serviceBus({ ...stage.options, sessions: 3 });
      const { ended, close } = await takeWork(source, work, { atOnce: 8, retryIn: ["50ms"] });
      await until(() => ended.length === 24);
      await close();
      for (const session of ["a", "b", "c"]) {
        const own = ended.filter((reference) => reference.startsWith(session));
        expect(own).toEqual(Array.from({ length: 8 }, (_, index) => `${session}-${index}`));
      }
      expect(most).toBeGreaterThan(1);
      expect(stage.queue.size).toBe(0);
    }));

  test("are left when nothing comes for a moment, so that another's turn comes", () =>
    on({ sessions: true }, async (stage) => {
      const receiver = await stage.source.open(8);
      const sender = stage.client.createSender("seats");
      for (const sessionId of ["a", "b", "a"]) {
        await sender.sendMessages({ body: Buffer.from(`"${sessionId}"`), sessionId });
        const deliveries = await pull(receiver, 1);
        expect(bodies(deliveries)).toEqual([sessionId]);
        await acknowledge(deliveries);
      }
      await receiver.close();
    }));

  test("of one that nobody crashed with, the next messages are not said to have been delivered before", () =>
    on({ sessions: true }, async (stage) => {
      for (const body of ["1", "2"]) {
        await stage.send(body);
        const receiver = await stage.source.open(1);
        const deliveries = await pull(receiver, 1);
        expect(deliveries.map(({ isRepeated }) => isRepeated)).toEqual([false]);
        await acknowledge(deliveries);
        await receiver.close();
      }
    }));
});

describe.concurrent("a publisher to Azure Service Bus, simulated", () => {
  test("sends under the business id, dated by its commit, in the order given and in as many batches as it takes", () =>
    on({}, async ({ server, source, client }) => {
      const connect = () => new ServiceBusClient(server.connectionString());
      const sender = await serviceBusPublisher({ connect, queue: "seats" }).open();
      const text = "x".repeat(40_000);
      const messages = Array.from({ length: 60 }, (_, index) => ({
        id: `R-${index}`,
        body: JSON.stringify({ index, text }),
        sentAt: 1_700_000_000_000 + index,
      }));
      await sender.send(messages);
      await sender.close();
      const [first] = await client.createReceiver("seats").peekMessages(1);
      expect(first?.messageId).toBe("R-0");
      const receiver = await source.open(60);
      const deliveries = await pull(receiver, 60);
      expect(bodies(deliveries)).toEqual(messages.map(({ body }) => JSON.parse(body)));
      expect(deliveries.map(({ sentAt }) => sentAt)).toEqual(messages.map(({ sentAt }) => sentAt));
      await acknowledge(deliveries);
      await receiver.close();
    }));

  test("does not send twice what a queue that detects duplicates has taken, and says which session it is of", () =>
    on({ dedupeMs: 60_000, sessions: true }, async ({ server, source }) => {
      const connect = () => new ServiceBusClient(server.connectionString());
      const publisher = serviceBusPublisher({ connect, queue: "seats", session: ({ id }) => id.slice(0, 1) });
      const message = { id: "R-1", body: "1", sentAt: Date.now() };
      for (let turn = 0; turn < 2; turn += 1) {
        const sender = await publisher.open();
        await sender.send([message]);
        await sender.close();
      }
      const receiver = await source.open(2);
      const deliveries = await pull(receiver, 1, 2);
      expect(deliveries[0]?.group).toBe("R");
      await acknowledge(deliveries);
      expect(await isQuiet(receiver)).toBe(true);
      await receiver.close();
    }));

  test("does not open where its queue is missing, and rejects what is too large", () =>
    on({}, async ({ server }) => {
      const retryOptions = { maxRetries: 0, timeoutInMs: 10_000 };
      const connect = () => new ServiceBusClient(server.connectionString(), { retryOptions });
      await expect(serviceBusPublisher({ connect, queue: "seat" }).open()).rejects.toThrow(/could not be found/);
      const sender = await serviceBusPublisher({ connect, queue: "seats" }).open();
      const [small, large] = [{ body: "1" }, { body: JSON.stringify("x".repeat(300_000)) }];
      const sending = sender.send([small, large].map((one, index) => ({ ...one, id: `R-${index}`, sentAt: 1 })));
      await expect(sending).rejects.toThrow();
      await sender.close();
    }));
});
