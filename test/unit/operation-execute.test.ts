import { expect, test } from "vitest";
import { createReprise, isRepriseError, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { alice, createBookings, gate } from "../support/bookings.ts";

test("a first execution runs, and a second one is told the stored outcome", async () => {
  const { book, gateway, bookings } = createBookings();
  const first = await book.execute(alice);
  const second = await book.execute(alice);
  expect(first).toMatchObject({ status: "done", replayed: false, value: { reference: "BK-1", charge: "ch_1" } });
  expect(second).toMatchObject({ status: "done", replayed: true, value: { reference: "BK-1", charge: "ch_1" } });
  expect(gateway.calls).toHaveLength(1);
  expect(bookings()).toBe(1);
});

test("another key with the same identity is replayed, and that key is bound from then on", async () => {
  const { book, gateway } = createBookings();
  await book.execute(alice, { key: "first-key" });
  expect(await book.execute(alice, { key: "second-key" })).toMatchObject({ status: "done", replayed: true });
  const other = { ...alice, reference: "BK-2" };
  expect(await book.execute(other, { key: "second-key" })).toMatchObject({ status: "mismatch", firstSeen: null });
  expect(gateway.calls).toHaveLength(1);
});

test("the same identity with other input is a mismatch, also while it runs", async () => {
  const { book, at } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const running = book.execute(alice);
  expect(await book.execute({ ...alice, seat: 5 })).toMatchObject({ status: "mismatch" });
  expect(await book.execute(alice)).toMatchObject({ status: "running" });
  hold.open();
  await running;
  expect(await book.execute({ ...alice, seat: 5 })).toMatchObject({ status: "mismatch" });
});

test("the order of the input's members does not make it other input", async () => {
  const { book } = createBookings();
  await book.execute(alice);
  const { seat, reference, user } = alice;
  expect(await book.execute({ seat, reference, user })).toMatchObject({ status: "done", replayed: true });
});

test("P11: two principals with one reference and one key never meet", async () => {
  const { book, gateway } = createBookings();
  const mine = await book.execute(alice, { key: "k" });
  const yours = await book.execute({ ...alice, user: "bob" }, { key: "k" });
  expect(mine).toMatchObject({ status: "done", replayed: false });
  expect(yours).toMatchObject({ status: "done", replayed: false });
  expect(new Set(gateway.calls.map(({ key }) => key)).size).toBe(2);
});

test("a user who is called everyone shares nothing with what belongs to everyone", async () => {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const declare = (principal: "everyone" | ((input: { readonly user: string }) => string)) =>
    createReprise({ service: "s", undecided: "listed", ledger, clock }).operation({
      name: "note",
      input: unchecked<{ readonly user: string }>(),
      principal,
      identity: () => ["n1"],
      retention: "1d",
      effects: "external",
      run: async ({ input }) => input.user,
    });
  await declare("everyone").execute({ user: "everyone" });
  expect(await declare((input) => input.user).execute({ user: "everyone" })).toMatchObject({ replayed: false });
});

test("a declared refusal is an outcome: stored, replayed, and thrown by run with its status", async () => {
  const { book, gateway } = createBookings();
  const none = { ...alice, seat: 0 };
  expect(await book.execute(none)).toMatchObject({ status: "refused", code: "sold-out", replayed: false });
  expect(await book.execute(none)).toMatchObject({ status: "refused", code: "sold-out", replayed: true });
  expect(gateway.calls).toHaveLength(0);
  const error = await book.run(none).catch((thrown: unknown) => thrown);
  expect(isRepriseError(error, "REPRISE_REFUSED") && error.status).toBe(409);
});

test("a refusal inside an effect is pinned: a later attempt is refused without a call", async () => {
  const { book, at, gateway } = createBookings();
  const declined = { ...alice, seat: 13 };
  expect(await book.execute(declined)).toMatchObject({ status: "refused", code: "declined" });
  at.start = async () => expect.unreachable();
  expect(await book.execute(declined)).toMatchObject({ status: "refused", code: "declined", replayed: true });
  expect(gateway.calls).toHaveLength(0);
});

test("P4, P8: a run that fails before anything happened leaves nothing, and the next one runs", async () => {
  const { book, at, gateway, store } = createBookings();
  at.start = async () => {
    throw new TypeError("broken");
  };
  await expect(book.execute(alice)).rejects.toThrow(TypeError);
  expect(await store.recent({ limit: 10 })).toEqual([]);
  at.start = async () => {};
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  expect(gateway.calls).toHaveLength(1);
});

test("a run that fails after an effect keeps what is known: the next one does not call again", async () => {
  const { book, at, gateway } = createBookings();
  at.charged = async () => {
    throw new Error("out of memory");
  };
  await expect(book.execute(alice)).rejects.toThrow("out of memory");
  at.charged = async () => {};
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false, value: { charge: "ch_1" } });
  expect(gateway.calls).toHaveLength(1);
});

