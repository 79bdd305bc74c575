import { describe, expect, test, vi } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { gate } from "../support/bookings.ts";
import { type Seat, seat, stand } from "./consume-stand.ts";

describe("a message", () => {
  test("is acknowledged once its outcome is stored", async () => {
    const { broker, runs, instance, running, clock } = stand();
    const { reprise, consumer } = instance("a");
    const working = gate<unknown>();
    running(() => working.passed);
    broker.send(seat("A"));
    await reprise.start();
    await consumer.ready;
    await clock.advance(1);
    expect(runs).toEqual(["A"]);
    expect(broker.settlements).toEqual([]);
    working.open(1);
    await clock.advance(1);
    expect(broker.settlements).toEqual(["acknowledge"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("that comes again, or as a copy, is answered from the ledger", async () => {
    const { broker, runs, instance, clock } = stand();
    const { reprise } = instance("a");
    await reprise.start();
    for (let copy = 0; copy < 6; copy += 1) broker.send(seat("A"));
    await clock.advance(5_000);
    expect(runs).toEqual(["A"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("is set aside at once where its body, its input or its identity is amiss, with the reason and no value", async () => {
    const { broker, runs, instance, clock } = stand();
    const { reprise } = instance("a");
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    broker.send(seat("A", 2));
    broker.send("no json: secret");
    broker.send({ seat: 1 });
    await clock.advance(1);
    expect(runs).toEqual(["A"]);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["invalid", "invalid", "mismatch"]);
    expect(JSON.stringify(broker.deadLetters.map(({ why }) => why))).not.toContain("secret");
    await reprise.close();
  });

  test("whose key cannot be made of its body is set aside, and not run without it", async () => {
    const { broker, runs, instance, clock } = stand({ key: ({ reference }) => reference.trim() });
    const { reprise } = instance("a");
    await reprise.start();
    broker.send({ reference: 1, seat: 1 });
    broker.send(seat("A"));
    await clock.advance(1);
    expect(runs).toEqual(["A"]);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["invalid"]);
    await reprise.close();
  });

  test("that is refused is acknowledged, or set aside where its consumer wants to see it", async () => {
    for (const refusals of ["acknowledge", "dead-letter"] as const) {
      const { broker, instance, clock } = stand({ refusals });
      const { reprise } = instance("a");
      await reprise.start();
      broker.send(seat("A", -1));
      await clock.advance(1);
      expect(broker.settlements).toEqual([refusals]);
      await reprise.close();
    }
  });

  test("that is older than outcomes are kept is set aside and not run, and so is one without a date", async () => {
    const { broker, runs, instance, clock } = stand({ deliveredWithin: "1d" });
    const { reprise } = instance("a");
    await reprise.start();
    broker.send(seat("A"), { sentAt: clock.now() - 86_400_001 });
    broker.send(seat("B"), { sentAt: null });
    broker.send(seat("D"), { sentAt: clock.now() * 1_000 });
    broker.send(seat("C"), { sentAt: clock.now() - 86_400_000 });
    await clock.advance(1);
    expect(runs).toEqual(["C"]);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["too-old", "too-old", "too-old"]);
    const letters = await broker.source.deadLetters?.();
    expect((await letters?.list(3))?.map(({ why }) => why)).toEqual([
      "outcomes of its time are forgotten",
      "nobody wrote down when it was sent",
      "its date lies in the future",
    ]);
    await letters?.close();
    await reprise.close();
  });

  test("that is sent again after its outcome is forgotten is set aside, also where its broker says when it delivers last", async () => {
    const { broker, runs, instance, clock } = stand({ horizonMs: 3_600_000, deliveredWithin: undefined });
    const { reprise } = instance("a");
    await reprise.start();
    // as a dead letter that somebody sends again, with the instant of its first sending
    broker.send(seat("A"), { sentAt: clock.now() - 86_400_001 });
    broker.send(seat("B"), { sentAt: clock.now() - 86_400_000 });
    await clock.advance(1);
    expect(runs).toEqual(["B"]);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["too-old"]);
    await reprise.close();
  });

  test("whose effect has no answer is left to a person, and acknowledged", async () => {
    const { clock, broker, ledger } = stand();
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock });
    const charge = reprise.operation({
      name: "charge",
      input: unchecked<Seat>(),
      ...{ principal: "everyone", retention: "1d", effects: "external" },
      identity: (input) => [input.reference],
      run: ({ effect }) => effect("charge", { ifUnknown: "park", run: () => Promise.reject(new Error("cut")) }),
    });
    reprise.consume(charge, broker.source);
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    expect(broker.settlements).toEqual(["acknowledge"]);
    expect(await charge.find(seat("A"))).toMatchObject({ status: "unknown" });
    await reprise.close();
  });
});

describe("a message whose attempts fail", () => {
  test("is tried again after the declared pauses, and set aside after as many attempts as are allowed", async () => {
    const { broker, runs, instance, running, clock } = stand({ attempts: 3, retryIn: ["1s", "10s"] });
    const { reprise } = instance("a");
    running(() => Promise.reject(new TypeError("seat of 4711")));
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(999);
    expect(runs).toHaveLength(1);
    await clock.advance(1);
    expect(runs).toHaveLength(2);
    await clock.advance(9_999);
    expect(runs).toHaveLength(2);
    await clock.advance(1);
    expect(runs).toHaveLength(3);
    expect(broker.deadLetters).toEqual([{ body: JSON.stringify(seat("A")), reason: "failed", why: "TypeError" }]);
    await reprise.close();
  });

  test("waits with the broker where that can delay it, and its attempts are counted on", async () => {
    const { broker, runs, instance, running, clock } = stand({ delays: true, attempts: 2, retryIn: ["1m"] });
    const { reprise } = instance("a");
    running(() => Promise.reject(new Error("no")));
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    expect(broker.settlements).toEqual(["return"]);
    await clock.advance(60_000);
    expect(runs).toHaveLength(2);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed"]);
    await reprise.close();
  });

  test("lets others go before it, while it waits", async () => {
    const { broker, runs, instance, running, clock } = stand({ atOnce: 1 });
    const { reprise } = instance("a");
    running(async ({ reference }) => {
      if (reference === "A") throw new Error("no");
    });
    await reprise.start();
    for (const reference of ["A", "B", "C"]) broker.send(seat(reference));
    await clock.advance(10);
    expect(runs).toEqual(["A", "B", "C"]);
    expect(broker.left()).toBe(1);
    await reprise.close();
  });
});

describe("a crash", () => {
  test("of a process with many messages is not their fault: the one that crashes it is set aside, after its own attempts", async () => {
    const { broker, runs, instance, running, clock } = stand({ attempts: 4 });
    // as a process that is killed while it is at work
    running(({ reference }) => {
      if (reference !== "poison") return Promise.resolve();
      setImmediate(() => broker.crash());
      return new Promise(() => {});
    });
    for (let index = 0; index < 40; index += 1) broker.send(seat(index === 20 ? "poison" : `R-${index}`));
    for (let process = 0; process < 8 && broker.left() > 0; process += 1) {
      // a killed process has no time any more
      const own = manualClock({ now: clock.now() });
      await instance(`p${process}`, own).reprise.start();
      const lives = broker.crashes();
      while (broker.left() > 0 && broker.crashes() === lives) {
        await own.advance(500);
        await clock.advance(500);
      }
    }
    expect(broker.left()).toBe(0);
    expect(broker.deadLetters.map(({ body }) => JSON.parse(body).reference)).toEqual(["poison"]);
    expect(runs.filter((one) => one === "poison")).toHaveLength(4);
    for (let index = 0; index < 40; index += 1) {
      if (index !== 20) expect(runs.filter((one) => one === `R-${index}`)).toHaveLength(1);
    }
  });
});

describe("a ledger that is away", () => {
  test("stops the receiving, costs no message an attempt, and is met again", async () => {
    const { broker, runs, instance, faulty, clock } = stand({ attempts: 2 });
    const { reprise } = instance("a");
    await reprise.start();
    for (let call = 1; call <= 6; call += 1) faulty.fail("claim", { call });
    broker.send(seat("A"));
    await clock.advance(1);
    broker.send(seat("B"));
    await clock.advance(400);
    expect(runs).toEqual([]);
    await clock.advance(60_000);
    expect(runs.sort()).toEqual(["A", "B"]);
    expect(broker.settlements).toEqual(["acknowledge", "acknowledge"]);
    await reprise.close();
  });

  test("is met again also where the broker took back meanwhile what waited for it", async () => {
    const { broker, runs, instance, faulty, clock } = stand();
    const { reprise, consumer } = instance("a");
    await reprise.start();
    for (let call = 1; call <= 5; call += 1) faulty.fail("claim", { call });
    broker.send(seat("A"));
    await clock.advance(100);
    broker.crash();
    for (let second = 0; second < 30; second += 1) await clock.advance(1_000);
    expect(runs).toEqual(["A"]);
    expect(consumer.counts()).toMatchObject({ received: 2, ran: 1, lost: 1, failed: 0 });
    await reprise.close();
  });
});

describe("in order", () => {
  test("messages of one key wait for each other, also for one that is tried again, and those of others do not", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy: ({ seat }) => seat, delays: true });
    const { reprise } = instance("a");
    let fails = 2;
    running(async ({ reference }) => {
      if (reference === "A1" && fails-- > 0) throw new Error("no");
    });
    await reprise.start();
    for (const [reference, number] of [
      ["A1", 1],
      ["A2", 1],
      ["B1", 2],
      ["A3", 1],
    ] as const) {
      broker.send(seat(reference, number));
    }
    await clock.advance(1);
    expect(runs).toEqual(["A1", "B1"]);
    await clock.advance(20_000);
    expect(runs).toEqual(["A1", "B1", "A1", "A1", "A2", "A3"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });

  test("messages that wait behind one that is tried again leave their places to those of other keys", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy: ({ seat }) => seat, atOnce: 2 });
    const { reprise } = instance("a");
    running(async ({ reference }) => {
      if (reference === "A1" && runs.length === 1) throw new Error("no");
    });
    await reprise.start();
    for (const reference of ["A1", "A2", "A3"]) broker.send(seat(reference, 1));
    broker.send(seat("B1", 2));
    await clock.advance(10);
    expect(runs).toEqual(["A1", "B1"]);
    await clock.advance(1_000);
    expect(runs).toEqual(["A1", "B1", "A1", "A2", "A3"]);
    await reprise.close();
  });
});

