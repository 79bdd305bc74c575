import { describe, expect, test, vi } from "vitest";
import { type Administration, administer } from "../../src/admin/index.ts";
import { createReprise, unchecked } from "../../src/index.ts";
import { bullmq, bullmqPublisher } from "../../src/sources/bullmq/index.ts";
import { kafka, kafkaPublisher } from "../../src/sources/kafka/index.ts";
import { nats, natsPublisher } from "../../src/sources/nats/index.ts";
import { rabbitmq, rabbitmqPublisher } from "../../src/sources/rabbitmq/index.ts";
import { redisStreams, redisStreamsPublisher } from "../../src/sources/redis-streams/index.ts";
import { serviceBus, serviceBusPublisher } from "../../src/sources/service-bus/index.ts";
import { sqs, sqsPublisher } from "../../src/sources/sqs/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { lambda } from "../../src/transports/functions/aws.ts";
import { azureFunction } from "../../src/transports/functions/azure.ts";
import { expressHandler } from "../../src/transports/http/express.ts";
import { honoHandler } from "../../src/transports/http/hono.ts";
import { webHandler } from "../../src/transports/http/web.ts";
import { stand } from "./consume-stand.ts";

const connect = () => Promise.reject(new Error("it connects before it has checked"));
const never = (): never => {
  throw new Error("it is used before it is checked");
};

/** Whoever writes JavaScript may give anything. */
type Anything = (...given: unknown[]) => unknown;
const refused = (message: RegExp) =>
  expect.objectContaining({ code: "REPRISE_BAD_DECLARATION", message: expect.stringMatching(message) });
/** It says nothing of what is missing as if that were a name. */
const clear = /^(?!.*\b(undefined|null|object Object)\b)/;

test("a source that would receive what it sets aside is refused when it is made", () => {
  for (const make of [
    () => rabbitmq({ connect, queue: "seats", deadLetter: "seats" }),
    () => redisStreams({ connect, stream: "seats", group: "book", deadLetter: "seats" }),
    () => sqs({ client: client as never, queueUrl: "https://sqs/1/seats", deadLetterUrl: "https://sqs/1/seats" }),
    () => kafka({ kafka: broker as never, topic: "seats", group: "book", deadLetter: "seats" }),
  ]) {
    expect(make).toThrow(refused(/goes back to where it came from/));
  }
});

const client = { getQueueAttributes: never, sendMessage: never };
const broker = { admin: never, producer: never };
const jetstream = never;
const headers = never;
class Worker {}
class Queue {}

/** Without one of these another form is meant, with needs of its own. */
const choosing = new Set(["rabbitmqPublisher exchange", "serviceBus topic"]);

/** What each needs. */
const makers: readonly (readonly [string, Anything, Readonly<Record<string, unknown>>])[] = [
  ["rabbitmq", rabbitmq as Anything, { connect, queue: "seats", deadLetter: "dead" }],
  ["rabbitmqPublisher", rabbitmqPublisher as Anything, { connect, queue: "seats" }],
  ["rabbitmqPublisher", rabbitmqPublisher as Anything, { connect, exchange: "", routingKey: "seats" }],
  [
    "nats",
    nats as Anything,
    { connect, jetstream, headers, stream: "SEATS", consumer: "book", deadLetter: "dead.seats" },
  ],
  ["natsPublisher", natsPublisher as Anything, { connect, jetstream, headers, subject: "seats" }],
  ["redisStreams", redisStreams as Anything, { connect, stream: "seats", group: "book", deadLetter: "dead" }],
  ["redisStreamsPublisher", redisStreamsPublisher as Anything, { connect, stream: "seats" }],
  ["bullmq", bullmq as Anything, { Worker, Queue, connect, queue: "seats" }],
  ["bullmqPublisher", bullmqPublisher as Anything, { Queue, connect, queue: "seats" }],
  ["sqs", sqs as Anything, { client, queueUrl: "https://sqs/1/seats", deadLetterUrl: "https://sqs/1/dead" }],
  ["sqsPublisher", sqsPublisher as Anything, { client, queueUrl: "https://sqs/1/seats" }],
  ["kafka", kafka as Anything, { kafka: broker, topic: "seats", group: "book", deadLetter: "dead" }],
  ["kafkaPublisher", kafkaPublisher as Anything, { kafka: broker, topic: "seats" }],
  ["serviceBus", serviceBus as Anything, { connect, queue: "seats" }],
  ["serviceBus", serviceBus as Anything, { connect, topic: "seats", subscription: "book" }],
  ["serviceBusPublisher", serviceBusPublisher as Anything, { connect, queue: "seats" }],
];

