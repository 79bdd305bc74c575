import azure, { type ServiceBusQueueHandler, type Timer, type TimerHandler } from "@azure/functions";
import { describe, expect, test } from "vitest";
import { unchecked } from "../../src/index.ts";
import { type AzureMessageOptions, azureFunction } from "../../src/transports/functions/azure.ts";
import { gate, type Seat, seat, stand } from "./functions-stand.ts";

const contextOf = (triggerMetadata: Record<string, unknown> = {}, trigger: object = {}) =>
  new azure.InvocationContext({
    functionName: "seats",
    logHandler: () => {},
    triggerMetadata,
    options: { trigger: { type: "serviceBusTrigger", name: "message", ...trigger }, extraInputs: [], extraOutputs: [] },
  });

function queue(options: Partial<AzureMessageOptions<Seat>> = {}) {
  const given = stand();
  const handler: ServiceBusQueueHandler = azureFunction(given.book, { endsWithin: "5m", ...options });
  return { ...given, handler };
}

describe("a function of a Service Bus queue", () => {
  test("has its outcome in the ledger when it returns, and a copy runs nothing", async () => {
    const { handler, book, runs } = queue();
    await handler(seat("a"), contextOf());
    expect(await book.find(seat("a"))).toMatchObject({ status: "done", value: 1 });
    await handler(seat("a"), contextOf());
    expect(runs).toEqual(["a"]);
  });

  test("throws what a failed attempt threw, so that the host delivers it again, and the next attempt succeeds", async () => {
    const { handler, runs, running } = queue();
    running(() => Promise.reject(new Error("gateway away")));
    await expect(handler(seat("a"), contextOf())).rejects.toThrow("gateway away");
    running(async () => 1);
    await handler(seat("a"), contextOf());
    expect(runs).toEqual(["a", "a"]);
  });

  test("completes a refused message, and throws it where refusals are dead letters", async () => {
    const { handler } = queue();
    await handler(seat("a", -1), contextOf());
    const strict = queue({ refusals: "dead-letter" });
    await expect(strict.handler(seat("a", -1), contextOf())).rejects.toMatchObject({ code: "REPRISE_REFUSED" });
  });

  test("throws for a mismatch and for what its schema refuses, and runs neither", async () => {
    const { handler, runs } = queue();
    await handler(seat("a", 1), contextOf());
    await expect(handler(seat("a", 2), contextOf())).rejects.toMatchObject({ code: "REPRISE_MISMATCH" });
    await expect(handler("no seat", contextOf())).rejects.toMatchObject({ code: "REPRISE_INPUT_INVALID" });
    expect(runs).toEqual(["a"]);
  });

  test("runs no message that is older than outcomes are kept, and one without a date only where nothing is declared", async () => {
    const old = { enqueuedTimeUtc: new Date(Date.now() - 2 * 86_400_000).toISOString() };
    const { handler, runs } = queue();
    await expect(handler(seat("a"), contextOf(old))).rejects.toMatchObject({ code: "REPRISE_TOO_OLD" });
    await handler(seat("b"), contextOf());
    const dated = queue({ deliveredWithin: "1h" });
    await expect(dated.handler(seat("c"), contextOf())).rejects.toMatchObject({ code: "REPRISE_TOO_OLD" });
    // as the host writes it, without a zone
    const young = new Date().toISOString().replace("Z", "");
    await dated.handler(seat("c"), contextOf({ enqueuedTimeUtc: young }));
    expect([...runs, ...dated.runs]).toEqual(["b", "c"]);
  });

  test("does not run what is sent again long after it was sent first, alone, in a batch or settled by itself", async () => {
    const { handler, runs } = queue();
    const now = new Date().toISOString();
    const applicationProperties = { "x-reprise-sent-at": String(Date.now() - 2 * 86_400_000) };
    const tooOld = { code: "REPRISE_TOO_OLD" };
    const alone = contextOf({ applicationProperties, enqueuedTimeUtc: now });
    await expect(handler(seat("a"), alone)).rejects.toMatchObject(tooOld);
    const batch = { applicationPropertiesArray: [{}, applicationProperties], enqueuedTimeUtcArray: [now, now] };
    const many = contextOf(batch, { cardinality: "many" });
    await expect(handler([seat("b"), seat("c")], many)).rejects.toMatchObject(tooOld);
    const reasons: string[] = [];
    const actions = {
      complete: async () => {},
      abandon: async () => {},
      deadletter: async (_message: unknown, _properties: undefined, reason: string) => reasons.push(reason),
    };
    const message = {
      body: Buffer.from(JSON.stringify(seat("d"))),
      enqueuedTimeUtc: new Date(),
      applicationProperties,
    };
    await handler({ messages: message, actions }, contextOf());
    expect([runs, reasons]).toEqual([["b"], ["too-old"]]);
  });

  test("waits for another instance that is at its work, and returns when that one is done", async () => {
    const { instance, runs, running } = queue();
    const { opened, open } = gate();
    running(() => opened);
    const one = azureFunction(instance("one").book, { endsWithin: "5m" });
    const other = azureFunction(instance("other").book, { endsWithin: "5m" });
    const first = one(seat("a"), contextOf());
    const second = other(seat("a"), contextOf());
    open();
    await Promise.all([first, second]);
    expect(runs).toEqual(["a"]);
  });

  test("throws that it is running where the time ends first, and does not wait for its own run longer either", async () => {
    const { handler, running } = queue({ endsWithin: "1600ms" });
    const { opened, open } = gate();
    running(() => opened);
    const both = [handler(seat("a"), contextOf()), handler(seat("a"), contextOf())];
    for (const one of await Promise.allSettled(both)) {
      expect(one).toMatchObject({ status: "rejected", reason: { code: "REPRISE_RUNNING" } });
    }
    open();
  });

  test("runs all messages of a batch, and throws where one of them failed", async () => {
    const { handler, runs, running } = queue();
    running(async ({ reference }) => {
      if (reference === "b") throw new Error("gateway away");
    });
    const batch = [seat("a"), seat("b"), seat("c")];
    const many = contextOf(
      { enqueuedTimeUtcArray: batch.map(() => new Date().toISOString()) },
      { cardinality: "many" },
    );
    await expect(handler(batch, many)).rejects.toThrow("gateway away");
    running(async () => 1);
    await handler(batch, many);
    expect(runs.filter((one) => one !== "b")).toEqual(["a", "c"]);
    expect(runs.filter((one) => one === "b")).toHaveLength(2);
  });

  test("throws one error that names what each of several came to, and no value", async () => {
    const { handler, running } = queue();
    running(async ({ reference }) => {
      throw new TypeError(`failure of ${reference}`);
    });
    const batch = [seat("a"), seat("b"), "bad"];
    const failure = await Promise.resolve(handler(batch, contextOf({}, { cardinality: "many" }))).then(
      () => null,
      (error: Error) => error,
    );
    expect(failure).toMatchObject({
      code: "REPRISE_BATCH_FAILED",
      details: { of: 3, failures: expect.arrayContaining(["TypeError", "TypeError", "REPRISE_INPUT_INVALID"]) },
    });
    expect(failure?.message).toContain("3 of the 3");
    expect(failure?.message).not.toContain("failure of");
    expect(failure).toHaveProperty("cause.errors.length", 3);
  });

  test("does not begin where 'endsWithin' leaves no time, or where outcomes are forgotten too early", () => {
    const { book } = stand();
    expect(() => azureFunction(book, { endsWithin: "1s" })).toThrow("endsWithin");
    const undeclared = undefined as unknown as AzureMessageOptions<Seat>;
    expect(() => azureFunction(book, undeclared)).toThrow("'endsWithin' is missing");
    expect(() => azureFunction(book, { endsWithin: "5m", deliveredWithin: "2d" })).toThrow("retention");
  });
});

