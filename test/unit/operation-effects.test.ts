import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { expect, test } from "vitest";
import { nameOf, newWorkId } from "../../src/base/names.ts";
import { store as storeValue } from "../../src/base/storable.ts";
import { type Clock, createReprise, type Ledger, outcomeOf, Refusal, unchecked } from "../../src/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { alice, createBookings, gate } from "../support/bookings.ts";

const lost = async () => {
  throw new Error("connection reset");
};

test("retry: an effect whose answer was lost is sent again under the same key", async () => {
  const { book, gateway } = createBookings();
  gateway.next = [
    async (key) => {
      gateway.charges.set(key, { id: "ch_1" });
      throw new Error("connection reset");
    },
  ];
  await expect(book.execute(alice)).rejects.toThrow("connection reset");
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false, value: { charge: "ch_1" } });
  expect(gateway.calls[0]?.key).toBe(gateway.calls[1]?.key);
  expect(gateway.charges.size).toBe(1);
});

test("park: an effect that failed without an answer makes the outcome unknown, for every caller, and is never sent again", async () => {
  const { book, gateway, clock } = createBookings({ ifUnknown: "park" });
  gateway.next = [lost];
  expect(await book.execute(alice)).toMatchObject({ status: "unknown", effect: "charge" });
  clock.jump(3_600_000);
  expect(await book.execute(alice)).toMatchObject({ status: "unknown", effect: "charge" });
  await expect(book.run(alice)).rejects.toMatchObject({ code: "REPRISE_UNKNOWN", status: 503 });
  expect(gateway.calls).toHaveLength(1);
});

test("ask: yes is pinned without a second call", async () => {
  const { book, gateway } = createBookings({ ifUnknown: "ask" });
  gateway.next = [
    async (key) => {
      gateway.charges.set(key, { id: "ch_1" });
      throw new Error("connection reset");
    },
  ];
  await expect(book.execute(alice)).rejects.toThrow("connection reset");
  expect(await book.execute(alice)).toMatchObject({ status: "done", value: { charge: "ch_1" } });
  expect(gateway.calls).toHaveLength(1);
});

test("ask: no counts only once the first call can no longer arrive", async () => {
  const { book, gateway, clock } = createBookings({ ifUnknown: "ask" });
  gateway.next = [lost];
  await expect(book.execute(alice)).rejects.toThrow("connection reset");
  const early = await book.execute(alice);
  expect(early).toMatchObject({ status: "running" });
  expect(gateway.calls).toHaveLength(1);
  // deadline 5 s and flight 5 s after the start
  await clock.advance(9_000);
  expect(await book.execute(alice)).toMatchObject({ status: "running" });
  await clock.advance(1_500);
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  expect(gateway.calls).toHaveLength(2);
});

