import { describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { lookAgainMs } from "../../src/operation/stay.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { lambda } from "../../src/transports/functions/aws.ts";
import { queue } from "../support/queue.ts";
import { gate, seat, stand } from "./functions-stand.ts";

/** When whoever finds work of `workMs` under way looks at it, and how late the last look is. */
function looks(workMs: number, takesMs: number | null): { readonly reads: number; readonly lateMs: number } {
  let at = 0;
  let reads = 1;
  for (; at < workMs; reads += 1) at += lookAgainMs(at, takesMs);
  return { reads, lateMs: at - workMs };
}

describe("whoever waits for another's work", () => {
  test.each([1, 100, 200, 450, 550])(
    "reads at most four times for work of %d ms, and is 300 ms late at most",
    (workMs) => {
      const { reads, lateMs } = looks(workMs, null);
      expect(reads).toBeLessThanOrEqual(4);
      expect(lateMs).toBeLessThanOrEqual(300);
    },
  );

  test.each([
    [2_000, 1_800],
    [2_000, 2_000],
    [2_000, 2_350],
    [30_000, 30_350],
  ])("does so where work is said to take %d ms, and takes %d ms", (takesMs, workMs) => {
    const { reads, lateMs } = looks(workMs, takesMs);
    expect(reads).toBeLessThanOrEqual(4);
    expect(lateMs).toBeLessThanOrEqual(300);
  });

  test("reads ever more seldom where nobody says how long it takes", () => {
    expect(looks(60_000, null)).toEqual({ reads: expect.any(Number), lateMs: expect.any(Number) });
    expect(looks(60_000, null).reads).toBeLessThan(30);
    expect(lookAgainMs(3_600_000, null)).toBe(5_000);
  });

  test("is not misled by a clock that was set back", () => {
    expect(lookAgainMs(-3_600_000, 2_000)).toBeLessThan(2_100);
  });

  test("looks in time where the store's clock is seconds ahead of its own", async () => {
    const clock = manualClock();
    const ledger = { ...memoryLedger({ clock }), close: async () => {} };
    const instance = (own: typeof clock) =>
      createReprise({ service: "shop", undecided: "listed", background: "elsewhere", ledger, clock: own }).operation({
        name: "seat.book",
        input: unchecked<{ readonly reference: string }>(),
        ifRunsAgain: "replays",
        costIfTwice: "trust",
        principal: "everyone",
        identity: ({ reference }) => [reference],
        retention: "1d",
        effects: "external",
        run: () => new Promise((resolve) => clock.timer(2_100, () => resolve(1))),
      });
    const winning = instance(clock).execute({ reference: "A1" });
    await clock.advance(10);
    let answeredAt = Number.POSITIVE_INFINITY;
    const stay = { ms: 60_000, waitMs: 60_000, takesMs: 2_000, afterwards: () => {} };
    const behind = { ...clock, now: () => clock.now() - 2_000 };
    const losing = instance(behind)["~carry"].execute({ reference: "A1" }, { stay });
    void losing.then(() => {
      answeredAt = clock.monotonic();
    });
    const beganAt = clock.monotonic() - 10;
    for (let turn = 0; turn < 48; turn += 1) await clock.advance(50);
    expect(answeredAt - beganAt).toBeLessThanOrEqual(2_400);
    for (let turn = 0; turn < 60; turn += 1) await clock.advance(50);
    expect((await losing).outcome).toMatchObject({ status: "done", value: 1 });
    await winning;
  });

  test.each([
    ["external", 50],
    ["external", 30_000],
    ["database", 30_000],
  ] as const)(
    "in the same process reads again with all others when %s work of %d ms has ended, not before and not later",
    async (effects, takesMs) => {
      const { book, running, reads, runs } = stand({ effects });
      const { opened, open } = gate();
      const begun = gate();
      running(() => {
        begun.open();
        return opened;
      });
      const stay = { ms: 60_000, waitMs: 60_000, takesMs, afterwards: () => {} };
      const first = book["~carry"].execute(seat("a"), { stay });
      await begun.opened;
      const others = Array.from({ length: 10 }, () => book["~carry"].execute(seat("a"), { stay }));
      await new Promise((resolve) => setTimeout(resolve, 200));
      const readsBefore = reads();
      open();
      const told = await Promise.all([first, ...others]);
      expect(told.map(({ outcome }) => outcome.status)).toEqual(Array(11).fill("done"));
      expect(runs).toEqual(["a"]);
      // of database work nobody but its own process sees a beginning, and needs no read for it
      expect(readsBefore).toBe(effects === "external" ? 2 : 1);
      expect(reads() - readsBefore).toBe(1);
    },
  );

  test.each(["external", "database"] as const)(
    "in the same process is told nothing of %s work that another one asks for with other input under the same identity",
    async (effects) => {
      const { book, faulty, runs } = stand({ effects });
      await book.execute(seat("a"));
      const asked = faulty.block(effects === "external" ? "claim" : "atomic");
      const stay = { ms: 60_000, waitMs: 0, takesMs: null, afterwards: () => {} };
      const call = (number: number) => book["~carry"].execute(seat("a", number), { stay });
      const calls = [call(1), call(1), call(2)];
      await asked.reached;
      asked.open();
      const told = await Promise.all(calls);
      expect(told.map(({ outcome }) => outcome.status)).toEqual(["done", "done", "mismatch"]);
      expect(runs).toEqual(["a"]);
    },
  );
});

describe("the lease of a function", () => {
  test("ends with the function, however often it is renewed, and then the next one takes over", async () => {
    const clock = manualClock();
    const faulty = faultyLedger(memoryLedger({ clock }));
    const leases: number[] = [];
    const { renew, claim } = faulty.ledger;
    const ledger = {
      ...faulty.ledger,
      claim: (request: Parameters<typeof claim>[0]) => {
        leases.push(request.leaseMs);
        return claim(request);
      },
      renew: (...given: Parameters<typeof renew>) => {
        leases.push(given[1]);
        return renew(...given);
      },
    };
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock, background: "elsewhere" });
    const { opened, open } = gate();
    let lost: unknown;
    const work = reprise.operation({
      name: "w",
      input: unchecked<string>(),
      principal: "everyone",
      identity: (input) => [input],
      retention: "1d",
      effects: "external",
      lease: "6s",
      run: async ({ signal }) => {
        signal.addEventListener("abort", () => {
          lost = (signal.reason as { readonly code: string }).code;
          open();
        });
        await opened;
      },
    });
    const stay = { ms: 8_000, waitMs: 0, takesMs: null, afterwards: () => {} };
    const told = work["~carry"].execute("a", { stay }).catch((error: { readonly code: string }) => error.code);
    for (let passed = 0; passed < 8_000; passed += 500) await clock.advance(500);
    expect(await told).toMatch(/REPRISE_(RUNNING|LEASE_LOST)/);
    expect(lost).toBe("REPRISE_LEASE_LOST");
    expect(leases[0]).toBe(6_000);
    // each from when it was sent to the same end
    expect(leases.slice(1, 4)).toEqual([6_000, 4_000, 2_000]);
    await reprise.close();
  });

  /** Database work that ends only when it is told to, by a clock that stands still. */
  const endless = () => {
    const clock = manualClock();
    const faulty = faultyLedger(memoryLedger({ clock }));
    const { ledger } = faulty;
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock, background: "elsewhere" });
    const begun = gate();
    const told: unknown[] = [];
    const work = reprise.operation({
      name: "w",
      input: unchecked<string>(),
      principal: "everyone",
      identity: (input) => [input],
      retention: "1d",
      effects: "database",
      run: ({ signal }) =>
        new Promise<never>((_, reject) => {
          begun.open();
          signal.addEventListener("abort", () => {
            told.push((signal.reason as { readonly code: string }).code);
            reject(signal.reason as Error);
          });
        }),
    });
    const stay = { ms: 5_000, waitMs: 0, takesMs: null, afterwards: () => {} };
    const execute = () => work["~carry"].execute("a", { stay }).catch((error: { readonly code: string }) => error.code);
    return { clock, faulty, reprise, begun, told, execute };
  };

  test("is what database work is told of by its signal, whose transaction would outlive it idle", async () => {
    const { clock, faulty, reprise, begun, told, execute } = endless();
    const executed = execute();
    await begun.opened;
    await clock.advance(5_000);
    expect(await executed).toMatch(/REPRISE_(RUNNING|LEASE_LOST)/);
    expect(told).toEqual(["REPRISE_LEASE_LOST"]);
    // rolled back, and free for the next one
    expect(await faulty.ledger.recent({ limit: 1 })).toEqual([]);
    await reprise.close();
  });

  test("begins nothing once the time is up, though the ledger answers then", async () => {
    const { clock, faulty, reprise, execute } = endless();
    const opening = faulty.block("open");
    const executed = execute();
    await opening.reached;
    await clock.advance(5_000);
    expect(await executed).toBe("REPRISE_LEDGER_AWAY");
    opening.open();
    await reprise.start();
    expect(faulty.calls("atomic")).toBe(0);
    await reprise.close();
  });

  test("is no longer than what is left, from the beginning", async () => {
    const { book, faulty, running } = stand();
    const { opened, open } = gate();
    const begun = gate();
    running(() => {
      begun.open();
      return opened;
    });
    const handler = lambda.sqs(book, { input: () => seat("a"), failed: () => {} });
    const record = { messageId: "1", body: "", attributes: { SentTimestamp: "0" }, eventSourceARN: "" };
    const called = handler({ Records: [record] }, { getRemainingTimeInMillis: () => 1_900 });
    await begun.opened;
    const [run] = await faulty.ledger.recent({ limit: 1 });
    expect((run?.leaseUntil ?? Infinity) - Date.now()).toBeLessThan(1_500);
    open();
    await called;
  });
});

