import { inspect } from "node:util";
import type {
  Context,
  DynamoDBRecord,
  DynamoDBStreamHandler,
  KinesisStreamHandler,
  KinesisStreamRecord,
  SQSHandler,
  SQSRecord,
} from "aws-lambda";
import { describe, expect, test } from "vitest";
import { RepriseError } from "../../src/index.ts";
import { type LambdaBatchOptions, type LambdaSqsRecord, lambda } from "../../src/transports/functions/aws.ts";
import { gate, type Seat, seat, stand } from "./functions-stand.ts";

const contextOf = (leftMs = 60_000) => ({ getRemainingTimeInMillis: () => leftMs }) as Context;

function message(messageId: string, body: unknown, { group, sentAt = Date.now() }: Sent = {}): SQSRecord {
  return {
    messageId,
    receiptHandle: messageId,
    body: typeof body === "string" ? body : JSON.stringify(body),
    attributes: {
      ApproximateReceiveCount: "1",
      SentTimestamp: String(sentAt),
      SenderId: "sender",
      ApproximateFirstReceiveTimestamp: String(sentAt),
      ...(group !== undefined && { MessageGroupId: group }),
    },
    messageAttributes: {},
    md5OfBody: "",
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:eu-central-1:1:seats${group === undefined ? "" : ".fifo"}`,
    awsRegion: "eu-central-1",
  };
}
interface Sent {
  readonly group?: string;
  readonly sentAt?: number;
}

function queue(options: LambdaBatchOptions<Seat, LambdaSqsRecord> = {}) {
  const given = stand();
  const told: string[] = [];
  const failed = (error: Error) => told.push("code" in error ? String(error.code) : error.message);
  const handler: SQSHandler = lambda.sqs(given.book, { failed, ...options });
  const failuresOf = async (records: readonly SQSRecord[], leftMs?: number) => {
    const answer = await handler({ Records: [...records] }, contextOf(leftMs), () => {});
    return (answer === undefined ? [] : answer.batchItemFailures).map(({ itemIdentifier }) => itemIdentifier);
  };
  return { ...given, told, failuresOf };
}

test("a number of milliseconds is told whole", () => {
  const running = new RepriseError("REPRISE_RUNNING", { operation: "seat.book", retryAfterMs: 2_073.6 });
  expect(running.message).toContain("in 2074 ms");
});

describe("a function of an SQS queue", () => {
  test("returns only what failed, has the rest in the ledger, and says why", async () => {
    const { failuresOf, running, runs, told, book } = queue();
    running(async ({ reference }) => {
      if (reference === "b") throw new Error("gateway away");
      return 1;
    });
    const batch = [message("1", seat("a")), message("2", seat("b")), message("3", seat("c"))];
    expect(await failuresOf(batch)).toEqual(["2"]);
    expect(await book.find(seat("c"))).toMatchObject({ status: "done" });
    running(async () => 1);
    expect(await failuresOf(batch)).toEqual([]);
    expect(runs.sort()).toEqual(["a", "b", "b", "c"]);
    expect(told).toEqual(["gateway away"]);
  });

  test("returns what nobody gains by repeating, and runs none of it", async () => {
    const { failuresOf, runs, told } = queue();
    await failuresOf([message("0", seat("a", 1))]);
    const old = { sentAt: Date.now() - 2 * 86_400_000 };
    const batch = [message("1", "{"), message("2", seat("a", 2)), message("3", seat("b"), old), message("4", {})];
    expect(await failuresOf(batch)).toEqual(["1", "2", "3", "4"]);
    expect(runs).toEqual(["a"]);
    expect(told.sort()).toEqual([
      "REPRISE_INPUT_INVALID",
      "REPRISE_INPUT_INVALID",
      "REPRISE_MISMATCH",
      "REPRISE_TOO_OLD",
    ]);
  });

  test("does not run what is sent again long after it was sent first, and its outcome is forgotten", async () => {
    const { failuresOf, runs, told } = queue();
    const first = { dataType: "String", stringValue: String(Date.now() - 2 * 86_400_000) };
    const again = { ...message("1", seat("a")), messageAttributes: { "x-reprise-sent-at": first } };
    expect(await failuresOf([again])).toEqual(["1"]);
    expect([runs, told]).toEqual([[], ["REPRISE_TOO_OLD"]]);
  });

  test("tells nothing of a body that cannot be parsed, whoever parses it", async () => {
    const parsing = (record: LambdaSqsRecord) => JSON.parse(record.body) as Seat;
    for (const input of [undefined, parsing]) {
      const errors: Error[] = [];
      const { failuresOf } = queue({ failed: (error) => errors.push(error), ...(input && { input }) });
      const batch = [message("1", "pin=8841"), message("2", '{"reference":"r","token":SECRET99}')];
      expect(await failuresOf(batch)).toEqual(["1", "2"]);
      expect(errors).toHaveLength(2);
      expect(inspect(errors, { depth: 9 })).not.toMatch(/8841|SECRET|pin/);
    }
  });

  test("takes a refusal for an outcome, unless it is declared to be seen", async () => {
    expect(await queue().failuresOf([message("1", seat("a", -1))])).toEqual([]);
    expect(await queue({ refusals: "dead-letter" }).failuresOf([message("1", seat("a", -1))])).toEqual(["1"]);
  });

  test("of a FIFO queue returns all of a group from its first failure on, in order, and goes on with other groups", async () => {
    const { failuresOf, running, runs, told } = queue();
    running(async ({ reference }) => {
      if (reference === "a2") throw new Error("gateway away");
    });
    const of = (group: string) => (reference: string) => message(reference, seat(reference), { group });
    const [a, b] = [of("a"), of("b")];
    expect(await failuresOf([a("a1"), b("b1"), a("a2"), a("a3"), b("b2")])).toEqual(["a2", "a3"]);
    expect(told).toEqual(["gateway away", "REPRISE_NOT_BEGUN"]);
    expect(runs.filter((one) => one.startsWith("a"))).toEqual(["a1", "a2"]);
    expect(runs.filter((one) => one.startsWith("b"))).toEqual(["b1", "b2"]);
  });

  test("begins nothing where too little time is left, returns it, and says so", async () => {
    const { failuresOf, runs, told } = queue();
    expect(await failuresOf([message("1", seat("a")), message("2", seat("b"))], 1_400)).toEqual(["1", "2"]);
    expect([runs, told]).toEqual([[], ["REPRISE_NOT_BEGUN", "REPRISE_NOT_BEGUN"]]);
  });

  test("returns what has not ended when the time is up, and no other message waits for it", async () => {
    const { failuresOf, running, told } = queue();
    const { opened, open } = gate();
    running(({ reference }) => (reference === "a" ? opened : Promise.resolve(1)));
    expect(await failuresOf([message("1", seat("a")), message("2", seat("b"))], 1_600)).toEqual(["1"]);
    expect(told).toEqual(["REPRISE_RUNNING"]);
    open();
  });

  test("runs as many at once as it is told, and makes its input of the record where that is said", async () => {
    const { failuresOf, running, runs } = queue({ atOnce: 2, input: ({ messageId }) => seat(messageId) });
    let atWork = 0;
    let most = 0;
    running(async () => {
      atWork += 1;
      most = Math.max(most, atWork);
      await new Promise((resolve) => setImmediate(resolve));
      atWork -= 1;
    });
    expect(await failuresOf(["1", "2", "3", "4", "5"].map((id) => message(id, "an order in XML")))).toEqual([]);
    expect([most, runs.length]).toEqual([2, 5]);
  });
});

describe("a function of a stream", () => {
  const record = (sequenceNumber: string, partitionKey: string, body: unknown): KinesisStreamRecord => ({
    kinesis: {
      kinesisSchemaVersion: "1.0",
      partitionKey,
      sequenceNumber,
      data: Buffer.from(JSON.stringify(body)).toString("base64"),
      approximateArrivalTimestamp: Date.now() / 1_000,
    },
    eventSource: "aws:kinesis",
    eventVersion: "1.0",
    eventID: sequenceNumber,
    eventName: "aws:kinesis:record",
    invokeIdentityArn: "",
    awsRegion: "",
    eventSourceARN: "",
  });

  test("returns the first sequence number that failed, keeps each key's order, and goes on with other keys", async () => {
    const { book, runs, running } = stand();
    const handler: KinesisStreamHandler = lambda.streams(book, { failed: () => {} });
    running(async ({ reference }) => {
      if (reference === "a2" || reference === "c1") throw new Error("gateway away");
    });
    const Records = [
      record("10", "a", seat("a1")),
      record("11", "a", seat("a2")),
      record("12", "b", seat("b1")),
      record("13", "a", seat("a3")),
      record("14", "c", seat("c1")),
    ];
    expect(await handler({ Records }, contextOf(), () => {})).toEqual({
      batchItemFailures: [{ itemIdentifier: "11" }],
    });
    expect(runs.sort()).toEqual(["a1", "a2", "b1", "c1"]);
    running(async () => 1);
    expect(await handler({ Records: Records.slice(1) }, contextOf(), () => {})).toEqual({ batchItemFailures: [] });
    expect(runs.filter((one) => one === "b1")).toHaveLength(1);
  });

  const change = (sequence: string, reference: string, eventName: "INSERT" | "REMOVE"): DynamoDBRecord => ({
    eventName,
    dynamodb: {
      Keys: { reference: { S: reference } },
      NewImage: { reference: { S: reference }, seat: { N: "1" } },
      SequenceNumber: sequence,
      ApproximateCreationDateTime: Date.now() / 1_000,
    },
  });

  test("of a table makes its input of the change, and has nothing to do for one that asks for nothing", async () => {
    const { book, runs, running } = stand();
    const handler: DynamoDBStreamHandler = lambda.streams(book, {
      failed: () => {},
      input: ({ eventName, dynamodb }: DynamoDBRecord) =>
        eventName === "REMOVE" ? undefined : seat(dynamodb?.NewImage?.["reference"]?.S ?? ""),
    });
    running(async ({ reference }) => {
      if (reference === "c") throw new Error("gateway away");
    });
    const Records = [change("1", "a", "INSERT"), change("2", "b", "REMOVE"), change("3", "c", "INSERT")];
    expect(await handler({ Records }, contextOf(), () => {})).toEqual({ batchItemFailures: [{ itemIdentifier: "3" }] });
    expect(runs).toEqual(["a", "c"]);
  });
});

test.each(["http", "sqs", "streams"] as const)(
  "a function of something else than an operation is refused: %s",
  (of) => {
    const carrier = { principal: "everyone", input: () => undefined } as never;
    const declare = {
      http: (given: never) => lambda.http(given, carrier),
      sqs: (given: never) => lambda.sqs(given),
      streams: (given: never) => lambda.streams(given),
    }[of];
    for (const given of [{}, null, undefined]) {
      expect(() => declare(given as never)).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }));
    }
  },
);