describe("a function that settles by itself", () => {
  const settling = () => {
    const settled: unknown[] = [];
    const reasons: string[] = [];
    const actions = {
      complete: async (message: { readonly messageId: string }) => settled.push(["complete", message.messageId]),
      abandon: async (message: { readonly messageId: string }) => settled.push(["abandon", message.messageId]),
      deadletter: async (message: { readonly messageId: string }, _: unknown, reason: string, why: string) => {
        settled.push(["deadletter", message.messageId, reason]);
        reasons.push(why);
      },
    };
    const message = (messageId: string, body: unknown, age = 0, sessionId?: string) => ({
      messageId,
      body: typeof body === "string" ? Buffer.from(body) : Buffer.from(JSON.stringify(body)),
      enqueuedTimeUtc: new Date(Date.now() - age),
      sessionId,
    });
    return { settled, reasons, actions, message };
  };

  test("sets aside what nobody gains by repeating, with the reason, and gives back what failed", async () => {
    const { settled, reasons, actions, message } = settling();
    const { handler, running } = queue();
    running(async ({ reference }) => {
      if (reference === "fails") throw new Error("gateway away");
    });
    const messages = [
      message("1", seat("a", 1)),
      message("2", "{"),
      message("3", seat("b"), 2 * 86_400_000),
      message("4", seat("fails")),
      message("6", { secret: true }),
    ];
    await expect(handler({ messages, actions }, contextOf())).rejects.toThrow("gateway away");
    await handler({ messages: message("5", seat("a", 2)), actions }, contextOf());
    expect(settled).toEqual(
      expect.arrayContaining([
        ["complete", "1"],
        ["deadletter", "2", "invalid"],
        ["deadletter", "3", "too-old"],
        ["abandon", "4"],
        ["deadletter", "5", "mismatch"],
        ["deadletter", "6", "invalid"],
      ]),
    );
    expect(settled).toHaveLength(6);
    expect(reasons).toContain("its schema found 1 issue");
  });

  test("tells the broker nothing of what the schema says, which may hold what it was given", async () => {
    const { actions, message } = settling();
    const { handler } = queue();
    const told: string[] = [];
    const deadletter = async (_message: unknown, _properties: undefined, _reason: string, why: string) =>
      told.push(why);
    await handler({ messages: message("1", {}), actions: { ...actions, deadletter } }, contextOf());
    expect(told).toEqual(["its schema found 1 issue"]);
  });

  test("begins nothing of a session behind a message that failed, and goes on with other sessions", async () => {
    const { settled, actions, message } = settling();
    const { handler, runs, running } = queue();
    running(async ({ reference }) => {
      if (reference === "a1") throw new Error("gateway away");
    });
    const messages = [
      message("1", seat("a1"), 0, "a"),
      message("2", seat("a2"), 0, "a"),
      message("3", seat("b1"), 0, "b"),
    ];
    await expect(handler({ messages, actions }, contextOf())).rejects.toThrow("gateway away");
    expect(runs.sort()).toEqual(["a1", "b1"]);
    expect(settled).toEqual(
      expect.arrayContaining([
        ["abandon", "1"],
        ["abandon", "2"],
        ["complete", "3"],
      ]),
    );
  });
});

