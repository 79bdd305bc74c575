import { afterAll, describe, expect, test } from "vitest";
import type { OutgoingMessage } from "../../src/contract/publisher.ts";
import { sqs, sqsPublisher } from "../../src/sources/sqs/index.ts";
import { acknowledge, bodies, isQuiet, pull } from "../../src/testing/source-kit.ts";
import { sourceCases } from "../support/source-cases.ts";
import { type SqsStage, type SqsStageOptions, sqsStage, stopSqs } from "../support/sqs.ts";

afterAll(stopSqs);

const can = {
  cut: { not: "each request to SQS is a connection of its own, and is repeated by the client" },
  deadLetters: true,
} as const;

sourceCases({ name: "sqs, a standard queue", can, open: () => sqsStage() }, undefined, "concurrent");
sourceCases({ name: "sqs, a FIFO queue", can, open: () => sqsStage({ fifo: true }) }, undefined, "concurrent");

async function on(options: SqsStageOptions, run: (stage: SqsStage) => Promise<void>): Promise<void> {
  const stage = await sqsStage(options);
  await run(stage).finally(stage.close);
}

async function arnOf({ client }: SqsStage, QueueUrl: string): Promise<string> {
  const { Attributes } = await client.getQueueAttributes({ QueueUrl, AttributeNames: ["QueueArn"] });
  return Attributes?.["QueueArn"] ?? "";
}

const day = 86_400_000;
const retention = (days: number) => ({ MessageRetentionPeriod: String((days * day) / 1_000) });

