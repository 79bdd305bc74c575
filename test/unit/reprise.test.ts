import { expect, test, vi } from "vitest";
import { createReprise, outcomeOf, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { alice, createBookings, gate } from "../support/bookings.ts";

function createService() {
  const clock = manualClock();
  const store = memoryLedger({ clock });
  const faulty = faultyLedger(store);
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: faulty.ledger, clock });
  const note = reprise.operation({
    name: "note",
    input: unchecked<{ readonly id: string }>(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "database",
    run: async ({ input, tx }) => {
      tx.set(input.id, 1);
      return input.id;
    },
  });
  return { clock, store, faulty, reprise, note };
}

test.each([
  ["a policy of eviction that there is none of", { memory: { maxEntries: 9, eviction: "fifo" } }, /memory.eviction/],
  ["a bound without a policy of eviction", { memory: { maxEntries: 9 } }, /memory.eviction: it is no policy. Say who/],
  ["two bounds", { memory: { maxEntries: 9, maxBytes: "1mb", eviction: "lru" } }, /bounded in bytes and in entries/],
  ["a policy for secrets that there is none of", { secrets: "maybe" }, /secrets: it is no policy/],
  ["a service whose name holds half of a character", { service: "s\ud800" }, /half of a character/],
  ["a dimension of no kind", { dimensions: { user: "private" } }, /dimensions.user: it is neither 'shared'/],
])("%s is refused, also where no compiler did", (_, options, message) => {
  const refused = { code: "REPRISE_BAD_DECLARATION", message: expect.stringMatching(message) as string };
  const create = () => createReprise({ service: "s", undecided: "listed", ...(options as object) });
  expect(create).toThrow(expect.objectContaining(refused) as Error);
});

test("declaring opens nothing; the first use opens once", async () => {
  const { faulty, note } = createService();
  expect(faulty.calls("open")).toBe(0);
  await Promise.all([note.execute({ id: "a" }), note.execute({ id: "b" })]);
  expect(faulty.calls("open")).toBe(1);
});

test("an opening that failed is tried again by the next use, and nothing ran meanwhile", async () => {
  const { faulty, note, store } = createService();
  faulty.fail("open");
  await expect(note.execute({ id: "a" })).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  expect(store.rows.size).toBe(0);
  expect(await note.execute({ id: "a" })).toMatchObject({ status: "done", replayed: false });
});

test("a ledger that does not open in time is away", async () => {
  const { faulty, note, clock } = createService();
  faulty.block("open");
  const refused = expect(note.execute({ id: "a" })).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  await clock.advance(15_000);
  await refused;
});

test("a test passes another ledger and a clock to start, but only before the first use", async () => {
  const { reprise, note, store } = createService();
  const clock = manualClock();
  const other = memoryLedger({ clock });
  await reprise.start({ ledger: other, clock });
  await note.execute({ id: "a" });
  expect(other.rows.size).toBe(1);
  expect(store.rows.size).toBe(0);
  await expect(reprise.start({ clock })).rejects.toMatchObject({ code: "REPRISE_STARTED" });
});

test("two instances share no state", async () => {
  const one = createService();
  const two = createService();
  await one.note.execute({ id: "a" });
  expect(await two.note.execute({ id: "a" })).toMatchObject({ replayed: false });
});

test("a name that is declared twice is refused, but replaced under development", () => {
  const { reprise } = createService();
  const cache = { name: "c", scope: ["id"], freshFor: "1s", load: async ({ id }: { id: string }) => id } as const;
  reprise.cache.readThrough(cache);
  expect(() => reprise.cache.readThrough(cache)).toThrowError(expect.objectContaining({ code: "REPRISE_NAME_TWICE" }));
  vi.stubEnv("NODE_ENV", "development");
  reprise.cache.readThrough(cache);
  expect(reprise.decisions().filter(({ name }) => name === "c")).toHaveLength(1);
  vi.unstubAllEnvs();
});