describe.each(makers)("%s", (name, make, options) => {
  test(`takes ${Object.keys(options).join(", ")}`, () => {
    expect(make(options)).toHaveProperty("name", expect.stringMatching(clear));
  });

  test("says all that it needs where it is given nothing, and names itself", () => {
    for (const nothing of [undefined, null, {}, "amqp://", 5]) {
      expect(() => make(nothing)).toThrow(refused(clear));
      expect(() => make(nothing)).toThrow(
        refused(new RegExp(`^${name}: it lacks .*'(queue|stream|topic|queueUrl|subject)'`)),
      );
    }
  });

  test.each(Object.keys(options).filter((member) => !choosing.has(`${name} ${member}`)))(
    "says where %s is missing or something else",
    (member) => {
      const { [member]: value, ...others } = options;
      const lacks = refused(new RegExp(`^${name}: it lacks '${member}[^,]*\\. Give it that\\.$`));
      expect(() => make({ ...others, url: "amqp://" })).toThrow(lacks);
      for (const other of [null, 5, {}, Promise.resolve(value), ...(typeof value === "string" ? [] : ["seats"])]) {
        expect(() => make({ ...options, [member]: other })).toThrow(lacks);
      }
    },
  );
});

test.each([
  [
    "redisStreams, field",
    () => (redisStreams as Anything)({ connect, stream: "a", group: "b", deadLetter: "c", field: 5 }),
  ],
  ["redisStreamsPublisher, field", () => (redisStreamsPublisher as Anything)({ connect, stream: "a", field: null })],
  ["bullmq, read", () => (bullmq as Anything)({ Worker, Queue, connect, queue: "a", read: "data" })],
  ["bullmq, prefix", () => (bullmq as Anything)({ Worker, Queue, connect, queue: "a", prefix: {} })],
  ["bullmqPublisher, job", () => (bullmqPublisher as Anything)({ Queue, connect, queue: "a", job: never })],
  ["sqsPublisher, group", () => (sqsPublisher as Anything)({ client, queueUrl: "a", group: "seats" })],
  ["kafkaPublisher, key", () => (kafkaPublisher as Anything)({ kafka: broker, topic: "a", key: "seats" })],
  ["serviceBusPublisher, session", () => (serviceBusPublisher as Anything)({ connect, queue: "a", session: "x" })],
] as const)("what may be left out is refused where it is something else: %s", (of, make) => {
  const [name, member] = of.split(", ");
  expect(make).toThrow(refused(new RegExp(`^${name}: it lacks '${member}'`)));
});

const source = () => rabbitmq({ connect, queue: "seats", deadLetter: "dead" });
const to = rabbitmqPublisher({ connect, queue: "seats" });

function shop() {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<{ readonly id: string }>(),
    ifRunsAgain: "replays",
    costIfTwice: "money",
    principal: "everyone",
    identity: ({ id }) => [id],
    retention: "1d",
    effects: "database",
    run: async () => 1,
  });
  return { reprise, book, consume: reprise.consume as Anything, outbox: reprise.outbox as Anything };
}

describe("a consumer", () => {
  test.each([undefined, null, {}, "seats", () => {}, to])("is refused without a source: %o", (other) => {
    const { consume, book } = shop();
    expect(() => consume(book, other, { deliveredWithin: "1d" })).toThrow(refused(/than a source/));
    expect(() => consume(book, other)).toThrow(refused(clear));
  });

  test.each([undefined, null, {}, "seat.book", () => {}])("is refused without an operation: %o", (other) => {
    expect(() => shop().consume(other, source())).toThrow(refused(/than an operation.*'reprise.operation'/));
  });

  test.each([null, "1d", 5])("is refused with options that are none: %o", (options) => {
    const { consume, book } = shop();
    expect(() => consume(book, source(), options)).toThrow(refused(/its options are no object/));
  });

  test.each([null, "on", true, {}, { most: 32 }, { within: "5ms" }, { most: "2", within: "5ms" }])(
    "is refused with a batch that says less than it needs: %o",
    (batch) => {
      const { consume, book } = shop();
      expect(() => consume(book, source(), { batch })).toThrow(refused(/'batch' is neither 'off' nor has it 'most'/));
    },
  );

  test("needs a ledger first, whatever it is given", () => {
    const reprise = createReprise({ service: "shop", undecided: "listed" });
    for (const given of [undefined, null, {}]) {
      const missing = expect.objectContaining({ code: "REPRISE_NO_LEDGER" });
      expect(() => (reprise.consume as Anything)(given, given, given)).toThrow(missing);
      expect(() => (reprise.outbox as Anything)(given)).toThrow(missing);
    }
  });
});

