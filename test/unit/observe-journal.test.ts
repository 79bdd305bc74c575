import { expect, test } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import type { Schema } from "../../src/base/schema.ts";
import { createCacheCounters } from "../../src/cache/counters.ts";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
import type { JournalEntry, Resolution } from "../../src/contract/journal.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise } from "../../src/index.ts";
import type { Inside, WatchedRoute } from "../../src/observe/inside.ts";
import { startJournal } from "../../src/observe/journal.ts";
import type { Metrics, Range } from "../../src/observe/metrics.ts";
import { metricsReader, readMetrics } from "../../src/observe/read.ts";
import { snapshot } from "../../src/observe/snapshot.ts";
import { createOperationCounters } from "../../src/operation/counters.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { type ManualClock, manualClock } from "../../src/testing/index.ts";

const anything: Schema<{ readonly id: string }> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as { readonly id: string } }) },
};

function instance(name: string, clock: ManualClock, ledger?: Ledger<unknown>) {
  const counters = createCacheCounters();
  const executions = createOperationCounters();
  const routes = [
    { method: "POST", path: "/orders/:id", because: undefined, requests: 0 },
    { method: "POST", path: "/login", because: "it does no harm", requests: 0 },
  ] as [{ requests: number } & WatchedRoute, { requests: number } & WatchedRoute];
  const inside: Inside = {
    service: "shop",
    instance: name,
    startedAt: clock.now(),
    clock: () => clock,
    anchorLedgers: () => [],
    ledger: () => ledger,
    started: () => Promise.resolve(),
    connected: () => Promise.resolve(ledger),
    stayAside: () => {},
    keepUp: async () => {},
    closing: new AbortController().signal,
    caches: () => [
      {
        name: "product",
        owner: undefined,
        counters,
        entries: () => 3,
        declaration: { pattern: "read-through", name: "product", scope: ["id"], freshFor: "60s" },
        explain: () => Promise.reject(new Error("nobody asks")),
        pendingWrites: () => undefined,
      },
    ],
    operations: () => [
      {
        name: "order",
        owner: undefined,
        counters: executions,
        declaration: { name: "order", input: {} as never, effects: "database", run: () => Promise.resolve() },
      },
    ],
    memory: () => ({
      entries: 3,
      bytes: null,
      bound: { unit: "entries", most: 100 },
      eviction: "lfu",
      declared: false,
    }),
    schedules: () => [],
    consumers: () => [],
    outboxes: () => [],
    loads: () => [],
    watchRoutes: () => {},
    routes: () => routes,
    curve: () => undefined,
  };
  return { inside, counters, executions, routes };
}

async function openLedger(clock: ManualClock): Promise<Ledger<unknown>> {
  const ledger = memoryLedger({ clock });
  await ledger.open();
  return ledger;
}

/** Ten seconds at a time, as the journal's pace is, with so many reads in each. */
async function live(clock: ManualClock, steps: number, ...counters: { memory: number }[]): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    for (const one of counters) one.memory += 100;
    await clock.advance(10_000);
  }
}

/** Settles reads that wait for promises only. */
async function read(clock: ManualClock, inside: Inside, range: Range = "15m"): Promise<Metrics> {
  const reading = readMetrics(inside, { range });
  await clock.advance(0);
  return reading;
}

const total = (metrics: Metrics) => metrics.caches.find(({ name }) => name === "product")?.total["memory"];

/** A ledger whose journal can be taken away: from one writer, which is as if it had been killed, or from everybody. */
function removable(ledger: Ledger<unknown>) {
  const state = { away: false };
  const guard =
    <A extends unknown[], R>(work: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      state.away
        ? Promise.reject(new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "testing" }))
        : work(...args);
  const { append, read: look, forget } = ledger.journal;
  const journal = { append: guard(append), read: guard(look), forget: guard(forget) };
  return { state, ledger: { name: "memory", journal } as unknown as Ledger<unknown> };
}

