import { describe, expect, test } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import { createReprise, type Schema, unchecked } from "../../src/index.ts";
import { type Seat, seat, stand } from "./consume-stand.ts";

describe("an error of the catalogue that a run throws is a failed attempt of its message", () => {
  test.each([
    ["the input of another operation is invalid", "REPRISE_INPUT_INVALID", { operation: "other", issues: [] }],
    ["another ledger is away", "REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "claim" }],
    ["another operation was fenced", "REPRISE_FENCED", { operation: "other" }],
    ["another instance is closed", "REPRISE_CLOSED", { service: "other" }],
  ] as const)("where %s", async (_, code, details) => {
    const { broker, runs, instance, running, clock } = stand({ attempts: 2 });
    const { reprise, consumer } = instance("a");
    running(() => Promise.reject(new RepriseError(code, details as never)));
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    broker.send(seat("B"));
    await clock.advance(2_000);
    expect(runs).toEqual(["A", "B", "A", "B"]);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed", "failed"]);
    expect(broker.deadLetters[0]?.why).toContain(code);
    expect(consumer.counts()).toMatchObject({ failed: 4, waited: 0 });
    await reprise.close();
  });

  test("unless its own ledger is away still: then there is nobody to count it, and nothing is set aside", async () => {
    let isAway = true;
    const { broker, instance, running, clock } = stand({
      attempts: 1,
      registers: (registers) => ({
        ...registers,
        read: (name) => {
          const away = new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "read register" });
          return isAway ? Promise.reject(away) : registers.read(name);
        },
      }),
    });
    const { reprise, consumer } = instance("a");
    running(async () => {
      if (isAway) throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "start" });
    });
    await reprise.start();
    broker.send(seat("A"));
    // the count is insisted on for 1.3 s, then the message waits
    for (let turn = 0; turn < 15; turn += 1) await clock.advance(100);
    isAway = false;
    for (let turn = 0; turn < 20; turn += 1) await clock.advance(1_000);
    expect(consumer.counts()).toMatchObject({ ran: 1, failed: 0 });
    expect(broker.deadLetters).toEqual([]);
    await reprise.close();
  });
});

describe("why a message is set aside", () => {
  test("says where its input is amiss in a bounded text, and nothing of what its schema says", async () => {
    const { broker, clock, faulty } = stand();
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger: faulty.ledger, clock });
    const issues = Array.from({ length: 3_000 }, (_, place) => ({ message: "got secret", path: ["seats\n", place] }));
    const strict = reprise.operation({
      name: "strict",
      input: {
        "~standard": {
          ...{ version: 1, vendor: "test" },
          validate: (value) => ({ issues: (value as Seat).seat === 1 ? issues.slice(0, 1) : issues }),
        },
      } satisfies Schema<Seat>,
      ...{ principal: "everyone", retention: "1d", effects: "external" },
      identity: ({ reference }) => [reference],
      run: async () => 1,
    });
    reprise.consume(strict, broker.source);
    await reprise.start();
    broker.send(seat("A", 1));
    await clock.advance(1);
    broker.send(seat("B", 2));
    await clock.advance(1);
    const [one, many] = broker.deadLetters.map(({ why }) => why);
    expect(one).toBe("its schema found 1 issue, at 'seats\u{fffd}.0'");
    expect(many).toMatch(/^its schema found 3000 issues, at 'seats\u{fffd}\.0', .* and others$/u);
    expect(many?.length).toBeLessThan(1_000);
    expect(many).not.toContain("secret");
    await reprise.close();
  });
});

describe("a run that outlives its lease", () => {
  test("each time is set aside after as many attempts as are allowed", async () => {
    const { broker, clock, faulty } = stand();
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger: faulty.ledger, clock });
    let runs = 0;
    const slow = reprise.operation({
      name: "slow",
      input: unchecked<Seat>(),
      ...{ principal: "everyone", retention: "1d", effects: "external" },
      identity: (input) => [input.reference],
      run: async ({ effect }) => {
        runs += 1;
        // as where the loop is blocked: nothing is renewed
        for (let call = 1; call <= 40; call += 1) faulty.fail("renew", { call });
        await new Promise<void>((resolve) => clock.timer(31_000, resolve));
        return effect("book", { ifUnknown: "retry", run: async () => 1 });
      },
    });
    reprise.consume(slow, broker.source, { attempts: 3, retryIn: ["1s"] });
    await reprise.start();
    broker.send(seat("A"));
    for (let second = 0; second < 150; second += 1) await clock.advance(1_000);
    expect(runs).toBe(3);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["failed"]);
    expect(broker.deadLetters[0]?.why).toContain("REPRISE_LEASE_LOST");
    await reprise.close();
  });
});

describe("a message that was done by the last attempt that it had", () => {
  test("is acknowledged when it comes again, though its process was killed before it could forget the count", async () => {
    const { broker, runs, instance, clock, source } = stand({
      attempts: 2,
      registers: (registers) => ({ ...registers, remove: () => Promise.reject(new Error("killed")) }),
    });
    broker.send(seat("A"));
    const others = await source.open(1);
    await others.pull(1, AbortSignal.timeout(1_000));
    await others.close();
    let isKilled = false;
    broker.beforeSettling(async () => {
      if (!isKilled) broker.crash();
      isKilled = true;
    });
    const { reprise, consumer } = instance("a");
    await reprise.start();
    for (let second = 0; second < 5; second += 1) await clock.advance(1_000);
    expect(isKilled).toBe(true);
    expect(runs).toEqual(["A"]);
    expect(broker.deadLetters).toEqual([]);
    expect(broker.left()).toBe(0);
    expect(consumer.counts()).toMatchObject({ received: 2, lost: 1, replayed: 1 });
    await reprise.close();
  });
});