describe("a source of SQS", () => {
  test("tells as its horizon how long the queue keeps messages", () =>
    on({ attributes: retention(3) }, async ({ source }) => {
      expect(await source.horizon()).toBe(3 * day);
    }));

  for (const [fifo, days] of [
    [false, 7],
    [true, 3 + 7],
  ] as const) {
    test(`adds to its horizon what a ${fifo ? "FIFO " : ""}queue for dead letters keeps, ${fifo ? "which counts anew" : "where that is longer"}`, () =>
      on({ fifo, deadLetterFifo: fifo, attributes: retention(3) }, async (stage) => {
        const { client, source, queueUrl, deadLetterUrl } = stage;
        await client.setQueueAttributes({ QueueUrl: deadLetterUrl, Attributes: retention(7) });
        const RedrivePolicy = JSON.stringify({
          deadLetterTargetArn: await arnOf(stage, deadLetterUrl),
          maxReceiveCount: 1_000,
        });
        await client.setQueueAttributes({ QueueUrl: queueUrl, Attributes: { RedrivePolicy } });
        expect(await source.horizon()).toBe(days * day);
      }));
  }

  test("takes the longest that SQS keeps anything where the queue for dead letters may not be looked at", () =>
    on({ attributes: retention(3) }, async (stage) => {
      const { client, queueUrl, deadLetterUrl } = stage;
      const deadLetterTargetArn = await arnOf(stage, deadLetterUrl);
      const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount: 1_000 });
      await client.setQueueAttributes({ QueueUrl: queueUrl, Attributes: { RedrivePolicy } });
      const refusing = Object.assign(Object.create(client), { getQueueUrl: () => Promise.reject(new Error("no")) });
      expect(await sqs({ client: refusing, queueUrl, deadLetterUrl }).horizon()).toBe(14 * day);
    }));

  test("refuses a queue that keeps messages from nobody", () =>
    on({ attributes: { VisibilityTimeout: "0" } }, async ({ source }) => {
      await expect(source.open(1)).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
    }));

  test("keeps all that a sender wrote beside a message that is set aside and sent again, also where there is no room", () =>
    on({}, async ({ client, source, queueUrl, deadLetterUrl }) => {
      const MessageAttributes = Object.fromEntries([
        ...Array.from({ length: 9 }, (_, index) => [
          `name-${index}`,
          { DataType: "String", StringValue: `ü ${index}` },
        ]),
        ["bytes", { DataType: "Binary", BinaryValue: Buffer.from([0, 255]) }],
      ]);
      await client.sendMessage({ QueueUrl: queueUrl, MessageBody: "1", MessageAttributes });
      const receiver = await source.open(1);
      const [delivery] = await pull(receiver, 1);
      expect(await delivery?.settle({ is: "dead-letter", reason: "refused", why: "sold-out" })).toBe("settled");
      await receiver.close();
      const letters = await source.deadLetters?.();
      const [letter] = (await letters?.list(1)) ?? [];
      expect(letter?.reason).toBe("refused");
      expect(letter && (await letters?.redrive(letter))).toBe("done");
      await letters?.close();
      // one more time, and back again
      const again = await source.open(1);
      const [copy] = await pull(again, 1);
      expect(await copy?.settle({ is: "dead-letter", reason: "refused", why: "sold-out" })).toBe("settled");
      await again.close();
      const { Messages = [] } = await client.receiveMessage({
        ...{ QueueUrl: deadLetterUrl, WaitTimeSeconds: 5, MessageAttributeNames: ["All"] },
      });
      const written = Messages[0]?.MessageAttributes ?? {};
      expect(Object.keys(written)).toHaveLength(10);
      const packed = JSON.parse(written["x-reprise-more"]?.StringValue ?? "[]") as [string, string, string, string][];
      const names = [...Object.keys(written).filter((name) => !name.startsWith("x-")), ...packed.map(([name]) => name)];
      expect(names.sort()).toEqual(Object.keys(MessageAttributes).sort());
      expect(packed.find(([name]) => name === "bytes")?.[3]).toBe("AP8=");
    }));

  test("keeps a FIFO queue's groups in what is set aside, and in what is sent again", () =>
    on({ fifo: true, deadLetterFifo: true }, async ({ client, source, queueUrl }) => {
      for (const MessageBody of ["1", "2"]) {
        const MessageDeduplicationId = `once-${MessageBody}`;
        await client.sendMessage({ QueueUrl: queueUrl, MessageBody, MessageGroupId: "shop", MessageDeduplicationId });
      }
      const receiver = await source.open(1);
      for (const body of [1, 2]) {
        const deliveries = await pull(receiver, 1);
        expect(bodies(deliveries)).toEqual([body]);
        await deliveries[0]?.settle({ is: "dead-letter", reason: "failed", why: "Error" });
      }
      for (const body of [1, 2]) {
        const letters = await source.deadLetters?.();
        const [letter] = (await letters?.list(1)) ?? [];
        expect(letter?.read()).toBe(body);
        expect(letter && (await letters?.redrive(letter))).toBe("done");
        await letters?.close();
      }
      await receiver.close();
      const { Messages = [] } = await client.receiveMessage({
        ...{ QueueUrl: queueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 5 },
        MessageSystemAttributeNames: ["MessageGroupId"],
      });
      // the second of them waits for the first
      expect(Messages.map(({ Body, Attributes }) => [Body, Attributes?.MessageGroupId])).toEqual([["1", "shop"]]);
    }));

  for (const fifo of [true, false]) {
    test(`hands out messages of a ${fifo ? "FIFO" : "standard"} queue ${fifo ? "with" : "without"} their group`, () =>
      on({ fifo }, async ({ client, source, queueUrl }) => {
        for (const MessageBody of ["1", "2"]) {
          const once = fifo && { MessageDeduplicationId: `once-${MessageBody}` };
          await client.sendMessage({ QueueUrl: queueUrl, MessageBody, MessageGroupId: "shop", ...once });
        }
        const receiver = await source.open(2);
        const deliveries = await pull(receiver, 2);
        expect(deliveries.map(({ group }) => group)).toEqual(fifo ? ["shop", "shop"] : [undefined, undefined]);
        await acknowledge(deliveries);
        await receiver.close();
      }));
  }

  test("deletes and gives back ten at a time", () =>
    on({}, async ({ client, send, queueUrl, deadLetterUrl }) => {
      let requests = 0;
      const deleteMessageBatch = (input: Parameters<typeof client.deleteMessageBatch>[0]) => {
        requests += 1;
        return client.deleteMessageBatch(input);
      };
      const counting = Object.assign(Object.create(client), { deleteMessageBatch });
      await Promise.all(Array.from({ length: 40 }, (_, index) => send(String(index))));
      const receiver = await sqs({ client: counting, queueUrl, deadLetterUrl }).open(40);
      const deliveries = await pull(receiver, 40);
      const settled = await Promise.all(deliveries.map((delivery) => delivery.settle({ is: "acknowledge" })));
      expect([requests, new Set(settled)]).toEqual([4, new Set(["settled"])]);
      await receiver.close();
    }));
});

