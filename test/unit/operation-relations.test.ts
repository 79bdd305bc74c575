import { expect, test } from "vitest";
import { administer } from "../../src/admin/index.ts";
import { createReprise, isRepriseError, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, type ManualClock, manualClock } from "../../src/testing/index.ts";
import { gate } from "../support/bookings.ts";

interface Order {
  readonly user: string;
  readonly id: string;
}
const order: Order = { user: "ann", id: "o-1" };

/** An order whose payment is an operation of its own. Several instances may share a clock and a ledger. */
function createOrders(
  sharing: { readonly clock?: ManualClock; readonly store?: ReturnType<typeof memoryLedger> } = {},
) {
  const clock = sharing.clock ?? manualClock();
  const store = sharing.store ?? memoryLedger({ clock });
  const faulty = faultyLedger(store);
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: faulty.ledger, clock });
  const charges: string[] = [];
  const at = { paid: async () => {}, charged: async () => {} };
  const pay = reprise.operation({
    name: "payment",
    input: unchecked<{ readonly user: string; readonly amount: number }>(),
    principal: (input) => input.user,
    identity: (input) => [input.amount],
    retention: "1h",
    effects: "external",
    refusals: { declined: { status: 402, because: "The card was declined." } },
    run: async ({ input, effect, refuse }) => {
      if (input.amount > 100) throw refuse("declined");
      const charge = await effect("charge", {
        ifUnknown: "park",
        run: async (key) => {
          charges.push(key);
          return `ch_${charges.length}`;
        },
      });
      await at.charged();
      return charge;
    },
  });
  const place = reprise.operation({
    name: "order.place",
    input: unchecked<Order & { readonly amount?: number }>(),
    principal: (input) => input.user,
    identity: (input) => [input.id],
    retention: "30d",
    effects: "external",
    refusals: { unpaid: { status: 402, because: "It was not paid." } },
    run: async ({ input, call, refuse }) => {
      const paid = await call(pay, { user: input.user, amount: input.amount ?? 10 });
      if (paid.status === "refused") throw refuse("unpaid");
      await at.paid();
      return paid.value;
    },
  });
  return { clock, store, faulty, reprise, pay, place, charges, at };
}

test("a rerun of an order meets the payment that it called, however long ago, and pays no second time", async () => {
  const { place, clock, charges, at, store } = createOrders();
  at.paid = async () => {
    throw new Error("no");
  };
  await expect(place.execute(order)).rejects.toThrow("no");
  await clock.advance(40 * 3_600_000);
  expect(await store.recent({ operation: "payment", limit: 9 })).toHaveLength(1);
  at.paid = async () => {};
  expect(await place.execute(order)).toMatchObject({ status: "done", value: "ch_1" });
  expect(charges).toHaveLength(1);
  await clock.advance(2 * 3_600_000);
  expect(await store.recent({ operation: "payment", limit: 9 })).toHaveLength(0);
});

test("two attempts that both met the same payment are told one answer: it happened once", async () => {
  const slow = createOrders();
  const { clock, reprise, faulty } = slow;
  // the child's own charge is pinned first, then what the child ended with
  const pinning = faulty.block("pin", { call: 2 });
  for (let call = 1; call <= 20; call += 1) faulty.fail("renew", { call });
  const first = slow.place.execute(order);
  await pinning.reached;
  await clock.advance(31_000);
  const other = createOrders(slow);
  expect(await other.place.execute(order)).toMatchObject({ status: "done", value: "ch_1" });
  pinning.open();
  await clock.advance(10_000);
  expect(await first).toMatchObject({ status: "done", value: "ch_1", replayed: true });
  const counters = reprise["~inside"].operations().map(({ counters }) => counters.answeredTwice);
  expect(counters).toEqual([0, 0]);
  expect([...slow.charges, ...other.charges]).toHaveLength(1);
});

test("the same payment for another order, and on its own, is another payment with another key", async () => {
  const { place, pay, charges } = createOrders();
  await place.execute(order);
  await place.execute({ ...order, id: "o-2" });
  await pay.execute({ user: "ann", amount: 10 });
  expect(new Set(charges).size).toBe(3);
});

test("a refusal of the child is the parent's to judge, and a rerun meets it again", async () => {
  const { place } = createOrders();
  expect(await place.execute({ ...order, amount: 1_000 })).toMatchObject({ status: "refused", code: "unpaid" });
});

test("while its child waits for a person the parent says to ask later, and then goes on", async () => {
  const { place, store, charges, clock, faulty } = createOrders();
  faulty.fail("pin", { call: 1, error: new Error("the process died") });
  await place.execute(order).catch(() => {});
  const again = await place.execute(order);
  expect(again).toMatchObject({ status: "running" });
  const [child] = await store.recent({ operation: "payment", limit: 1 });
  expect(child?.state).toBe("unknown");
  if (child === undefined) return;
  const answer = { does: "answer", effect: "charge", answer: '1[{"is":1,"value":2},"value","ch_1"]' } as const;
  expect(await store.intervene(child.id, answer, { who: "ann", why: "seen there" })).toBe(true);
  await clock.advance(40_000);
  expect(await place.execute(order)).toMatchObject({ status: "done", value: "ch_1" });
  expect(charges).toHaveLength(1);
});