describe("what goes on after the answer", () => {
  const twice = (waitUntil?: (work: Promise<unknown>) => void) => {
    const faulty = faultyLedger(memoryLedger());
    const reprise = createReprise({
      service: "shop",
      undecided: "listed",
      ledger: faulty.ledger,
      background: "elsewhere",
    });
    const pay = reprise.operation({
      name: "pay",
      input: unchecked<{ readonly id: string; readonly order: string }>(),
      principal: "everyone",
      identity: ({ id }) => [id],
      sameIntent: { of: ({ order }) => [order], within: "10m" },
      retention: "1d",
      effects: "external",
      run: async () => 1,
    });
    const handler = lambda.http(pay, {
      principal: "everyone",
      key: { header: "optional" },
      input: ({ request }) => request.json() as Promise<{ readonly id: string; readonly order: string }>,
      waitUntil,
    });
    const event = { body: JSON.stringify({ id: "1", order: "o" }), requestContext: { http: { method: "POST" } } };
    return { faulty, call: () => handler(event, { getRemainingTimeInMillis: () => 60_000 }) };
  };

  test("is awaited before it", async () => {
    const { faulty, call } = twice();
    const looking = faulty.block("twice");
    let answered = false;
    const called = call().then(() => {
      answered = true;
    });
    await looking.reached;
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    looking.open();
    await called;
  });

  test("is handed to the platform that waits for it, and the answer does not", async () => {
    const handed: Promise<unknown>[] = [];
    const { faulty, call } = twice((work) => handed.push(work));
    const looking = faulty.block("twice");
    expect(await call()).toMatchObject({ statusCode: 200 });
    expect(handed).toHaveLength(1);
    looking.open();
    await handed[0];
  });
});