test("two instances on one journal add up, and one that falls silent without an end is lost: 1 of 2", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const killed = removable(ledger);
  const [one, two] = [instance("web-1", clock, ledger), instance("web-2", clock, ledger)];
  startJournal(one.inside, ledger);
  startJournal(two.inside, killed.ledger);
  await live(clock, 6, one.counters, two.counters);

  const both = await read(clock, one.inside);
  expect(both.instances).toMatchObject({ seen: 2, expected: 2 });
  expect(both.sees).toBe("all-instances");
  expect(total(both)).toBe(1_200);
  expect(both.reads.memory.at(-1)).toBe(20);
  expect(both.now.reads.perSecond).toBeCloseTo(20, 5);

  killed.state.away = true;
  await live(clock, 2, one.counters);
  expect((await read(clock, one.inside)).instances).toMatchObject({ seen: 2, expected: 2 });
  await live(clock, 1, one.counters);
  const after = await read(clock, one.inside);
  expect(after.instances).toMatchObject({ seen: 1, expected: 2 });
  expect(after.instances.list.map(({ name, state }) => [name, state])).toEqual([
    ["web-1", "live"],
    ["web-2", "lost"],
  ]);
  expect(after.now.reads.perSecond).toBeCloseTo(10, 5);
  expect(after.reads.memory.at(-1)).toBe(10);
  expect(after.marks).toContainEqual(expect.objectContaining({ what: "lost", instance: "web-2" }));
});

test("requests to undecided routes add up over instances, and those to decided ones are not counted", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const [one, two] = [instance("web-1", clock, ledger), instance("web-2", clock, ledger)];
  startJournal(one.inside, ledger);
  startJournal(two.inside, ledger);
  expect((await read(clock, one.inside)).routes).toEqual([]);
  for (const { routes } of [one, two]) for (const route of routes) route.requests += 2;
  await live(clock, 3, one.counters);
  two.routes[0].requests += 1;
  await live(clock, 3, one.counters);
  expect((await read(clock, one.inside)).routes).toEqual([{ name: "POST /orders/:id", requests: 5 }]);
});

test("an instance that ends says so and is missed by nobody", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const [one, two] = [instance("web-1", clock, ledger), instance("web-2", clock, ledger)];
  startJournal(one.inside, ledger);
  const journal = startJournal(two.inside, ledger);
  await live(clock, 3, one.counters, two.counters);
  two.counters.memory += 7;
  await journal.stop();
  await live(clock, 3, one.counters);
  const after = await read(clock, one.inside);
  expect(after.instances).toMatchObject({ seen: 1, expected: 1 });
  // what it counted last is not lost with it
  expect(total(after)).toBe(907);
});

test("an instance that starts again under its name counts from zero, never below it", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const killed = removable(ledger);
  const first = instance("web-1", clock, ledger);
  startJournal(first.inside, killed.ledger);
  await live(clock, 6, first.counters);
  killed.state.away = true;
  await clock.advance(5_000);
  const second = instance("web-1", clock, ledger);
  startJournal(second.inside, ledger);
  await live(clock, 6, second.counters);
  const metrics = await read(clock, second.inside);
  expect(total(metrics)).toBe(1_200);
  expect(metrics.instances).toMatchObject({ seen: 1, expected: 1 });
  expect(metrics.reads.memory.filter((value) => value !== null && value < 0)).toEqual([]);
});

