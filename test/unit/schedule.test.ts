import { describe, expect, test } from "vitest";
import { createReprise, type ScheduleRun, unchecked } from "../../src/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { answers, begin, declare, minute, quarter, stand, told } from "./schedule-stand.ts";

describe("a tick", () => {
  test("runs at its nominal instant, once, and is written down", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    const ticks: string[] = [];
    const schedule = declare(reprise, { run: async ({ tick }) => void ticks.push(tick.at.toISOString()) });
    await reprise.start();
    await clock.advance(31 * minute);
    expect(ticks).toEqual(["2026-01-01T00:15:00.000Z", "2026-01-01T00:30:00.000Z"]);
    const { next, running, handledUntil, ticks: ends } = await schedule.standing();
    expect({ next, running, handledUntil }).toEqual({
      ...{ next: new Date(begin + 45 * minute), running: null, handledUntil: new Date(begin + 30 * minute) },
    });
    expect(ends[0]).toEqual({
      ...{ at: new Date(begin + quarter), is: "ran", from: null, ticks: 1, startedAt: new Date(begin + quarter) },
      ...{ endedAt: new Date(begin + quarter), lateMs: 0, holder: "a", counts: null, why: null },
    });
    await reprise.close();
  });

  test("is a run of the operation of its name, whose identity is the instant", async () => {
    const { clock, ledger, instance } = stand();
    const reprise = instance("a");
    declare(reprise, { run: async () => 1 });
    await reprise.start();
    await clock.advance(quarter);
    const [run] = await ledger.recent({ limit: 1 });
    expect(run).toMatchObject({ operation: "enrich", identity: "2026-01-01T00:15:00.000Z", state: "done" });
    await reprise.close();
  });

  test("that fails is tried again while the next is not due, and then recorded with the error's class, never its text", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    let runs = 0;
    const schedule = declare(reprise, {
      run: async ({ pinned }) => {
        await pinned("now", clock.now());
        runs += 1;
        throw new TypeError("customer 4711");
      },
    });
    await reprise.start();
    await clock.advance(quarter + minute);
    expect(runs).toBe(3);
    const { ticks } = await schedule.standing();
    expect(ticks).toMatchObject([{ is: "failed", why: "TypeError" }]);
    await reprise.close();
  });

  test("run by hand again replays what ran, and goes on with what failed", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    let fails = true;
    const calls: string[] = [];
    const schedule = declare(reprise, {
      run: async ({ effect }) => {
        await effect("bill", { ifUnknown: "retry", run: async () => void calls.push("bill") });
        if (fails) throw new Error("later");
        calls.push("done");
      },
    });
    await reprise.start();
    await clock.advance(quarter + minute);
    expect(await told(schedule)).toEqual([[15, "failed"]]);
    fails = false;
    expect(await schedule.run()).toMatchObject({ is: "ran", at: new Date(begin + quarter) });
    expect(await schedule.run({ at: new Date(begin + quarter) })).toMatchObject({ is: "ran" });
    expect(calls).toEqual(["bill", "done"]);
    expect(await told(schedule)).toEqual([[15, "ran"]]);
    await expect(schedule.run({ at: new Date(begin + 1) })).rejects.toMatchObject({ code: "REPRISE_NO_SUCH_TICK" });
    await expect(schedule.run({ at: new Date(begin + 30 * minute) })).rejects.toMatchObject({
      code: "REPRISE_NO_SUCH_TICK",
    });
    await expect(schedule.run({ at: new Date("yesterday") })).rejects.toMatchObject({ code: "REPRISE_NO_SUCH_TICK" });
    await reprise.close();
  });

  test("that has run stays as it ran when it is replayed by hand: neither late, nor counted, nor told again", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    const told: string[] = [];
    reprise.on("schedule.tick", ({ is }) => told.push(is));
    const schedule = declare(reprise, { run: async () => {} });
    await reprise.start();
    await clock.advance(quarter + minute);
    const { ticks } = await schedule.standing();
    await clock.advance(5 * minute);
    expect(await schedule.run()).toEqual(ticks[0]);
    expect((await schedule.standing()).ticks).toEqual(ticks);
    expect(told).toEqual(["ran"]);
    await reprise.close();
  });

  test("whose effect honours no key ends as unknown, and is never billed a second time", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    let bills = 0;
    const schedule = declare(reprise, {
      run: async ({ pinned }) => {
        await pinned("price", async () => {
          bills += 1;
          throw new Error("the line went dead");
        });
      },
    });
    await reprise.start();
    await clock.advance(quarter + 5 * minute);
    expect((await schedule.standing()).ticks).toMatchObject([{ is: "unknown", why: "price" }]);
    expect(await schedule.run()).toMatchObject({ is: "unknown" });
    expect(bills).toBe(1);
    await reprise.close();
  });

  test("does not start in a pause, whose end is one entry with who and why", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    let runs = 0;
    const schedule = declare(reprise, {
      run: async () => {
        runs += 1;
      },
    });
    await reprise.start();
    expect(await schedule.pause({ who: "ada", why: "maintenance" })).toBe(true);
    expect(await schedule.pause({ who: "bob", why: "too" })).toBe(false);
    await clock.advance(46 * minute);
    expect(runs).toBe(0);
    expect(await schedule.standing()).toMatchObject({ next: null, paused: { who: "ada", why: "maintenance" } });
    expect(await schedule.resume({ who: "bob", why: "done" })).toBe(true);
    expect(await schedule.resume({ who: "bob", why: "done" })).toBe(false);
    await clock.advance(quarter);
    expect(runs).toBe(1);
    expect((await schedule.standing()).ticks).toMatchObject([
      { is: "paused", ticks: 3, why: "paused by ada: maintenance; resumed by bob: done" },
      { is: "ran", at: new Date(begin + 60 * minute) },
    ]);
    await expect(schedule.pause({ who: " ", why: "x" })).rejects.toMatchObject({ code: "REPRISE_NOTE_MISSING" });
    // it stands in the register with every end of a pause: one line, and no book
    for (const why of ["x".repeat(1_001), "a\nb"]) {
      await expect(schedule.pause({ who: "ada", why })).rejects.toMatchObject({ code: "REPRISE_NOTE_MISSING" });
    }
    await reprise.close();
  });

  test("goes by the store's clock, not by its own", async () => {
    const store = manualClock({ now: begin });
    const clock = manualClock({ now: begin + 7 * minute });
    const ledger = memoryLedger({ clock: store });
    const reprise = stand().instance("a", ledger);
    let runs = 0;
    const schedule = declare(reprise, {
      run: async () => {
        runs += 1;
      },
    });
    await reprise.start({ clock });
    const both = async (ms: number) => {
      for (let left = ms; left > 0; left -= minute) {
        await store.advance(minute);
        await clock.advance(minute);
      }
    };
    await clock.advance(0);
    await both(14 * minute);
    expect(runs).toBe(0);
    await both(2 * minute);
    expect(await told(schedule)).toEqual([[15, "ran"]]);
    await reprise.close();
  });
});