describe("an instance whose background is elsewhere", () => {
  test("tells a consumer that it never begins, before and after the start", async () => {
    const clock = manualClock();
    const ledger = memoryLedger({ clock });
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock, background: "elsewhere" });
    const book = reprise.operation({
      name: "seat.book",
      input: unchecked<{ reference: string }>(),
      ...{ principal: "everyone", retention: "1d", effects: "external" },
      identity: ({ reference }) => [reference],
      run: async () => {},
    });
    const never = { code: "REPRISE_BAD_DECLARATION", message: expect.stringContaining('background: "elsewhere"') };
    const before = reprise.consume(book, queue({ clock }).source, { deliveredWithin: "1d" });
    await reprise.start();
    await expect(before.ready).rejects.toMatchObject(never);
    await before.close();
    const after = reprise.consume(book, queue({ clock }).source, { deliveredWithin: "1d" });
    await expect(after.ready).rejects.toMatchObject(never);
    await reprise.close();
  });

  test("runs what it is asked for, and looks at nothing by itself", async () => {
    const clock = manualClock();
    const faulty = faultyLedger(memoryLedger({ clock }));
    const written: unknown[] = [];
    const ledger = {
      ...faulty.ledger,
      journal: { ...faulty.ledger.journal, append: async (entry: unknown) => void written.push(entry) },
    };
    const reprise = createReprise({ service: "shop", undecided: "listed", ledger, clock, background: "elsewhere" });
    await reprise.start();
    for (let hour = 0; hour < 3; hour += 1) await clock.advance(3_600_000);
    expect(faulty.calls("sweep") + faulty.calls("abandoned") + faulty.calls("parkAbandoned")).toBe(0);
    expect(written).toEqual([]);
    await reprise.close();
  });

  test("is refused where it is misspelt", () => {
    const background = "nowhere" as "elsewhere";
    expect(() => createReprise({ service: "shop", undecided: "listed", background })).toThrow("background");
  });
});