test("a run calls neither itself nor background work, and nothing while its transaction is open", async () => {
  const { reprise, pay, charges } = createOrders();
  const later = reprise.operation({
    name: "later",
    input: unchecked<string>(),
    principal: "everyone",
    identity: (input) => [input],
    retention: "1d",
    effects: "external",
    dispatch: "background",
    run: async () => 1,
  });
  const payment = { user: "ann", amount: 1 };
  const caller = reprise.operation({
    name: "caller",
    input: unchecked<"itself" | "background" | "in a transaction">(),
    principal: "everyone",
    identity: (input) => [input],
    retention: "1d",
    effects: "external",
    run: async ({ input, call, transaction }): Promise<number> => {
      if (input === "itself") await call(caller as never, input as never);
      if (input === "background") await call(later as never, "a" as never);
      if (input === "in a transaction") await transaction(async () => void (await call(pay, payment)));
      return 1;
    },
  });
  const codes = [];
  for (const input of ["itself", "background", "in a transaction"] as const) {
    codes.push(
      await caller.execute(input).then(String, (error) => (isRepriseError(error) ? error.code : String(error))),
    );
  }
  expect(codes).toEqual(["REPRISE_BAD_DECLARATION", "REPRISE_BAD_DECLARATION", "REPRISE_EFFECT_IN_TRANSACTION"]);
  expect(charges).toEqual([]);
});

test("two successes with one intent under different keys are counted, once, and both stand", async () => {
  const clock = manualClock();
  const store = memoryLedger({ clock });
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: store, clock });
  const book = reprise.operation({
    name: "book",
    input: unchecked<{ readonly user: string; readonly seat: number }>(),
    principal: (input) => input.user,
    identity: "callers-key",
    retention: "1d",
    sameIntent: { of: (input) => [input.seat], within: "10m" },
    effects: "database",
    run: async ({ input }) => input.seat,
  });
  const counted = () => reprise["~inside"].operations().map(({ counters }) => counters.successTwice);
  const heard: unknown[] = [];
  reprise.on("operation.succeeded-twice", (event) => heard.push(event));
  for (const [key, input] of [
    ["k1", { user: "ann", seat: 7 }],
    ["k1", { user: "ann", seat: 7 }],
    ["k2", { user: "ann", seat: 8 }],
    ["k3", { user: "bob", seat: 7 }],
  ] as const) {
    await book.execute(input, { key });
    await clock.advance(1_000);
  }
  expect(counted()).toEqual([0]);
  expect(await book.execute({ user: "ann", seat: 7 }, { key: "k4" })).toMatchObject({
    status: "done",
    replayed: false,
  });
  await clock.advance(0);
  expect(counted()).toEqual([1]);
  const administration = administer(reprise);
  const [found, ...others] = await administration.twice();
  expect(others).toEqual([]);
  expect(found).toMatchObject({
    operation: "book",
    apartMs: 4_000,
    first: { principal: "ann" },
    second: { key: "k4…" },
  });
  expect(heard).toEqual([{ operation: "book", first: found?.first.id, second: found?.second.id, apartMs: 4_000 }]);
  expect(await administration.twice({ operation: "book", limit: 1 })).toEqual([found]);
  await expect(administration.twice({ operation: "nobody's" })).rejects.toThrow("is not declared");
  await clock.advance(600_001);
  await book.execute({ user: "ann", seat: 7 }, { key: "k5" });
  await clock.advance(0);
  expect(counted()).toEqual([1]);
});

test("of two successes at once the pair is counted once, whichever ends first", async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const clock = manualClock();
    const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
    const gates = [gate(), gate()];
    const book = reprise.operation({
      name: "book",
      input: unchecked<{ readonly seat: number }>(),
      principal: "everyone",
      identity: "callers-key",
      retention: "1d",
      sameIntent: { of: (input) => [input.seat], within: "10m" },
      effects: "external",
      run: ({ effect }) => {
        const place = begun++;
        return effect("wait", { ifUnknown: "retry", run: async () => gates[place]?.passed });
      },
    });
    let begun = 0;
    const clicks = [];
    for (const key of ["k1", "k2"]) {
      clicks.push(book.execute({ seat: 7 }, { key }));
      await clock.advance(1);
    }
    for (const place of order) {
      gates[place]?.open();
      await clicks[place];
      await clock.advance(1);
    }
    const [counters] = reprise["~inside"].operations().map((operation) => operation.counters);
    expect([counters?.ran, counters?.successTwice]).toEqual([2, 1]);
  }
});

test("an intent outlives no retention, and compares nothing that is not kept", () => {
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger() });
  const declare = (over: object) =>
    reprise.operation({
      name: "book",
      input: unchecked<string>(),
      principal: "everyone",
      identity: (input) => [input],
      retention: "1h",
      sameIntent: { of: (input) => [input], within: "2h" },
      effects: "database",
      run: async () => 1,
      ...over,
    });
  expect(() => declare({})).toThrow(/longer than its retention/);
  expect(() => declare({ sameIntent: { within: "1m" } })).toThrow(/'sameIntent'/);
});

test("operations that call each other in a circle are refused where it closes", async () => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  let began = 0;
  const declare = (name: string, next: () => { readonly name: string }) =>
    reprise.operation({
      name,
      input: unchecked<string>(),
      principal: "everyone",
      identity: (input) => [input],
      retention: "1h",
      effects: "external",
      run: async ({ input, call }) => {
        began += 1;
        await call(next() as never, input as never);
      },
    });
  const first: { readonly name: string; readonly execute: (input: string) => Promise<unknown> } = declare(
    "first",
    () => second,
  );
  const second: { readonly name: string } = declare("second", () => first);
  const error = await first.execute("a").catch((thrown: unknown) => thrown);
  expect(isRepriseError(error, "REPRISE_BAD_DECLARATION")).toBe(true);
  expect(began).toBe(2);
});