test("while the ledger is away nothing rejects, entries are missing, and the time without them stays a gap", async () => {
  const clock = manualClock();
  const { ledger, state } = removable(await openLedger(clock));
  const one = instance("web-1", clock, ledger);
  const journal = startJournal(one.inside, ledger);
  const other = instance("web-2", clock, ledger);
  startJournal(other.inside, ledger);
  await live(clock, 6, one.counters, other.counters);
  state.away = true;
  await live(clock, 6, one.counters, other.counters);
  const during = await read(clock, one.inside);
  expect(during.sees).toBe("this-process");
  expect(during.ledger?.away?.code).toBe("REPRISE_LEDGER_AWAY");
  state.away = false;
  await live(clock, 6, one.counters, other.counters);
  const after = await read(clock, one.inside);
  expect(after.ledger?.away).toBeNull();
  const values = after.reads.memory;
  expect(values).toContain(null);
  expect(values.at(-1)).toBe(20);
  expect(values.slice(0, 3)).toEqual([20, 20, 20]);
  // what was counted in the gap is known in sum
  expect(total(after)).toBe(3_600);
  await expect(journal.stop()).resolves.toBeUndefined();
});

test("a reader that stays keeps what it knew of the others while the ledger is away", async () => {
  const clock = manualClock();
  const { ledger, state } = removable(await openLedger(clock));
  const [one, two] = [instance("web-1", clock, ledger), instance("web-2", clock, ledger)];
  startJournal(one.inside, ledger);
  startJournal(two.inside, ledger);
  const reader = metricsReader(one.inside);
  await live(clock, 3, one.counters, two.counters);
  await reader.live();
  state.away = true;
  await live(clock, 9, one.counters, two.counters);
  const known = await reader.live();
  expect(known.sees).toBe("this-process");
  expect(known.instances).toMatchObject({ seen: 2, expected: 2 });
  reader.stop();
});

test("a ledger that never answers costs its deadline, and stopping does not wait longer", async () => {
  const clock = manualClock();
  const never = new Promise<never>(() => {});
  const hanging = { append: () => never, read: () => never, forget: () => never };
  const ledger = { name: "memory", journal: hanging } as unknown as Ledger<unknown>;
  const { inside } = instance("web-1", clock, ledger);
  const journal = startJournal(inside, ledger);
  let stopped = false;
  const stopping = journal.stop().then(() => {
    stopped = true;
  });
  await clock.advance(3_000);
  await stopping;
  expect(stopped).toBe(true);
  expect(clock.pending()).toBe(0);
});

test("without a ledger it shows this process, and says so", async () => {
  const clock = manualClock();
  const one = instance("web-1", clock);
  const reader = metricsReader(one.inside);
  await live(clock, 6, one.counters);
  const metrics = await reader.read({ range: "15m" });
  expect(metrics).toMatchObject({ sees: "this-process", ledger: null, instances: { seen: 1, expected: 1 } });
  expect(metrics.reads.memory).toEqual(new Array(30).fill(10));
  expect(metrics.ranges).toEqual(["15m", "1h"]);
  reader.stop();
  expect(clock.pending()).toBe(0);
});

test("the journal writes fine and coarse entries at their pace, one at the start and one at the end, and forgets", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const { inside } = instance("web-1", clock, ledger);
  const began = clock.now();
  const journal = startJournal(inside, ledger);
  await clock.advance(0);
  const entries = (resolution: Resolution) => ledger.journal.read(resolution, 0);
  expect([(await entries("fine")).length, (await entries("coarse")).length]).toEqual([1, 1]);
  await live(clock, 60);
  expect([(await entries("fine")).length, (await entries("coarse")).length]).toEqual([61, 3]);
  await live(clock, 360);
  const fine = await entries("fine");
  expect(Math.min(...fine.map(({ at }) => at))).toBeGreaterThanOrEqual(began + 600_000);
  await journal.stop();
  expect(ended((await entries("fine")).at(-1))).toBe(true);
  expect(ended((await entries("coarse")).at(-1))).toBe(true);
  expect(clock.pending()).toBe(0);
});

const ended = (entry: JournalEntry | undefined) => entry !== undefined && JSON.parse(entry.body).ended;