describe("the broker's lock", () => {
  test("is renewed while a message is handled", async () => {
    const { broker, instance, running, clock } = stand({ lockMs: 3_000 });
    const { reprise } = instance("a");
    const working = gate<unknown>();
    running(() => working.passed);
    await reprise.start();
    broker.send(seat("A"));
    for (let second = 0; second < 20; second += 1) await clock.advance(1_000);
    working.open(1);
    await clock.advance(1);
    expect(broker.renewals()).toBeGreaterThan(10);
    expect(broker.settlements).toEqual(["acknowledge"]);
    await reprise.close();
  });

  test("that was lost settles nothing: the copy is answered from the ledger", async () => {
    const { broker, runs, instance, running, clock } = stand();
    const { reprise } = instance("a");
    const working = gate<unknown>();
    running(() => working.passed);
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    broker.crash();
    working.open(1);
    for (let second = 0; second < 5; second += 1) await clock.advance(1_000);
    expect(runs).toEqual(["A"]);
    expect(broker.settlements).toEqual(["acknowledge"]);
    expect(broker.left()).toBe(0);
    await reprise.close();
  });
});

describe("closing", () => {
  test("settles what is at work, gives back what waits, and receives nothing more", async () => {
    const { broker, runs, instance, running, clock } = stand({ inOrderBy: ({ seat }) => seat });
    const { reprise } = instance("a");
    const working = gate<unknown>();
    running(() => working.passed);
    await reprise.start();
    for (const reference of ["A", "B"]) broker.send(seat(reference));
    await clock.advance(1);
    const closing = reprise.close();
    await clock.advance(1);
    broker.send(seat("C"));
    await clock.advance(1);
    working.open(1);
    await clock.advance(1);
    await closing;
    expect(runs).toEqual(["A"]);
    expect(broker.settlements).toEqual(["acknowledge", "return"]);
    expect(broker.left()).toBe(2);
  });

  test("a consumer that is paused keeps receiving nothing until it is resumed", async () => {
    const { broker, runs, instance, clock } = stand();
    const { reprise, consumer } = instance("a");
    await reprise.start();
    consumer.pause();
    broker.send(seat("A"));
    await clock.advance(10_000);
    expect(runs).toEqual([]);
    consumer.resume();
    await clock.advance(1);
    expect(runs).toEqual(["A"]);
    await reprise.close();
  });
});