const outgoing = (id: string, text = ""): OutgoingMessage => ({
  id,
  body: JSON.stringify({ id, text }),
  sentAt: 1_700_000_000_123,
});

describe("a look at what SQS has set aside", () => {
  test("that is left while it lists takes nothing more, and gives back what comes late", () =>
    on({}, async (stage) => {
      for (const body of ["1", "2"]) await stage.sendAside(body);
      const { client, queueUrl, deadLetterUrl } = stage;
      let requests = 0;
      let answer = () => {};
      const slow = Object.assign(Object.create(client), {
        receiveMessage: async (input: object) => {
          requests += 1;
          const received = await client.receiveMessage({ ...input, MaxNumberOfMessages: 1 } as never);
          await new Promise<void>((resolve) => {
            answer = resolve;
          });
          return received;
        },
      });
      const letters = await sqs({ client: slow, queueUrl, deadLetterUrl }).deadLetters?.();
      const listing = expect(letters?.list(10)).rejects.toThrow("it is closed");
      await expect.poll(() => requests).toBe(1);
      await letters?.close();
      // as soon as it has come
      const answering = setInterval(() => answer(), 10);
      await listing;
      clearInterval(answering);
      expect(requests).toBe(1);
      expect(await stage.setAside(2)).toHaveLength(2);
    }));
});

describe("a publisher of SQS", () => {
  test("sends more than a request holds, with the instant of the commit, and what is large one by one", () =>
    on({}, async ({ client, source, queueUrl }) => {
      const messages = [
        ...Array.from({ length: 25 }, (_, index) => outgoing(`id ${index}`)),
        ...["large 1", "large 2", "large 3"].map((id) => outgoing(id, "x".repeat(150_000))),
      ];
      const sender = await sqsPublisher({ client, queueUrl }).open();
      await sender.send(messages);
      await sender.close();
      const receiver = await source.open(28);
      const deliveries = await pull(receiver, 28);
      const ids = deliveries.map((delivery) => (delivery.read() as { readonly id: string }).id);
      expect(ids).toEqual(messages.map(({ id }) => id));
      expect(new Set(deliveries.map(({ sentAt }) => sentAt))).toEqual(new Set([1_700_000_000_123]));
      await acknowledge(deliveries);
      await receiver.close();
    }));

  test("sends to a FIFO queue in order, and what it sends again comes once, whatever its id holds", () =>
    on({ fifo: true }, async ({ client, source, queueUrl }) => {
      const sender = await sqsPublisher({ client, queueUrl }).open();
      const messages = ["1", "ü ☂", "x".repeat(300)].map((id) => outgoing(id));
      for (let turn = 0; turn < 2; turn += 1) await sender.send(messages);
      await sender.close();
      const receiver = await source.open(3);
      for (const { id } of messages) {
        const deliveries = await pull(receiver, 1, 3);
        expect(bodies(deliveries)).toEqual([{ id, text: "" }]);
        await acknowledge(deliveries);
      }
      expect(await isQuiet(receiver)).toBe(true);
      await receiver.close();
    }));

  test("rejects where one of many is refused", () =>
    on({}, async ({ client, queueUrl }) => {
      const sender = await sqsPublisher({ client, queueUrl }).open();
      await expect(sender.send([outgoing("1"), outgoing("2", "x".repeat(2_000_000))])).rejects.toThrow();
      await sender.close();
    }));
});