test("wait lets a duplicate wait for the running one and answers with its outcome", async () => {
  const { book, at, clock } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const first = book.execute(alice);
  await clock.advance(0);
  const waiting = book.execute(alice, { wait: "10s" });
  await clock.advance(100);
  hold.open();
  await first;
  await clock.advance(2_000);
  expect(await waiting).toMatchObject({ status: "done", replayed: true });
});

test("wait ends: the duplicate is told that it still runs", async () => {
  const { book, at, clock } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const first = book.execute(alice);
  const waiting = book.execute(alice, { wait: "1s" });
  await clock.advance(1_500);
  expect(await waiting).toMatchObject({ status: "running" });
  hold.open();
  await first;
});

test("a caller that leaves changes nothing: the work completes and the next call is replayed", async () => {
  const { book, at, bookings, clock } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const leaving = new AbortController();
  const first = book.execute(alice, { signal: leaving.signal });
  const left = expect(first).rejects.toThrow("gone");
  await clock.advance(0);
  leaving.abort(new Error("gone"));
  await left;
  hold.open();
  await clock.advance(0);
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: true });
  expect(bookings()).toBe(1);
});

test("a signal that is aborted before the call starts nothing", async () => {
  const { book, gateway } = createBookings();
  await expect(book.execute(alice, { signal: AbortSignal.abort(new Error("early")) })).rejects.toThrow("early");
  expect(gateway.calls).toHaveLength(0);
});

test("find looks without running", async () => {
  const { book, gateway, at, clock } = createBookings();
  expect(await book.find(alice)).toBeUndefined();
  const hold = gate();
  at.start = () => hold.passed;
  const running = book.execute(alice);
  await clock.advance(0);
  expect(await book.find(alice)).toMatchObject({ status: "running" });
  hold.open();
  await running;
  expect(await book.find(alice)).toMatchObject({ status: "done", replayed: true });
  expect(await book.find({ ...alice, seat: 9 })).toMatchObject({ status: "mismatch" });
  expect(gateway.calls).toHaveLength(1);
});

test("after retention the same work runs again, under the same key for the other side", async () => {
  const { book, gateway, clock } = createBookings();
  await book.execute(alice);
  clock.jump(31 * 86_400_000);
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: false });
  expect(gateway.calls).toHaveLength(2);
  expect(gateway.calls[0]?.key).toBe(gateway.calls[1]?.key);
  expect(gateway.charges.size).toBe(1);
});

test("what a run does to its input changes neither the names nor the effect's key", async () => {
  const { reprise } = createBookings();
  const seen: string[] = [];
  const mutating = reprise.operation({
    name: "mutate",
    input: unchecked<{ id: string }>(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "external",
    run: async ({ input, effect }) => {
      const { id } = input;
      input.id = "changed";
      return effect("send", { ifUnknown: "retry", run: async (key) => `${id}${seen.push(key)}` });
    },
  });
  const input = { id: "a" };
  await mutating.execute(input);
  expect(input).toEqual({ id: "a" });
  expect(await mutating.execute({ id: "a" })).toMatchObject({ replayed: true, value: "a1" });
  expect(seen).toHaveLength(1);
});

test("the ledger being away means refuse: nothing is run unguarded", async () => {
  const { book, faulty, gateway, clock } = createBookings();
  for (const call of [1, 2, 3, 4]) faulty.fail("claim", { call });
  const refused = expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY", status: 503 });
  await clock.advance(5_000);
  await refused;
  expect(gateway.calls).toHaveLength(0);
});

test("a claim whose answer was lost is claimed again by the same attempt, and runs", async () => {
  const { book, faulty, clock, gateway } = createBookings();
  faulty.lose("claim");
  const outcome = book.execute(alice);
  await clock.advance(1_000);
  expect(await outcome).toMatchObject({ status: "done", replayed: false });
  expect(gateway.calls).toHaveLength(1);
});

test("a completion whose answer was lost is found completed", async () => {
  const { book, faulty, clock, gateway } = createBookings();
  faulty.lose("complete");
  const outcome = book.execute(alice);
  await clock.advance(2_000);
  expect(await outcome).toMatchObject({ status: "done", value: { charge: "ch_1" } });
  expect(await book.execute(alice)).toMatchObject({ status: "done", replayed: true });
  expect(gateway.calls).toHaveLength(1);
});

test.each([
  ["a missing key where it is the identity", {}, undefined, "REPRISE_KEY_MISSING"],
  ["an empty key", {}, "", "REPRISE_KEY_MALFORMED"],
  ["a key of 256 characters", {}, "k".repeat(256), "REPRISE_KEY_MALFORMED"],
  ["input that has a function", { odd: () => 1 }, "k", "REPRISE_INPUT_INVALID"],
  [
    "input that is nested too deep",
    JSON.parse(`{"a":${"[".repeat(5_000)}${"]".repeat(5_000)}}`),
    "k",
    "REPRISE_INPUT_INVALID",
  ],
  ["a key that is no text", {}, 1 as unknown as string, "REPRISE_KEY_MALFORMED"],
])("%s is refused before anything happens", async (_, odd, key, code) => {
  const { reprise, store } = createBookings();
  await reprise.start();
  const operation = reprise.operation({
    name: "keyed",
    input: unchecked<object>(),
    principal: "everyone",
    identity: "callers-key",
    retention: "1d",
    effects: "external",
    run: async () => 1,
  });
  await expect(operation.execute(odd, { key } as { key: string })).rejects.toMatchObject({ code });
  expect(await store.recent({ limit: 1 })).toEqual([]);
});

test("an identity or a principal that is missing something is refused before anything happens", async () => {
  const { book } = createBookings();
  await expect(book.execute({ ...alice, user: "" })).rejects.toMatchObject({ code: "REPRISE_PRINCIPAL_EMPTY" });
  await expect(book.execute({ user: "alice", seat: 1 } as never)).rejects.toMatchObject({ code: "REPRISE_BAD_SCALAR" });
});

test("input that its schema refuses is refused with the places, and nothing happens", async () => {
  const { reprise, store } = createBookings();
  await reprise.start();
  const operation = reprise.operation({
    name: "checked",
    input: {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: () => ({ issues: [{ message: "too short", path: ["user", { key: "name" }] }] }),
      },
    },
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async () => 1,
  });
  const error = await operation.execute({}).catch((thrown: unknown) => thrown);
  expect(isRepriseError(error, "REPRISE_INPUT_INVALID") && error.details.issues).toEqual(["user.name: too short"]);
  expect(await store.recent({ limit: 1 })).toEqual([]);
});