describe("an instance", () => {
  test("that only looks writes nothing, and a schedule that nobody has seen says so", async () => {
    const { ledger, instance } = stand();
    const reprise = instance("a");
    const schedule = declare(reprise, { run: async () => {} });
    expect(await schedule.standing()).toMatchObject({ since: null, next: new Date(begin + quarter), ticks: [] });
    expect(schedule.next(2)).toEqual([new Date(begin + quarter), new Date(begin + 2 * quarter)]);
    expect(await ledger.registers?.read("schedule/shop/enrich")).toBeNull();
    await reprise.close();
  });

  test("without workers leaves ticks to others", async () => {
    const { clock, ledger } = stand();
    const reprise = createReprise({ service: "shop", owner: "team", ledger, clock, workers: 0 });
    let runs = 0;
    reprise.schedule({
      ...answers,
      run: async () => {
        runs += 1;
      },
    });
    await reprise.start();
    await clock.advance(31 * minute);
    expect(runs).toBe(0);
    await reprise.close();
  });

  test("tells a schedule's questions with their answers, and not those of the operation that its ticks are", async () => {
    const reprise = stand().instance("a");
    declare(reprise, { run: async () => {} });
    expect(reprise.decisions()).toEqual([
      {
        ...{ kind: "schedule", name: "enrich", owner: "team", undecided: [] },
        answers: {
          owner: { is: "declared", value: "team" },
          costIfTwice: { is: "declared", value: "money" },
          at: { is: "declared", value: "*/15 * * * *" },
          timeZone: { is: "declared", value: "UTC" },
          ifStillRunning: { is: "declared", value: "walk-away" },
          ifMissed: { is: "declared", value: "the latest within 6h" },
          retention: { is: "declared", value: "90d" },
          lease: { is: "default", value: "30s" },
          leases: { is: "default", value: "kept by the ledger" },
        },
      },
    ]);
    await reprise.close();
  });

  test.each<readonly [object, RegExp]>([
    [{ name: "" }, /has no name/],
    [{ name: "x".repeat(300) }, /longer than 255/],
    [{ at: "61 * * * *" }, /no cron expression/],
    [{ timeZone: undefined }, /has no time zone/],
    [{ every: "5m" }, /counts from the epoch/],
    [{ every: "1.0005s", at: undefined, timeZone: undefined }, /no whole number of milliseconds/],
    [{ every: "0s", at: undefined, timeZone: undefined }, /is no duration/],
    [{ ifStillRunning: undefined }, /'ifStillRunning' does not say/],
    [{ ifMissed: undefined }, /does not say what becomes of ticks/],
    [{ ifMissed: { run: "every", within: "1h", atMost: 1 } }, /never catch up/],
    [{ retention: undefined }, /has no retention/],
    [{ run: undefined }, /neither 'run' alone/],
    [{ work: () => [] }, /neither 'run' alone/],
    [{ run: undefined, work: () => [], each: { name: "x" } }, /'each' is no operation/],
    [{ atOnce: 0 }, /'atOnce' is no whole number/],
  ])("refuses what no compiler saw: %o", async (given, why) => {
    const reprise = stand().instance("a");
    expect(() => declare(reprise, { run: async () => {}, ...given })).toThrow(why);
    await reprise.close();
  });
});