describe("a timer's function", () => {
  const timerAt = (next: Date, last = new Date(0)): Timer => ({
    isPastDue: false,
    schedule: { adjustForDST: true },
    scheduleStatus: { last: last.toISOString(), lastUpdated: last.toISOString(), next: next.toISOString() },
  });

  test("runs a tick once, however late and often it is called, and another tick again", async () => {
    const { book, runs } = stand();
    const handler: TimerHandler = azureFunction.timer(book, {
      endsWithin: "5m",
      input: ({ at }) => seat(at.toISOString()),
    });
    const tick = new Date(Date.now() - 90_000);
    await handler(timerAt(tick), contextOf());
    await handler({ ...timerAt(tick), isPastDue: true }, contextOf());
    // should the host write its status before the call
    await handler(timerAt(new Date(Date.now() + 60_000), tick), contextOf());
    const second = new Date(Date.now() - 30_000);
    await handler(timerAt(second), contextOf());
    expect(runs).toEqual([tick.toISOString(), second.toISOString()]);
  });

  test("throws what failed, for the host's retry policy, and has the second of the call where there is no status", async () => {
    const { book, running } = stand();
    const asked: Date[] = [];
    running(() => Promise.reject(new Error("gateway away")));
    const handler = azureFunction.timer(book, {
      endsWithin: "5m",
      input: ({ at }) => {
        asked.push(at);
        return seat("a");
      },
    });
    await expect(handler({ isPastDue: false, scheduleStatus: null }, contextOf())).rejects.toThrow("gateway away");
    expect(asked[0]?.getMilliseconds()).toBe(0);
    expect(Date.now() - (asked[0]?.getTime() ?? 0)).toBeLessThan(5_000);
  });

  test("names by its tick what has no other identity", async () => {
    const { reprise } = stand();
    const keys: string[] = [];
    const close = reprise.operation({
      name: "day.close",
      input: unchecked<string>(),
      principal: "everyone",
      identity: "callers-key",
      retention: "1d",
      effects: "external",
      run: async ({ input }) => void keys.push(input),
    });
    const handler = azureFunction.timer(close, { endsWithin: "5m", input: () => "close" });
    const ticks = [new Date(Date.now() - 90_000), new Date(Date.now() - 30_000)];
    for (const tick of [...ticks, ...ticks]) await handler(timerAt(tick), contextOf());
    expect(keys).toHaveLength(2);
    // a message has no such name
    expect(() => azureFunction(close, { endsWithin: "5m" })).toThrow("caller's key");
  });
});

test.each(["message", "http", "timer"] as const)(
  "a function of something else than an operation is refused: %s",
  (of) => {
    const carrier = { endsWithin: "5m", principal: "everyone", input: () => undefined } as never;
    const declare = {
      message: (given: never) => azureFunction(given, carrier),
      http: (given: never) => azureFunction.http(given, carrier),
      timer: (given: never) => azureFunction.timer(given, carrier),
    }[of];
    for (const given of [{}, null, undefined]) {
      expect(() => declare(given as never)).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }));
    }
  },
);
