import { expect, test } from "vitest";
import { type AnchorOptions, createReprise, type Ledger, Refusal, unchecked } from "../../src/index.ts";
import { type MemoryLedger, type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { gate } from "../support/bookings.ts";

/** A booking whose operation is kept in one store and whose rows are in another. */
function createPlatform(
  options: {
    readonly retention?: AnchorOptions<unknown>["retention"];
    readonly outcomeLimit?: AnchorOptions<unknown>["outcomeLimit"];
    /** Another instance on the same two stores. */
    readonly sharing?: {
      readonly clock: ReturnType<typeof manualClock>;
      readonly operations: MemoryLedger;
      readonly bookings: MemoryLedger;
    };
  } = {},
) {
  const clock = options.sharing?.clock ?? manualClock();
  const operations = options.sharing?.operations ?? memoryLedger({ clock });
  const bookings = options.sharing?.bookings ?? memoryLedger({ clock });
  const faulty = faultyLedger<MemoryTransaction>(operations);
  const faultyBookings = faultyLedger<MemoryTransaction>(bookings);
  // a store that may lose what it acknowledged, and joins no transactions
  const ledger = { ...faulty.ledger, transactional: false, losesCommits: true } as Ledger<never>;
  const reprise = createReprise({ service: "booking", undecided: "listed", ledger, clock });
  const seats = reprise.anchor({
    ledger: faultyBookings.ledger,
    retention: options.retention ?? "30d",
    outcomeLimit: options.outcomeLimit,
  });
  const at = {
    /** Inside the transaction, after its write. */
    write: async (_signal: AbortSignal): Promise<unknown> => undefined,
    /** In the run, before the effect. */
    start: async (): Promise<void> => {},
  };
  const told = { refused: 0, bodies: 0 };
  const book = reprise.operation({
    name: "seat.book",
    input: unchecked<{ readonly reference: string; readonly soldOut?: boolean }>(),
    principal: "everyone",
    identity: (input) => [input.reference],
    retention: "30d",
    costIfTwice: "money",
    effects: "external",
    refusals: { "sold-out": { status: 409, because: "No seat is left." } },
    run: async ({ input, effect, refuse }) => {
      await at.start();
      const booking = seats.transaction(async (tx, signal) => {
        told.bodies += 1;
        const number = [...bookings.rows.keys()].length + 1;
        tx.set(`booking ${input.reference} ${number}`, input.reference);
        const answer = await at.write(signal);
        if (input.soldOut === true) throw refuse("sold-out");
        return answer ?? { number };
      });
      return effect("book", { ...booking, deadline: "1m" });
    },
  });
  const rows = () => [...bookings.rows.keys()];
  return { reprise, seats, book, at, told, clock, operations, bookings, faulty, faultyBookings, rows };
}

const input = { reference: "BK-1" };

test("an anchored transaction commits beside its answer, in a store that the ledger does not lie in", async () => {
  const { book, rows, reprise } = createPlatform();
  expect(await book.execute(input)).toMatchObject({ status: "done", value: { number: 1 }, replayed: false });
  expect(await book.execute(input)).toMatchObject({ status: "done", value: { number: 1 }, replayed: true });
  expect(rows()).toEqual(["booking BK-1 1"]);
  await reprise.close();
});

test("P6: a crash between its commit and the pin: the next attempt is told the stored answer and writes nothing", async () => {
  const { book, faulty, rows, told } = createPlatform();
  faulty.fail("pin", { error: new Error("gone") });
  await expect(book.execute(input)).rejects.toThrow("gone");
  expect(rows()).toEqual(["booking BK-1 1"]);
  expect(await book.execute(input)).toMatchObject({ status: "done", value: { number: 1 } });
  expect(rows()).toEqual(["booking BK-1 1"]);
  expect(told.bodies).toBe(1);
});

test("P6: work whose record its ledger lost runs again, and its transaction does not commit again", async () => {
  const first = createPlatform();
  const { clock, bookings } = first;
  await first.book.execute(input);
  const second = createPlatform({ sharing: { clock, bookings, operations: memoryLedger({ clock }) } });
  expect(await second.book.execute(input)).toMatchObject({ status: "done", value: { number: 1 }, replayed: false });
  expect(first.rows()).toEqual(["booking BK-1 1"]);
  expect(second.told.bodies).toBe(0);
});

test("P6: a commit whose answer was lost is asked for by claiming again, in the same attempt", async () => {
  const { book, clock, faultyBookings, rows, told } = createPlatform();
  faultyBookings.lose("atomic");
  const outcome = book.execute(input);
  await clock.advance(1_000);
  expect(await outcome).toMatchObject({ status: "done", value: { number: 1 } });
  expect(faultyBookings.calls("atomic")).toBe(2);
  expect(told.bodies).toBe(1);
  expect(rows()).toEqual(["booking BK-1 1"]);
});

test("a refusal rolls back what was written, and is stored and told as one", async () => {
  const { book, rows, told } = createPlatform();
  const refused = { status: "refused", code: "sold-out" };
  expect(await book.execute({ ...input, soldOut: true })).toMatchObject({ ...refused, replayed: false });
  expect(await book.execute({ ...input, soldOut: true })).toMatchObject({ ...refused, replayed: true });
  expect(rows()).toEqual([]);
  expect(told.bodies).toBe(1);
});

test("P6: after a refusal an attempt that was on its way commits nothing: it is told the refusal", async () => {
  const { seats, rows } = createPlatform();
  const signal = new AbortController().signal;
  const refusing = seats.transaction(async (): Promise<string> => {
    throw new Refusal("sold-out", { left: 0 });
  });
  await expect(refusing.run("key", signal)).rejects.toMatchObject({ code: "sold-out" });
  const late = seats.transaction(async (tx) => {
    tx.set("booking", "late");
    return "booked";
  });
  await expect(late.run("key", signal)).rejects.toMatchObject({ code: "sold-out", detail: { left: 0 } });
  expect(rows()).toEqual([]);
});

test("a failure rolls back what was written, and the next attempt runs", async () => {
  const { book, at, rows, told } = createPlatform();
  at.write = async () => {
    throw new Error("deadlock of its own");
  };
  await expect(book.execute(input)).rejects.toThrow("deadlock of its own");
  expect(rows()).toEqual([]);
  at.write = async () => undefined;
  expect(await book.execute(input)).toMatchObject({ status: "done", value: { number: 1 } });
  expect(told.bodies).toBe(2);
});

test("P10: an owner that was paused inside its transaction rolls back when it wakes up, and its successor's commits", async () => {
  const first = createPlatform();
  const { clock, operations, bookings } = first;
  const second = createPlatform({ sharing: { clock, operations, bookings } });
  const entered = gate();
  const hold = gate();
  for (let call = 1; call <= 500; call += 1) first.faulty.fail("renew", { call });
  first.at.write = async () => {
    entered.open();
    await hold.passed;
    return { number: "the zombie's" };
  };
  const zombie = first.book.execute(input);
  await entered.passed;
  await clock.advance(31_000);
  // it waits for the open transaction, and is told of its end
  const successor = second.book.execute(input);
  await clock.advance(0);
  hold.open();
  await clock.advance(1_000);
  expect(await successor).toMatchObject({ status: "done", value: { number: 1 } });
  expect(await zombie).toMatchObject({ status: "running" });
  expect(first.rows()).toEqual(["booking BK-1 1"]);
});

test("P10: an owner that wakes up before its transaction, after its successor's commit, writes nothing", async () => {
  const first = createPlatform();
  const { clock, operations, bookings } = first;
  const second = createPlatform({ sharing: { clock, operations, bookings } });
  for (let call = 1; call <= 500; call += 1) first.faulty.fail("renew", { call });
  // its start is written, and it is paused there
  const paused = first.faulty.block("start", { when: "after" });
  const zombie = first.book.execute(input);
  await paused.reached;
  await clock.advance(31_000);
  expect(await second.book.execute(input)).toMatchObject({ status: "done", value: { number: 1 } });
  paused.open();
  expect(await zombie).toMatchObject({ status: "done", value: { number: 1 }, replayed: true });
  expect(first.told.bodies).toBe(0);
  expect(first.rows()).toEqual(["booking BK-1 1"]);
});

test("past the effect's deadline a transaction under way is told by its signal, and does not commit", async () => {
  const { book, at, clock, rows } = createPlatform();
  const entered = gate<AbortSignal>();
  const hold = gate();
  at.write = async (signal) => {
    entered.open(signal);
    await hold.passed;
  };
  const late = book.execute(input).catch((error: unknown) => error);
  const signal = await entered.passed;
  await clock.advance(60_000);
  expect(await late).toMatchObject({ code: "REPRISE_EFFECT_TIMEOUT" });
  expect(signal.aborted).toBe(true);
  hold.open();
  await clock.advance(0);
  expect(rows()).toEqual([]);
  at.write = async () => undefined;
  expect(await book.execute(input)).toMatchObject({ status: "done", value: { number: 1 } });
});

test("an answer that could not be stored, or is too large, rolls back and says so", async () => {
  const { book, at, rows } = createPlatform({ outcomeLimit: "1kb" });
  at.write = async () => ({ answer: () => 1 });
  await expect(book.execute(input)).rejects.toMatchObject({ code: "REPRISE_NOT_STORABLE" });
  at.write = async () => "x".repeat(2_000);
  await expect(book.execute(input)).rejects.toMatchObject({ code: "REPRISE_OUTCOME_TOO_LARGE" });
  expect(rows()).toEqual([]);
});

test("an anchor that forgets before the operation's retention is over is refused before anything is written", async () => {
  const { book, faulty, told } = createPlatform({ retention: "29d" });
  await expect(book.execute(input)).rejects.toMatchObject({
    code: "REPRISE_BAD_DECLARATION",
    message:
      "effect 'book' of 'seat.book': its anchor forgets it before the operation's retention is over. Give the anchor at least the operation's retention.",
  });
  expect(faulty.calls("start")).toBe(0);
  expect(told.bodies).toBe(0);
});

test("a transaction whose anchor may have forgotten it waits for a person and is not run again", async () => {
  const { book, faulty, clock, told } = createPlatform();
  faulty.fail("pin", { error: new Error("gone") });
  await expect(book.execute(input)).rejects.toThrow("gone");
  clock.jump(30 * 86_400_000);
  expect(await book.execute(input)).toMatchObject({ status: "unknown", effect: "book" });
  expect(told.bodies).toBe(1);
});

test("what an anchor committed is found until its retention is over, and swept after, a use a minute at most", async () => {
  const { seats, clock, faultyBookings } = createPlatform({ retention: "1d" });
  const signal = new AbortController().signal;
  const run = (key: string, answer: string) => seats.transaction(async () => answer).run(key, signal);
  expect(await run("a", "first")).toBe("first");
  clock.jump(86_400_000);
  expect(await run("a", "second")).toBe("first");
  expect(faultyBookings.calls("sweep")).toBe(1);
  clock.jump(3_600_000);
  await clock.advance(60_000);
  expect(await run("b", "other")).toBe("other");
  expect(faultyBookings.calls("sweep")).toBe(2);
  await clock.advance(0);
  expect(await faultyBookings.ledger.recent({ limit: 10 })).toHaveLength(1);
});

test("an effect, or another anchored transaction, is refused while one is open: a rollback could not undo it", async () => {
  const { reprise, seats, rows } = createPlatform();
  const nested = reprise.operation({
    name: "nested",
    input: unchecked<{ readonly id: string }>(),
    principal: "everyone",
    identity: ({ id }) => [id],
    retention: "1d",
    effects: "external",
    run: ({ effect }) =>
      effect(
        "outer",
        seats.transaction(async (tx) => {
          tx.set("outer", 1);
          await effect("inner", { ifUnknown: "retry", run: async () => 1 });
        }),
      ),
  });
  await expect(nested.execute({ id: "1" })).rejects.toMatchObject({ code: "REPRISE_EFFECT_IN_TRANSACTION" });
  expect(rows()).toEqual([]);
});

test("a ledger without transactions makes no anchor", () => {
  const { reprise, bookings } = createPlatform();
  const without = { ...bookings, transactional: false };
  expect(() => reprise.anchor({ ledger: without, retention: "1d" })).toThrow(
    "anchor: its ledger has no transactions. Give it one that has, in the database that is written.",
  );
  expect(() => reprise.anchor({ ledger: bookings, retention: "0d" })).toThrow("'0d' is no duration");
});

test("nothing of an anchor is opened before its first use, and closing the instance closes it", async () => {
  const { reprise, book, faultyBookings } = createPlatform();
  await reprise.start();
  expect(faultyBookings.calls("open")).toBe(0);
  await book.execute(input);
  await reprise.close();
  expect(faultyBookings.calls("close")).toBe(1);
});
