import assert from "node:assert/strict";
import type { OutgoingMessage, Publisher } from "../contract/publisher.ts";
import type { Source } from "../contract/source.ts";
import { acknowledge, bodies, pull } from "./source-kit.ts";
import { type Capability, casesOf, type SuiteCase } from "./suite.ts";

/** What a publisher gives its conformance suite. */
export interface PublisherAdapter {
  /** For the names of the cases. */
  readonly name: string;
  readonly can: {
    /** Its connections can be cut while the broker goes on. */
    readonly cut: Capability;
    /** There are places that no message can be sent to, for nobody has made them. */
    readonly nowhere: Capability;
  };
  /** A new, empty queue. */
  readonly open: () => Promise<PublisherStage>;
}

export interface PublisherStage {
  readonly publisher: Publisher;
  /** Where its messages come from again. */
  readonly source: Source;
  /** The ids of the first so many messages, as the broker's own client tells them. */
  readonly ids: (count: number) => Promise<readonly string[]>;
  /** A publisher to a place that does not exist. */
  readonly nowhere: Publisher;
  /** Cuts every connection of the publisher's to the broker. */
  readonly cut: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface PublisherScenario {
  readonly name: string;
  readonly needs?: readonly ("cut" | "nowhere")[];
  readonly run: (stage: PublisherStage) => Promise<void>;
}

/** An hour before it was sent: a broker's own clock tells another instant. */
const sentAt = () => Date.now() - 3_600_000;

function messages(first: number, count: number, at = sentAt()): readonly OutgoingMessage[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `release ${first + index} ü`,
    body: JSON.stringify({ index: first + index, text: "ü \u0000 😀" }),
    sentAt: at,
  }));
}

const scenarios: readonly PublisherScenario[] = [
  {
    name: "what was sent is there when sending resolves, as it was written, in the order of the batches and within each",
    run: async ({ publisher, source }) => {
      const sender = await publisher.open();
      for (const first of [0, 50, 100]) await sender.send(messages(first, 50));
      await sender.send([]);
      await sender.close();
      const receiver = await source.open(150);
      const deliveries = await pull(receiver, 150);
      assert.deepEqual(
        bodies(deliveries),
        deliveries.map((_, index) => ({ index, text: "ü \u0000 😀" })),
      );
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
  {
    name: "when a message was committed is what its source says of when it was sent",
    run: async ({ publisher, source }) => {
      const at = sentAt();
      const sender = await publisher.open();
      await sender.send(messages(0, 1, at));
      await sender.close();
      const receiver = await source.open(1);
      const deliveries = await pull(receiver, 1);
      const [{ sentAt: told }] = deliveries as readonly [(typeof deliveries)[number]];
      // some brokers tell it in seconds
      assert.ok(told !== null && told <= at && at - told < 1_000, `${told} instead of ${at}`);
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
  {
    name: "the business id is the message's own, and stays the same when it is sent again",
    run: async ({ publisher, ids }) => {
      const sender = await publisher.open();
      await sender.send(messages(0, 3));
      await sender.close();
      assert.deepEqual(
        await ids(3),
        messages(0, 3).map(({ id }) => id),
      );
    },
  },
  {
    name: "large messages and a large batch arrive",
    run: async ({ publisher, source }) => {
      const sender = await publisher.open();
      const body = JSON.stringify("x".repeat(190_000));
      await sender.send(Array.from({ length: 20 }, (_, index) => ({ id: `large ${index}`, body, sentAt: sentAt() })));
      await sender.close();
      const receiver = await source.open(20);
      const deliveries = await pull(receiver, 20);
      assert.ok(deliveries.every((delivery) => (delivery.read() as string).length === 190_000));
      await acknowledge(deliveries);
      await receiver.close();
    },
  },
  {
    name: "sending to a place that nobody has made is refused",
    needs: ["nowhere"],
    run: async ({ nowhere }) => {
      await assert.rejects(async () => {
        const sender = await nowhere.open();
        try {
          await sender.send(messages(0, 1));
        } finally {
          await sender.close().catch(() => {});
        }
      });
    },
  },
  {
    name: "over a connection that is cut sending is refused, and another sender sends all of it again, in order",
    needs: ["cut"],
    run: async ({ publisher, source, cut }) => {
      const sender = await publisher.open();
      await sender.send(messages(0, 1));
      await cut();
      await assert.rejects(sender.send(messages(1, 10)));
      await sender.close().catch(() => {});
      const again = await publisher.open();
      await again.send(messages(1, 10));
      await again.close();
      const receiver = await source.open(21);
      const seen = new Set<unknown>();
      while (seen.size < 11) {
        const deliveries = await pull(receiver, 1, 21);
        for (const body of bodies(deliveries)) seen.add((body as { readonly index: number }).index);
        await acknowledge(deliveries);
      }
      assert.deepEqual(
        [...seen],
        Array.from({ length: 11 }, (_, index) => index),
      );
      await receiver.close();
    },
  },
];

/**
 * What every publisher must do, as data for any test runner. Each case opens a queue of its own.
 *
 * @example
 * for (const { name, skip, run } of publisherSuite(adapter)) test(name, { skip: skip ?? false }, run);
 */
export function publisherSuite(adapter: PublisherAdapter): readonly SuiteCase[] {
  return casesOf(adapter, scenarios);
}
