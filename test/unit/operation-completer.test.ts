import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import { expect, test } from "vitest";
import { nameOf, newWorkId, type WorkId } from "../../src/base/names.ts";
import { type Clock, createReprise, type Ledger, unchecked } from "../../src/index.ts";
import { encodeKept } from "../../src/operation/record.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { alice, createBookings, createGateway, lost } from "../support/bookings.ts";

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

test("a completer gives work that fails each time ever longer pauses, and in the end parks it with its last error", async () => {
  const { book, at, clock, reprise, gateway, store } = createBookings({ resumes: "by-itself" });
  at.charged = lost;
  await expect(book.execute(alice)).rejects.toThrow("connection reset");
  const attempts: number[] = [];
  at.start = async () => {
    attempts.push(clock.monotonic());
    at.charged = async () => {
      throw Object.assign(new TypeError("no"), { code: `E${attempts.length}` });
    };
  };
  await reprise.start();
  await clock.advance(3_600_000);
  expect(attempts).toHaveLength(10);
  const pauses = attempts.slice(1).map((instant, place) => instant - (attempts[place] ?? 0));
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(await book.execute(alice)).toMatchObject({ status: "unknown", effect: "(run)" });
  const [run] = await store.recent({ state: "unknown", limit: 1 });
  expect(run?.why).toBe("TypeError E10");
  at.start = async () => {};
  at.charged = async () => {};
  await store.intervene(run?.id as WorkId, { does: "reopen" }, { who: "ann", why: "mended" });
  await clock.advance(5_000);
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: true });
  expect(gateway.calls).toHaveLength(1);
});

test("work whose attempts all died without a word is parked, not resumed for ever", async () => {
  const { clock, store } = await crashedBeforeAnyEffect();
  const sharing = { clock, store, gateway: createGateway() };
  for (let resume = 1; resume <= 10; resume += 1) {
    const dying = createBookings({ resumes: "by-itself", sharing });
    dying.at.start = () => new Promise(() => {});
    for (let call = 1; call <= 100; call += 1) {
      dying.faulty.fail("renew", { call });
      dying.faulty.fail("abandoned", { call: call + 1 });
    }
    await clock.advance(31_000);
    await dying.reprise.start();
    await clock.advance(2_500);
    expect((await store.recent({ limit: 1 }))[0]?.token).toBe(resume + 1);
  }
  await clock.advance(31_000);
  await createBookings({ resumes: "by-itself", sharing }).reprise.start();
  await clock.advance(5_000);
  const [run] = await store.recent({ limit: 1 });
  expect([run?.state, run?.why]).toEqual(["unknown", "10 attempts ended without an answer"]);
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

test("work whose input cannot be read, or names other work now, is a person's and holds up no other work", async () => {
  const { book, at, clock, store } = createBookings({ resumes: "by-itself" });
  at.charged = lost;
  await book.execute(alice).catch(() => {});
  const [run] = await store.recent({ limit: 1 });
  const stale = { operation: "seat.book", name: nameOf("work", ["another"]), id: run?.id, token: run?.token };
  const unreadable = { ...stale, input: "not what store() wrote" };
  const renamed = { ...stale, id: newWorkId(), input: encodeKept({ input: alice }, "input") };
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