test("a longer range is offered when the journal can fill it, and is read from the coarse entries", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const one = instance("web-1", clock, ledger);
  startJournal(one.inside, ledger);
  await live(clock, 30, one.counters);
  expect((await read(clock, one.inside)).ranges).toEqual(["15m", "1h"]);
  await live(clock, 390, one.counters);
  const metrics = await read(clock, one.inside, "24h");
  expect(metrics.ranges).toEqual(["15m", "1h", "24h"]);
  expect(metrics.stepMs).toBe(300_000);
  expect(new Set(metrics.reads.memory)).toEqual(new Set([10]));
  expect(total(metrics)).toBe(42_000);
});

test("percentiles come from the histograms of all instances added up", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const [one, two] = [instance("web-1", clock, ledger), instance("web-2", clock, ledger)];
  startJournal(one.inside, ledger);
  startJournal(two.inside, ledger);
  await live(clock, 2);
  for (let run = 0; run < 98; run += 1) one.executions.duration.observe(10);
  for (let run = 0; run < 2; run += 1) two.executions.duration.observe(1_000);
  await live(clock, 2);
  const { durationMs } = (await read(clock, one.inside)).operations[0] ?? {};
  expect(durationMs?.p50).toBeGreaterThanOrEqual(10);
  expect(durationMs?.p50).toBeLessThan(13);
  expect(durationMs?.p99).toBeGreaterThanOrEqual(1_000);
});

test("entries of another version are passed over", async () => {
  const clock = manualClock();
  const ledger = await openLedger(clock);
  const one = instance("web-1", clock, ledger);
  const at = clock.now();
  await ledger.journal.append({ resolution: "fine", instance: "web-9", at, body: JSON.stringify({ v: 2, at }) });
  await ledger.journal.append({ resolution: "fine", instance: "web-8", at, body: "{" });
  startJournal(one.inside, ledger);
  await live(clock, 2, one.counters);
  expect((await read(clock, one.inside)).instances.list.map(({ name }) => name)).toEqual(["web-1"]);
});

test.each<readonly [string, () => Schema<{ readonly id: string }>]>([
  ["a bigint", () => ({ ...anything, minimum: 1n }) as Schema<{ readonly id: string }>],
  [
    "a cycle",
    () => {
      const schema = { ...anything, self: undefined as unknown };
      schema.self = schema;
      return schema as Schema<{ readonly id: string }>;
    },
  ],
])("a schema that holds %s keeps nobody from starting", async (_, schemaOf) => {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
  const order = reprise.operation({
    name: "order",
    input: schemaOf(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "database",
    refusals: { "sold-out": { status: 409, because: "It is sold out.", detail: schemaOf() } },
    run: async ({ input }) => input.id,
  });
  await reprise.start();
  expect(await order.run({ id: "a" })).toBe("a");
  await reprise.close();
});

test("what is declared has another sign when an answer differs, and the same when a function does", () => {
  const clock = manualClock();
  const { inside } = instance("web-1", clock);
  const declaring = (declaration: Partial<CacheDeclaration>): string =>
    snapshot({
      ...inside,
      caches: () => inside.caches().map((one) => ({ ...one, declaration: { ...one.declaration, ...declaration } })),
    }).declared;
  const before = snapshot(inside).declared;
  expect(before).toMatch(/^[0-9a-f]{7}$/);
  expect(declaring({ load: async () => 1 })).toBe(before);
  for (const other of [
    { freshFor: "61s" },
    { scope: ["id", "locale"] },
    { jitter: 0.2 },
    { ifStale: "x" },
    { absentFor: "5s" },
    { early: "never" },
    { protect: "high" },
    { deadline: { soft: "1s" } },
    { source: "db" },
    { clone: true },
  ] as const) {
    expect(declaring(other)).not.toBe(before);
  }
});

test("a reader made before another clock came reads by that one", async () => {
  const [early, late] = [manualClock(), manualClock()];
  const one = instance("web-1", early);
  let clock = early;
  await early.advance(100_000);
  const reader = metricsReader({ ...one.inside, clock: () => clock });
  clock = late;
  expect((await reader.live()).at).toBe(late.now());
  reader.stop();
});