test("ask: a question that is never answered parks the work", async () => {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const reprise = createReprise({ service: "s", undecided: "listed", ledger, clock });
  const questions: string[] = [];
  const refund = reprise.operation({
    name: "refund",
    input: unchecked<{ readonly id: string }>(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "external",
    run: ({ effect }) =>
      effect("pay", {
        run: lost,
        arrivesWithin: "1s",
        ifUnknown: async (key) => {
          questions.push(key);
          throw new Error("503");
        },
      }),
  });
  await expect(refund.execute({ id: "r" })).rejects.toThrow("connection reset");
  const asked = refund.execute({ id: "r" });
  await clock.advance(5_000);
  expect(await asked).toMatchObject({ status: "unknown", effect: "pay" });
  expect(questions).toHaveLength(3);
});

test("an effect that gives no answer by its deadline is aborted; its late answer is kept all the same", async () => {
  const { book, gateway, clock } = createBookings();
  const answer = gate<{ readonly id: string }>();
  let aborted = false;
  gateway.next = [
    (_, signal) => {
      signal.addEventListener("abort", () => {
        aborted = true;
      });
      return answer.passed;
    },
  ];
  const first = expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_EFFECT_TIMEOUT" });
  await clock.advance(20_000);
  await first;
  expect(aborted).toBe(true);
  answer.open({ id: "ch_late" });
  await clock.advance(0);
  expect(await book.execute(alice)).toMatchObject({ status: "done", value: { charge: "ch_late" } });
  expect(gateway.calls).toHaveLength(1);
});

test("P5, P10: a paused owner wakes up after another finished: it calls nothing, writes nothing, and answers what is stored", async () => {
  const first = createBookings();
  const { clock, gateway, store } = first;
  const second = createBookings({ sharing: { clock, store, gateway } });
  const hold = gate();
  first.at.start = () => hold.passed;
  // a stopped process renews nothing
  for (let call = 1; call <= 500; call += 1) first.faulty.fail("renew", { call });
  let signal: AbortSignal | undefined;
  first.at.start = (given) => {
    signal = given;
    return hold.passed;
  };
  const zombie = first.book.execute(alice);
  await clock.advance(31_000);
  expect(signal?.aborted).toBe(true);
  expect(await second.book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  hold.open();
  expect(await zombie).toMatchObject({ status: "done", replayed: true, value: { charge: "ch_1" } });
  expect(gateway.calls).toHaveLength(1);
  expect(first.bookings()).toBe(1);
});

test("P6, P10: a paused owner's transaction does not commit after another took over", async () => {
  const first = createBookings();
  const { clock, gateway, store } = first;
  const second = createBookings({ sharing: { clock, store, gateway } });
  const hold = gate();
  first.at.charged = () => hold.passed;
  for (let call = 1; call <= 500; call += 1) first.faulty.fail("renew", { call });
  const zombie = first.book.execute(alice);
  await clock.advance(31_000);
  const taken = await second.book.execute(alice);
  expect(taken).toMatchObject({ status: "done", replayed: false, value: { charge: "ch_1" } });
  hold.open();
  expect(await zombie).toMatchObject({ status: "done", replayed: true });
  expect(gateway.calls).toHaveLength(1);
  expect(first.bookings()).toBe(1);
});

test("a lease is renewed for as long as the run takes", async () => {
  const { book, at, clock, faulty } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const running = book.execute(alice);
  await clock.advance(120_000);
  expect(faulty.calls("renew")).toBeGreaterThan(10);
  hold.open();
  expect(await running).toMatchObject({ status: "done", replayed: false });
  expect(clock.pending()).toBeLessThan(6);
});

test("P7: a refusal over an earlier attempt's charge is not stored: the work waits for a person", async () => {
  const { book, at, gateway } = createBookings();
  at.charged = lost;
  await expect(book.execute(alice)).rejects.toThrow("connection reset");
  at.start = async () => {
    throw new Refusal("sold-out", undefined);
  };
  expect(await book.execute(alice)).toMatchObject({ status: "unknown" });
  expect(gateway.calls).toHaveLength(1);
});

test("P7: a swallowed error of an effect does not complete over it", async () => {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
  const careless = reprise.operation({
    name: "careless",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async ({ effect }) => {
      await effect("send", { ifUnknown: "retry", run: lost }).catch(() => {});
      return "fine";
    },
  });
  expect(await careless.execute({})).toMatchObject({ status: "unknown" });
});

test("a transaction that failed and was caught left nothing, so the run may complete without it", async () => {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const reprise = createReprise({ service: "s", undecided: "listed", ledger, clock });
  const careful = reprise.operation({
    name: "careful",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async ({ transaction }) => {
      await transaction(async (tx) => {
        tx.set("row", 1);
        throw new Error("constraint");
      }).catch(() => {});
      return "fine";
    },
  });
  expect(await careful.execute({})).toMatchObject({ status: "done", value: "fine" });
  expect(ledger.rows.size).toBe(0);
});

test("an answer that differs from the pinned one is raised: the effect may have happened twice", async () => {
  const { book, gateway, store } = createBookings();
  gateway.next = [
    async () => {
      // somebody else's answer is pinned while this call is under way
      const [run] = await store.recent({ limit: 1 });
      if (run === undefined) throw new Error("no run");
      await store.pin(run.id, "charge", '1[{"is":1,"value":2},"value",{"id":3},"ch_other"]');
      return { id: "ch_mine" };
    },
  ];
  await expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_EFFECT_TWICE" });
  expect(await book.execute(alice)).toMatchObject({ status: "done", value: { charge: "ch_other" } });
});

test("an answer that cannot be stored parks the work: it happened, and nobody can go on from it", async () => {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
  let calls = 0;
  const odd = reprise.operation({
    name: "odd",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async ({ effect }) => {
      await effect("send", {
        ifUnknown: "retry",
        run: async () => {
          calls += 1;
          return { answer: () => 1 };
        },
      });
      return 1;
    },
  });
  expect(await odd.execute({})).toMatchObject({ status: "unknown", effect: "send" });
  expect(await odd.execute({})).toMatchObject({ status: "unknown", effect: "send" });
  expect(calls).toBe(1);
});

test.each([
  ["one name for two effects", "REPRISE_EFFECT_NAME_TWICE"],
  ["an effect inside a transaction", "REPRISE_EFFECT_IN_TRANSACTION"],
  ["an effect that nobody awaits", "REPRISE_EFFECT_NOT_AWAITED"],
  ["two transactions without names", "REPRISE_EFFECT_NAME_TWICE"],
])("%s is refused with its code", async (what, code) => {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
  const send = { ifUnknown: "retry", run: async () => 1 } as const;
  const wrong = reprise.operation({
    name: "wrong",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async ({ effect, transaction }) => {
      switch (what) {
        case "one name for two effects":
          await effect("send", send);
          return effect("send", send);
        case "an effect inside a transaction":
          return transaction(() => effect("send", send));
        case "an effect that nobody awaits":
          void effect("send", send);
          return 1;
        default:
          await transaction(async () => 1);
          return transaction(async () => 2);
      }
    },
  });
  await expect(wrong.execute({})).rejects.toMatchObject({ code });
});

test("several transactions with names each commit once", async () => {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const reprise = createReprise({ service: "s", undecided: "listed", ledger, clock });
  let fail = true;
  let bodies = 0;
  const twice = reprise.operation({
    name: "twice",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async ({ transaction }) => {
      const add = (name: string) =>
        transaction(
          async (tx) => {
            bodies += 1;
            const sum = Number(tx.get("sum") ?? 0) + 1;
            tx.set("sum", sum);
            return sum;
          },
          { name },
        );
      await add("first");
      if (fail) throw new Error("between");
      return add("second");
    },
  });
  await expect(twice.execute({})).rejects.toThrow("between");
  fail = false;
  expect(await twice.execute({})).toMatchObject({ status: "done", value: 2 });
  expect(bodies).toBe(2);
  expect(ledger.rows.get("sum")).toBe(2);
});

test("a transaction whose commit was in doubt is adopted by the next attempt, not repeated", async () => {
  const { book, faulty, bookings } = createBookings();
  faulty.lose("transact");
  await expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  expect(bookings()).toBe(1);
  expect(await book.execute(alice)).toMatchObject({ status: "done", value: { reference: "BK-1" } });
  expect(faulty.calls("transact")).toBe(1);
});

test("a completer resumes abandoned work that keeps its input, without any caller", async () => {
  const crashed = createBookings({ resumes: "by-itself" });
  const { clock, gateway, store } = crashed;
  // the process dies after the charge: nothing of it runs on, and its lease ends
  crashed.at.charged = () => new Promise(() => {});
  for (let call = 1; call <= 2_000; call += 1) {
    crashed.faulty.fail("renew", { call });
    crashed.faulty.fail("abandoned", { call });
  }
  void crashed.book.execute(alice);
  await clock.advance(1_000);
  expect(gateway.calls).toHaveLength(1);
  const other = createBookings({ resumes: "by-itself", sharing: { clock, store, gateway } });
  await other.reprise.start();
  await clock.advance(40_000);
  expect(other.bookings()).toBe(1);
  expect(gateway.calls).toHaveLength(1);
  expect(await other.book.execute(alice)).toMatchObject({ status: "done", replayed: true });
});

test("a completer gives work that fails each time ever longer pauses, and in the end leaves it to its callers", async () => {
  const { book, at, clock, reprise, gateway } = createBookings({ resumes: "by-itself" });
  at.charged = lost;
  await expect(book.execute(alice)).rejects.toThrow("connection reset");
  const attempts: number[] = [];
  at.start = async () => {
    attempts.push(clock.monotonic());
  };
  await reprise.start();
  await clock.advance(3_600_000);
  expect(attempts).toHaveLength(10);
  const pauses = attempts.slice(1).map((instant, place) => instant - (attempts[place] ?? 0));
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  at.charged = async () => {};
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  expect(gateway.calls).toHaveLength(1);
});

/** Work of a process that died right after its claim, and another instance that may resume it. */
async function crashedBeforeAnyEffect() {
  const crashed = createBookings({ resumes: "by-itself" });
  const { clock, gateway, store } = crashed;
  crashed.at.start = () => new Promise(() => {});
  for (let call = 1; call <= 2_000; call += 1) {
    crashed.faulty.fail("renew", { call });
    crashed.faulty.fail("abandoned", { call });
  }
  void crashed.book.execute(alice);
  await clock.advance(0);
  return createBookings({ resumes: "by-itself", sharing: { clock, store, gateway } });
}

test("a resumed run that fails before any effect is resumed again: nobody else may ever come for it", async () => {
  const { reprise, at, clock, bookings } = await crashedBeforeAnyEffect();
  let attempts = 0;
  at.start = async () => {
    attempts += 1;
    if (attempts === 1) throw new Error("the database blinked");
  };
  await reprise.start();
  await clock.advance(60_000);
  expect(attempts).toBe(2);
  expect(bookings()).toBe(1);
});

test("callers' failed attempts do not count against those of the completer", async () => {
  const { book, at, clock, reprise, bookings } = createBookings({ resumes: "by-itself" });
  at.charged = lost;
  for (let attempt = 0; attempt < 15; attempt += 1) await book.execute(alice).catch(() => {});
  at.charged = async () => {};
  await reprise.start();
  await clock.advance(10_000);
  expect(bookings()).toBe(1);
});

test("a resumed run that never ends holds up no other work", async () => {
  const { book, at, clock, reprise, bookings } = createBookings({ resumes: "by-itself" });
  at.charged = lost;
  for (const reference of ["hangs", "b", "c"]) await book.execute({ ...alice, reference }).catch(() => {});
  let first = true;
  at.charged = async () => {
    if (first) {
      first = false;
      await new Promise(() => {});
    }
  };
  await reprise.start();
  await clock.advance(10_000);
  expect(bookings()).toBe(2);
});

test("work whose input cannot be read, or names other work now, is a person's and holds up no other work", async () => {
  const { book, at, clock, store } = createBookings({ resumes: "by-itself" });
  at.charged = lost;
  await book.execute(alice).catch(() => {});
  const [run] = await store.recent({ limit: 1 });
  const stale = { operation: "seat.book", name: nameOf("work", ["another"]), id: run?.id, token: run?.token };
  const unreadable = { ...stale, input: "not what store() wrote" };
  const renamed = { ...stale, id: newWorkId(), input: storeValue(alice, "input") };
  const noticed: unknown[] = [];
  const ledger: Ledger<MemoryTransaction> = {
    ...store,
    abandoned: async () => [unreadable, renamed] as never,
    parkStalled: async (work, why) => noticed.push([work, why]) > 0,
  };
  const other = createReprise({ service: "booking", undecided: "listed", ledger, clock });
  let runs = 0;
  other.operation({
    name: "seat.book",
    input: unchecked<typeof alice>(),
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "30d",
    effects: "external",
    resumes: "by-itself",
    run: async () => {
      runs += 1;
    },
  });
  await expect(other.start()).resolves.toBeUndefined();
  await clock.advance(2_000);
  expect(noticed).toEqual([
    [unreadable, "its input cannot be read"],
    [renamed, "REPRISE_BAD_DECLARATION"],
  ]);
  expect(runs).toBe(0);
});

test("background work runs in nobody's async context, whoever used the instance first", async () => {
  const requests = new AsyncLocalStorage<string>();
  const clock = manualClock();
  const store = memoryLedger({ clock });
  // a timer that remembers the context it was set in, as the real ones do
  const timers: Clock = {
    ...clock,
    timer: (ms, work, holding) => clock.timer(ms, AsyncResource.bind(work), holding),
  };
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: store, clock: timers });
  const seen: (string | undefined)[] = [];
  const note = reprise.operation({
    name: "note",
    input: unchecked<{ readonly fail: boolean; readonly id: string }>(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "external",
    resumes: "by-itself",
    run: async ({ effect }) => {
      seen.push(requests.getStore());
      await effect("send", { ifUnknown: "retry", run: async () => 1 });
      if (seen.length === 1) throw new Error("once");
    },
  });
  await requests.run("alice", () => note.execute({ fail: true, id: "a" }).catch(() => {}));
  await clock.advance(5_000);
  expect(seen).toEqual(["alice", undefined]);
});

test("a commit whose answer was lost changes caches all the same", async () => {
  const { book, faulty, reprise, store } = createBookings();
  const seats = reprise.cache.readThrough({
    name: "seats",
    scope: ["reference"],
    freshFor: "60s",
    load: async ({ reference }) => store.rows.has(`booking:${reference}`),
    changedBy: () => [outcomeOf(book, (input) => ({ reference: input.reference }))],
  });
  expect(await seats.get({ reference: "BK-1" })).toBe(false);
  faulty.lose("transact");
  await expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  expect(await seats.get({ reference: "BK-1" })).toBe(true);
});

test("looking for an outcome changes no cache", async () => {
  const { book, reprise } = createBookings();
  let loads = 0;
  const seats = reprise.cache.readThrough({
    name: "seats",
    scope: ["reference"],
    freshFor: "60s",
    load: async () => {
      loads += 1;
      return loads;
    },
    changedBy: () => [outcomeOf(book, (input) => ({ reference: input.reference }))],
  });
  await book.execute(alice);
  for (let look = 0; look < 5; look += 1) {
    await book.find(alice);
    await seats.get({ reference: "BK-1" });
  }
  expect(loads).toBe(1);
});

test("a late answer that differs is counted: the effect may have happened twice", async () => {
  const { book, gateway, clock, reprise } = createBookings();
  const late = gate<{ readonly id: string }>();
  gateway.next = [() => late.passed, async () => ({ id: "ch_second" })];
  const first = expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_EFFECT_TIMEOUT" });
  await clock.advance(20_000);
  await first;
  expect(await book.execute(alice)).toMatchObject({ status: "done", value: { charge: "ch_second" } });
  late.open({ id: "ch_first" });
  await clock.advance(0);
  expect(reprise["~inside"].operations()[0]?.counters.answeredTwice).toBe(1);
});

test("a question may be answered with a refusal, which is pinned", async () => {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
  let asked = 0;
  const pay = reprise.operation({
    name: "pay",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    refusals: { declined: { status: 402, because: "Declined." } },
    run: async ({ effect, refuse }) => {
      await effect("charge", {
        run: lost,
        arrivesWithin: "1s",
        ifUnknown: async () => {
          asked += 1;
          throw refuse("declined");
        },
      });
    },
  });
  await expect(pay.execute({})).rejects.toThrow("connection reset");
  expect(await pay.execute({})).toMatchObject({ status: "refused", code: "declined", replayed: false });
  expect(asked).toBe(1);
});

test("a swallowed start that wrote nothing does not park the work", async () => {
  const clock = manualClock();
  const { ledger, ...faulty } = faultyLedger(memoryLedger({ clock }));
  const reprise = createReprise({ service: "s", undecided: "listed", ledger, clock });
  const best = reprise.operation({
    name: "best-effort",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async ({ effect }) => {
      await effect("mail", { ifUnknown: "retry", run: async () => 1 }).catch(() => {});
      return "done";
    },
  });
  faulty.fail("start");
  expect(await best.execute({})).toMatchObject({ status: "done", replayed: false });
});

test("a renewal that is rejected is asked for again before the lease is over", async () => {
  const { book, at, clock, faulty } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const running = book.execute(alice);
  await clock.advance(0);
  for (let call = 1; call <= 5; call += 1) faulty.fail("renew", { call });
  await clock.advance(60_000);
  hold.open();
  expect(await running).toMatchObject({ status: "done", replayed: false });
});

test("a lost answer that nobody comes back for becomes a person's after abandonAfter", async () => {
  const crashed = createBookings();
  const { clock, gateway, store } = crashed;
  gateway.next = [() => new Promise(() => {})];
  for (let call = 1; call <= 2_000; call += 1) crashed.faulty.fail("renew", { call });
  crashed.book.execute(alice).catch(() => {});
  await clock.advance(10_000);
  const other = createBookings({ sharing: { clock, store, gateway } });
  await other.reprise.start();
  expect((await store.recent({ limit: 1 }))[0]?.state).toBe("running");
  await clock.advance(3_700_000);
  expect((await store.recent({ limit: 1 }))[0]?.state).toBe("unknown");
});

test("work is not parked for an answer that arrives while it is being parked", async () => {
  const first = createBookings({ ifUnknown: "park" });
  const { clock, gateway, store } = first;
  const answer = gate<{ readonly id: string }>();
  gateway.next = [() => answer.passed];
  for (let call = 1; call <= 500; call += 1) first.faulty.fail("renew", { call });
  const zombie = first.book.execute(alice);
  await clock.advance(0);
  expect(gateway.calls).toHaveLength(1);
  // its lease ends while the gateway is silent, and another instance is about to park the work
  await clock.advance(15_000);
  clock.jump(20_000);
  const second = createBookings({ ifUnknown: "park", sharing: { clock, store, gateway } });
  const parking = second.faulty.block("park");
  const taken = second.book.execute(alice);
  await parking.reached;
  answer.open({ id: "ch_late" });
  await clock.advance(0);
  parking.open();
  expect(await taken).toMatchObject({ status: "done", replayed: false, value: { charge: "ch_late" } });
  expect(gateway.calls).toHaveLength(1);
  expect(await zombie).toMatchObject({ status: "running" });
});
