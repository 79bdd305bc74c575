import { expect, test } from "vitest";
import { createReprise, Refusal, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { alice, createBookings, gate, lost } from "../support/bookings.ts";

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

test("an effect's functions are called as its own, and a copy of the run has its signal", async () => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const signals: unknown[] = [];
  const order = reprise.operation({
    name: "order.place",
    input: unchecked<string>(),
    principal: "everyone",
    identity: (input) => [input],
    retention: "1d",
    effects: "external",
    run: async (run) => {
      const copy = { ...run };
      const { input, ...rest } = run;
      signals.push(run.signal, copy.signal, rest.signal);
      const charge = {
        gateway: { charge: async (key: string) => `${input} ${key.length}` },
        ifUnknown: "retry" as const,
        async run(key: string) {
          return this.gateway.charge(key);
        },
      };
      return copy.effect("charge", charge);
    },
  });
  expect(await order.run("tea")).toBe("tea 48");
  expect(signals[0]).toBeInstanceOf(AbortSignal);
  expect(new Set(signals).size).toBe(1);
  await reprise.close();
});