describe("a work list", () => {
  const record = { principal: "everyone", retention: "90d", ifRunsAgain: "replays", costIfTwice: "money" } as const;

  test("runs each record once, whatever lists it again, and counts how each ended", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    const billed: string[] = [];
    const enrichOne = reprise.operation({
      ...{ ...record, name: "enrich.one", effects: "external" },
      input: unchecked<{ readonly id: string }>(),
      identity: ({ id }) => [id],
      refusals: { gone: { status: 404, because: "It is gone." } },
      run: async ({ input, effect, refuse }) => {
        if (input.id === "gone") throw refuse("gone");
        if (input.id === "bad") throw new Error("bad");
        await effect("bill", {
          ifUnknown: input.id === "dead" ? "park" : "retry",
          run: async () => {
            if (input.id === "dead") throw new Error("no answer");
            billed.push(input.id);
          },
        });
      },
    });
    const lists: number[] = [];
    const schedule = reprise.schedule({
      ...answers,
      work: async ({ tick, tx }) => {
        lists.push(tick.at.getTime() - begin);
        tx.set("read", 1);
        return ["a", "gone", "bad", "dead", "b"].map((id) => ({ id }));
      },
      each: enrichOne,
      atOnce: 2,
    });
    await reprise.start();
    await clock.advance(30 * minute);
    const { ticks } = await schedule.standing();
    expect(lists).toEqual([quarter, 2 * quarter]);
    expect(billed.sort()).toEqual(["a", "b"]);
    expect(ticks.map(({ counts }) => counts)).toEqual([
      { records: 5, ran: 2, replayed: 0, refused: 1, unknown: 1, failed: 1, running: 0 },
      { records: 5, ran: 0, replayed: 2, refused: 1, unknown: 1, failed: 1, running: 0 },
    ]);
    expect(ticks[0]?.why).toBe("2 of 5 records did not end");
    await reprise.close();
  });

  test("has no more records under way than it may, and starts none once the instance closes", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    const waiting: (() => void)[] = [];
    const slow = reprise.operation({
      ...{ ...record, name: "slow", effects: "external" },
      input: unchecked<number>(),
      identity: (id) => [id],
      run: () => new Promise<void>((resolve) => waiting.push(resolve)),
    });
    const list = Array.from({ length: 10 }, (_, id) => id);
    const schedule = reprise.schedule({ ...answers, work: () => list, each: slow, atOnce: 3 });
    await reprise.start();
    await clock.advance(quarter);
    expect(waiting).toHaveLength(3);
    waiting[0]?.();
    await clock.advance(1);
    expect(waiting).toHaveLength(4);
    const closing = reprise.close();
    await clock.advance(1);
    for (const resolve of waiting) resolve();
    await clock.advance(1);
    await closing;
    expect(waiting).toHaveLength(4);
    void schedule;
    const other = instance("b");
    const ids: number[] = [];
    const again = other.operation({
      ...{ ...record, name: "slow", effects: "external" },
      input: unchecked<number>(),
      identity: (id) => [id],
      run: async ({ input }) => void ids.push(input),
    });
    const resumed = other.schedule({ ...answers, work: () => list, each: again });
    await other.start();
    await clock.advance(1_000);
    expect(ids.sort()).toEqual([4, 5, 6, 7, 8, 9]);
    expect((await resumed.standing()).ticks).toMatchObject([
      { is: "ran", counts: { records: 10, ran: 6, replayed: 4 } },
    ]);
    await other.close();
  });
});

describe("a transaction of a tick", () => {
  test("commits nothing once another has taken the schedule's lease", async () => {
    const { clock, ledger, instance } = stand();
    const reprise = instance("a");
    let reached = () => {};
    const inside = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const errors: unknown[] = [];
    declare(reprise, {
      run: async ({ transaction }: ScheduleRun<MemoryTransaction>) => {
        await transaction(async (tx) => {
          tx.set("row", "written");
          reached();
          await gate;
        }).catch((error: unknown) => {
          errors.push(error);
          throw error;
        });
      },
    });
    await reprise.start();
    await clock.advance(quarter);
    await inside;
    const { leases } = ledger;
    const key = "schedule/shop/enrich";
    const standing = await leases?.look(key);
    expect(standing).toMatchObject({ holder: "a", token: 1 });
    // as a pause of the process would have it
    clock.jump(31_000);
    const taken = await leases?.acquire({ name: key, holder: "b", attempt: "other" as never, leaseMs: 30_000 });
    expect(taken).toEqual({ is: "acquired", token: 2 });
    goOn();
    await clock.advance(1);
    expect(errors).toMatchObject([{ code: "REPRISE_LEASE_LOST" }]);
    expect(ledger.rows.has("row")).toBe(false);
    await reprise.close();
  });
});