describe("a message of which 'inOrderBy' makes nothing", () => {
  test("is set aside, and not run out of its order", async () => {
    const { broker, runs, instance, clock } = stand({
      inOrderBy: ({ reference }) => (reference === "none" ? ({} as never) : reference.trim()),
    });
    const { reprise } = instance("a");
    await reprise.start();
    broker.send({ reference: 1, seat: 1 });
    broker.send(seat("none"));
    broker.send(seat("A"));
    await clock.advance(1);
    expect(runs).toEqual(["A"]);
    expect(broker.deadLetters.map(({ reason }) => reason)).toEqual(["invalid", "invalid"]);
    expect(broker.deadLetters[0]?.why).toContain("inOrderBy");
    await reprise.close();
  });
});

describe("a settlement that the broker refuses", () => {
  test("is asked for again after pauses, said once, and lets others be run meanwhile", async () => {
    const { broker, runs, instance, clock, source } = stand({ atOnce: 2 });
    let [refusals, opened] = [0, 0];
    broker.beforeSettling(async (settlement) => {
      if (settlement.is !== "dead-letter" || refusals === 6) return undefined;
      refusals += 1;
      return "refused";
    });
    const warnings: string[] = [];
    const listen = ({ code }: { readonly code?: string }) => code !== undefined && warnings.push(code);
    process.on("warning", listen);
    const { open } = source;
    Object.assign(source, {
      open: (most: number) => {
        opened += 1;
        return open(most);
      },
    });
    const { reprise, consumer } = instance("a");
    await reprise.start();
    broker.send("no json");
    broker.send("no json either");
    await clock.advance(1);
    broker.send(seat("A"));
    await clock.advance(400);
    expect(runs).toEqual(["A"]);
    for (let second = 0; second < 60; second += 1) await clock.advance(1_000);
    expect(broker.deadLetters).toHaveLength(2);
    expect([refusals, opened]).toEqual([6, 1]);
    expect(warnings.filter((code) => code === "REPRISE_SOURCE_REFUSED")).toHaveLength(1);
    expect(consumer.counts()).toMatchObject({ lost: 0, setAside: { invalid: 2 } });
    process.off("warning", listen);
    await reprise.close();
  });
});

describe("a broker that is away", () => {
  test("is spoken of with the code of its error, again when it goes away again, and once a minute at most", async () => {
    let [isAway, receiving] = [true, 0];
    const { instance, clock, broker } = stand({
      through: (source) => ({
        ...source,
        open: async (most) => {
          if (isAway) throw Object.assign(new Error("secret"), { code: "ECONNREFUSED" });
          receiving += 1;
          return source.open(most);
        },
      }),
    });
    const warnings: string[] = [];
    const listen = ({ message, code }: Error & { readonly code?: string }) =>
      code === "REPRISE_SOURCE_FAILED" && warnings.push(message);
    process.on("warning", listen);
    const { reprise } = instance("a");
    await reprise.start();
    const seconds = async (count: number) => {
      for (let second = 0; second < count; second += 1) await clock.advance(1_000);
    };
    await seconds(30);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("ECONNREFUSED");
    expect(warnings[0]).not.toContain("secret");
    isAway = false;
    await seconds(20);
    expect(receiving).toBe(1);
    isAway = true;
    broker.crash();
    await seconds(5);
    expect(warnings).toHaveLength(1);
    await seconds(60);
    expect(warnings).toHaveLength(2);
    await seconds(120);
    expect(warnings).toHaveLength(2);
    process.off("warning", listen);
    await reprise.close();
  });
});

describe("a message that its operation's schema refuses", () => {
  const received = async (issues: readonly { readonly message: string; readonly path?: readonly string[] }[]) => {
    const { broker, clock, ledger } = stand();
    const strict: Schema<Seat> = { "~standard": { version: 1, vendor: "test", validate: () => ({ issues }) } };
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock });
    const book = reprise.operation({
      name: "strict",
      input: strict,
      ...{ principal: "everyone", retention: "1d", effects: "external" },
      identity: (input) => [input.reference],
      run: async () => 1,
    });
    reprise.consume(book, broker.source);
    await reprise.start();
    broker.send(seat("A"));
    await clock.advance(1);
    await reprise.close();
    return broker.deadLetters[0];
  };

  test("is set aside with where its issues lie and how many there are, and nothing that the schema quotes of it", async () => {
    const quoting = { message: "expected a number, received 'secret'" };
    const issues = [{ ...quoting, path: ["user", "seat"] }, { ...quoting, path: ["user", "name"] }, quoting];
    expect(await received(issues)).toMatchObject({
      reason: "invalid",
      why: "its schema found 3 issues, at 'user.seat', 'user.name'",
    });
  });

  test("is set aside with a reason that every broker's headers take, however many its issues and long their paths", async () => {
    const issues = Array.from({ length: 2_000 }, (_, index) => ({
      message: "no",
      path: ["\u{1f600}".repeat(99), `${index}`],
    }));
    const { why = "" } = (await received(issues)) ?? {};
    expect(why).toContain("2000 issues");
    expect(why.length).toBeLessThanOrEqual(1_000);
    // whole characters: half of one is no UTF-8
    expect(Buffer.from(why).toString()).toBe(why);
  });
});