describe("a declaration", () => {
  test("whose outcomes are forgotten before the last redelivery is refused at the start, with what to write", async () => {
    for (const [horizonMs, options, mend] of [
      [7 * 86_400_000, {}, /retention to 604800s or more/],
      [null, {}, /Set 'deliveredWithin'/],
      [null, { deliveredWithin: "2d" }, /retention to 172800s or more/],
    ] as const) {
      const { instance, broker, runs } = stand({ horizonMs, ...options });
      const { reprise, consumer } = instance("a");
      broker.send(seat("A"));
      await reprise.start();
      await expect(consumer.ready).rejects.toMatchObject({
        code: "REPRISE_BAD_DECLARATION",
        message: expect.stringMatching(mend),
      });
      expect(runs).toEqual([]);
      await reprise.close();
    }
  });

  test("whose 'key' or 'inOrderBy' is no function is refused", () => {
    for (const property of ["key", "inOrderBy"]) {
      const { instance } = stand({ [property]: "reference" as never });
      expect(() => instance("a")).toThrow(new RegExp(`'${property}' is no function`));
    }
  });

  test("of what costs money if it runs twice is refused where the ledger ends with its process, but in a test", async () => {
    vi.stubEnv("NODE_ENV", "production");
    const { instance, broker, runs, clock } = stand();
    const { reprise, consumer } = instance("a");
    broker.send(seat("A"));
    await reprise.start();
    await expect(consumer.ready).rejects.toMatchObject({
      code: "REPRISE_BAD_DECLARATION",
      message: expect.stringMatching(/Use one that does/),
    });
    await clock.advance(1_000);
    expect(runs).toEqual([]);
    await reprise.close();
    vi.unstubAllEnvs();
  });
});