test("close is said once, and closing twice is the same", async () => {
  const { reprise, note, faulty, clock } = createService();
  await note.execute({ id: "a" });
  await Promise.all([reprise.close(), reprise.close()]);
  expect(faulty.calls("close")).toBe(1);
  expect(clock.pending()).toBe(0);
});

test("an instance that was never used closes without opening", async () => {
  const { reprise, faulty } = createService();
  await reprise.close();
  expect(faulty.calls("open")).toBe(0);
  expect(faulty.calls("close")).toBe(0);
});

test("informing questions may stay open only where they are listed", async () => {
  const strict = createReprise({ service: "s", ledger: memoryLedger() });
  strict.cache.readThrough({
    name: "c",
    scope: ["id"],
    freshFor: "1s",
    load: async ({ id }: { id: string }) => id,
  } as never);
  await expect(strict.start()).rejects.toMatchObject({
    code: "REPRISE_BAD_DECLARATION",
    message: expect.stringContaining("owner, holds, ifStale"),
  });
});

test("decisions give each question its answer, its default, or that nobody has decided", () => {
  const { reprise } = createService();
  reprise.cache.readThrough({ name: "c", scope: ["id"], freshFor: "60s", load: async ({ id }) => id });
  const [cache, operation] = reprise.decisions();
  expect(cache).toMatchObject({
    kind: "cache",
    name: "c",
    answers: {
      pattern: { is: "declared", value: "read-through" },
      freshFor: { is: "declared", value: "60s" },
      staleFor: { is: "default" },
      ifStale: { is: "undecided" },
    },
    undecided: ["owner", "holds", "ifStale"],
  });
  expect(operation).toMatchObject({
    kind: "operation",
    name: "note",
    undecided: ["owner", "ifRunsAgain", "costIfTwice", "input"],
    contract: { promise: "Safe to retry with the same key for 1d, counted from its completion." },
  });
});

function createSeats() {
  const bookings = createBookings();
  const { reprise, book, store } = bookings;
  let loads = 0;
  const seats = reprise.cache.readThrough({
    name: "seats",
    scope: ["reference"],
    freshFor: "60s",
    load: async ({ reference }) => {
      loads += 1;
      return store.rows.has(`booking:${reference}`) ? "taken" : "free";
    },
    changedBy: () => [outcomeOf(book, (input) => ({ reference: input.reference }))],
  });
  return { ...bookings, seats, loads: () => loads };
}

test("what an operation commits changes the caches that name it, at its transaction and not only at its end", async () => {
  const { seats, book, at } = createSeats();
  expect(await seats.get({ reference: "BK-1" })).toBe("free");
  const hold = gate();
  const reached = gate();
  at.booked = () => {
    reached.open();
    return hold.passed;
  };
  const booking = book.execute(alice);
  await reached.passed;
  expect(await seats.get({ reference: "BK-1" })).toBe("taken");
  hold.open();
  await booking;
});

test("a read that began before the commit is not stored after it", async () => {
  const { seats, book, store } = createSeats();
  const old = seats.get({ reference: "BK-1" });
  await book.execute(alice);
  await old;
  expect(store.rows.size).toBe(1);
  expect(await seats.get({ reference: "BK-1" })).toBe("taken");
});

test("a change leaves other entries alone", async () => {
  const { seats, book, loads } = createSeats();
  await seats.get({ reference: "BK-2" });
  await book.execute(alice);
  await seats.get({ reference: "BK-2" });
  expect(loads()).toBe(1);
});

test("a replay invalidates in the process that replays: it may be all that this process hears of the commit", async () => {
  const first = createSeats();
  const { clock, store, gateway } = first;
  const second = createBookings({ sharing: { clock, store, gateway } });
  await first.seats.get({ reference: "BK-1" });
  await second.book.execute(alice);
  expect(await first.seats.get({ reference: "BK-1" })).toBe("free");
  await first.book.execute(alice);
  expect(await first.seats.get({ reference: "BK-1" })).toBe("taken");
});