test("an outcome that would not come back, or is too large, is refused instead of stored", async () => {
  const { reprise } = createBookings();
  const returning = (name: string, value: unknown) =>
    reprise.operation({
      name,
      input: unchecked<object>(),
      principal: "everyone",
      identity: () => [1],
      retention: "1d",
      effects: "external",
      outcomeLimit: "1kb",
      run: async () => value as string,
    });
  await expect(returning("instance", new URL("http://a")).execute({})).resolves.toBeDefined();
  class Seat {}
  await expect(returning("class", { seat: new Seat() }).execute({})).rejects.toMatchObject({
    code: "REPRISE_NOT_STORABLE",
    details: { path: expect.stringContaining("seat") },
  });
  await expect(returning("large", "x".repeat(2_000)).execute({})).rejects.toMatchObject({
    code: "REPRISE_OUTCOME_TOO_LARGE",
  });
});

test("dates, bigints, bytes, maps and undefined members come back as they were", async () => {
  const { reprise } = createBookings();
  const value = { at: new Date(5), big: 7n, bytes: new Uint8Array([1, 2]), map: new Map([["a", 1]]), none: undefined };
  const operation = reprise.operation({
    name: "rich",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: async () => value,
  });
  await operation.execute({});
  expect(await operation.execute({})).toMatchObject({ replayed: true, value });
});

test("after close nothing is executed", async () => {
  const { reprise, book } = createBookings();
  await reprise.close();
  await expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_CLOSED", status: 503 });
});

test("close waits for what is under way", async () => {
  const { reprise, book, at, clock } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const running = book.execute(alice);
  await clock.advance(0);
  const closing = reprise.close();
  hold.open();
  expect(await running).toMatchObject({ status: "done" });
  await closing;
});

test("close aborts what does not end in time", async () => {
  const { reprise, book, at, clock } = createBookings();
  at.start = (signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  const running = expect(book.execute(alice)).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
  await clock.advance(0);
  const closing = reprise.close();
  await clock.advance(12_000);
  await running;
  await closing;
});

test("a transport's rendering that is too large beside its value is left out, and the outcome is kept", async () => {
  const { book } = createBookings();
  const render = () => "x".repeat(100_000);
  const first = await book["~carry"].execute(alice, { render });
  expect(first).toMatchObject({ outcome: { status: "done", replayed: false } });
  expect(await book["~carry"].execute(alice, { render })).toMatchObject({
    outcome: { status: "done", replayed: true },
    rendered: null,
  });
});

test("a duplicate is told to come back after as long again as the work has taken, not after the whole lease", async () => {
  const { book, at, clock } = createBookings();
  const hold = gate();
  at.start = () => hold.passed;
  const first = book.execute(alice);
  await clock.advance(1_000);
  expect(await book.execute(alice)).toMatchObject({ status: "running", retryAfterMs: 1_000 });
  clock.jump(-3_600_000);
  expect(await book.execute(alice)).toMatchObject({ status: "running", retryAfterMs: 250 });
  hold.open();
  await first;
});