describe("an outbox", () => {
  const outbox = { name: "seat.released", message: unchecked<{ id: string }>(), id: ({ id }: { id: string }) => id };

  test.each([null, {}, "rabbitmq", connect, source()])(
    "is refused with something else than a publisher: %o",
    (other) => {
      expect(() => shop().outbox({ ...outbox, to: other })).toThrow(refused(/its 'to' is no publisher/));
    },
  );

  test.each([undefined, null, {}, "seats"])("is refused with something else than a declaration: %o", (other) => {
    expect(() => shop().outbox(other)).toThrow(refused(clear));
  });

  test("takes a publisher, or none", () => {
    expect(shop().outbox({ ...outbox, to })).toHaveProperty("name", "seat.released");
    expect(shop().outbox(outbox)).toHaveProperty("name", "seat.released");
  });
});

describe("dead letters", () => {
  /** Two that are set aside, and those that would still be if nothing was done. */
  async function shelf() {
    const { instance, broker: queue } = stand();
    const { reprise, consumer } = instance("a");
    for (const place of [1, 2]) queue.sendAside(JSON.stringify({ reference: `${place}`, seat: place }));
    const { consumers }: Administration = administer(reprise);
    const left = async () => (await consumers.deadLetters(consumer.name)).letters.length;
    return { reprise, consumer, consumers, left };
  }

  const slips = [null, "failed", "", 5, true, [], ["1"], { reasn: "failed" }, { reason: "failed", mots: 5 }];

  test.each(slips)("are not sent again by a slip in what says which: %o", async (slip) => {
    const { reprise, consumer, consumers, left } = await shelf();
    await expect((consumer.redrive as Anything)(slip)).rejects.toEqual(refused(clear));
    await expect((consumers.redrive as Anything)(consumer.name, slip)).rejects.toEqual(refused(clear));
    expect(await left()).toBe(2);
    await reprise.close();
  });

  test.each([undefined, ...slips, { ids: ["1"], reasn: "failed" }, { ids: "12" }, { ids: null }])(
    "are not removed, nor shown, by a slip in what says which: %o",
    async (slip) => {
      const { reprise, consumer, consumers, left } = await shelf();
      await expect((consumers.discard as Anything)(consumer.name, slip)).rejects.toEqual(refused(/consumer of/));
      if (slip !== undefined) {
        await expect((consumers.deadLetters as Anything)(consumer.name, slip)).rejects.toEqual(refused(clear));
      }
      expect(await left()).toBe(2);
      await reprise.close();
    },
  );

  test("are not all sent again where a consumer is told their ids, which it does not know", async () => {
    const { reprise, consumer, left } = await shelf();
    await expect((consumer.redrive as Anything)({ ids: ["1"] })).rejects.toEqual(
      refused(/not chosen by 'ids' here\. There is: reason, most\./),
    );
    expect(await left()).toBe(2);
    await reprise.close();
  });
});

describe("a function", () => {
  test.each([undefined, null, {}, "shop"])("of upkeep is refused without an instance: %o", (other) => {
    const instead = refused(/than an instance.*'createReprise'/);
    expect(() => (lambda.upkeep as Anything)(other)).toThrow(instead);
    expect(() => (azureFunction.upkeep as Anything)(other, { endsWithin: "5m" })).toThrow(instead);
  });

  const carriers = { lambda: lambda.http, azureFunction: azureFunction.http, webHandler, honoHandler, expressHandler };
  test.each(Object.entries(carriers))("of HTTP is refused without what it needs of a request: %s", (_, carry) => {
    const { book } = shop();
    const declare = (carrier: object) => () => (carry as Anything)(book, { endsWithin: "5m", ...carrier });
    const input = () => ({ id: "1" });
    for (const other of [{}, { input: "body" }, { input: null }]) {
      expect(declare({ principal: "everyone", ...other })).toThrow(refused(/it lacks 'input' \(a function\)/));
    }
    for (const other of [{}, { principal: "nobody" }, { principal: null }]) {
      expect(declare({ input, ...other })).toThrow(refused(/'principal' is neither a function nor 'everyone'/));
    }
    expect(declare({ input, principal: "everyone" })).not.toThrow();
    expect(() => (carry as Anything)(book)).toThrow(refused(clear));
  });
});

test("the warning of a broker that cannot be received from names the code of its error, be it a number", async () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const missing = Object.assign(new Error("no queue"), { code: 404 });
  const { instance } = stand({ through: (source) => ({ ...source, open: () => Promise.reject(missing) }) });
  const { reprise } = instance("a");
  await reprise.start();
  await expect
    .poll(() => warned.mock.calls.map(([text]) => String(text)))
    .toContainEqual(expect.stringContaining("(Error 404)"));
  await reprise.close();
  warned.mockRestore();
});
