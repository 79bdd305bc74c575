import { expect, test } from "vitest";
import { outcomeOf } from "../../src/index.ts";
import { alice, createBookings, gate } from "../support/bookings.ts";

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

test("a transaction whose commit was in doubt is adopted by the next attempt, not repeated", async () => {
  const { book, faulty, bookings } = createBookings();
  faulty.lose("transact");
  await expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  expect(bookings()).toBe(1);
  expect(await book.execute(alice)).toMatchObject({ status: "done", value: { reference: "BK-1" } });
  expect(faulty.calls("transact")).toBe(1);
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