test("a cached read is a first use: background refreshes begin with it", async () => {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", clock });
  let loads = 0;
  const cache = reprise.cache.readThrough({
    name: "c",
    scope: ["id"],
    freshFor: "60s",
    refresh: { hottest: 1, every: "45s" },
    load: async () => {
      loads += 1;
      return loads;
    },
  });
  for (let read = 0; read < 5; read += 1) await cache.get({ id: "a" });
  await clock.advance(50_000);
  expect(loads).toBeGreaterThan(1);
  await reprise.close();
  expect(clock.pending()).toBe(0);
});

test("a ledger that opened after its deadline is closed all the same", async () => {
  const { faulty, note, clock, reprise } = createService();
  const opening = faulty.block("open");
  const refused = expect(note.execute({ id: "a" })).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  await clock.advance(15_000);
  await refused;
  opening.open();
  await reprise.close();
  expect(faulty.calls("close")).toBe(1);
});

test("a ledger that does not close does not keep the instance from closing", async () => {
  const { faulty, note, clock, reprise } = createService();
  await note.execute({ id: "a" });
  faulty.block("close");
  const closing = reprise.close();
  await clock.advance(60_000);
  await expect(closing).resolves.toBeUndefined();
});

test("many runs, effects and reads at once warn of no leak", async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on("warning", warned);
  const { book, clock, reprise } = createBookings();
  const cache = reprise.cache.readThrough({ name: "c", scope: ["id"], freshFor: "1s", load: async ({ id }) => id });
  const { signal } = new AbortController();
  const ids = Array.from({ length: 20 }, (_, id) => String(id));
  await Promise.all([
    ...ids.map((reference) => book.execute({ ...alice, reference })),
    cache.getMany(
      ids.map((id) => ({ id })),
      { signal },
    ),
    reprise
      .operation({
        name: "many",
        input: unchecked<object>(),
        principal: "everyone",
        identity: () => [1],
        retention: "1d",
        effects: "external",
        run: async ({ effect }) => {
          const send = { ifUnknown: "retry", run: async () => 1 } as const;
          await Promise.all(ids.map((id) => effect(id, send)));
        },
      })
      .execute({}),
  ]);
  await clock.advance(0);
  process.off("warning", warned);
  expect(warnings).toEqual([]);
});

test("a ledger without transactions is refused where a database operation needs them", async () => {
  const { reprise, store } = createService();
  await expect(reprise.start({ ledger: { ...store, transactional: false } })).rejects.toMatchObject({
    code: "REPRISE_BAD_DECLARATION",
  });
});

test("C2: once a commit has been handled, neither memory nor a load that began before it gives less, on any path", async () => {
  const { reprise, book, store } = createBookings();
  const load = async (reference: string) => (store.rows.has(`booking:${reference}`) ? "taken" : "free");
  const changedBy = () => [outcomeOf(book, (input) => ({ reference: input.reference }))] as const;
  const through = reprise.cache.readThrough({
    name: "through",
    scope: ["reference"],
    freshFor: "60s",
    staleFor: "1h",
    load: ({ reference }) => load(reference),
    changedBy,
  });
  const aside = reprise.cache.cacheAside({
    name: "aside",
    scope: ["reference"],
    freshFor: "60s",
    value: unchecked<string>(),
    changedBy,
  });
  const scope = { reference: "BK-1" };
  await through.get(scope);
  const missed = await aside.lookup(scope);
  const early = await load("BK-1");
  await book.execute(alice);
  expect(missed.hit === false && (await missed.store(early))).toBe(false);
  expect(await through.peek(scope)).toBeUndefined();
  expect((await aside.lookup(scope)).hit).toBe(false);
  expect(await through.get(scope)).toBe("taken");
  expect((await through.getEntry(scope)).value).toBe("taken");
  expect(await through.getMany([scope])).toEqual(["taken"]);
});

test("a cached read is rejected where what is declared may not start", async () => {
  const strict = createReprise({ service: "s" });
  const cache = strict.cache.readThrough({
    name: "c",
    scope: ["id"],
    freshFor: "1s",
    load: async ({ id }: { id: string }) => id,
  } as never) as unknown as { readonly get: (scope: object) => Promise<unknown> };
  await expect(cache.get({ id: "a" })).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
});
