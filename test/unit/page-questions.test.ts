import { expect, test } from "vitest";
import type { Schema } from "../../src/base/schema.ts";
import { createReprise, type MemoryOptions, outcomeOf, unchecked } from "../../src/index.ts";
import type { Metrics } from "../../src/observe/metrics.ts";
import { readMetrics } from "../../src/observe/read.ts";
import type { Shown } from "../../src/page/index.ts";
import { type Grounds, questionsOf } from "../../src/page/questions.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { random } from "../page/random.ts";

const checked: Schema<{ readonly id: string }> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as { readonly id: string } }) },
};

function grounds(reprise: Shown, metrics: Metrics): Grounds {
  const inside = reprise["~inside"];
  return { metrics, memory: inside.memory(), curve: inside.curve(), jobs: { loads: [], schedules: [], consumers: [] } };
}

function createShop(memory?: MemoryOptions) {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger(), memory });
  const order = reprise.operation({
    name: "order",
    owner: "shop-team",
    ifRunsAgain: "replays",
    costIfTwice: "money",
    input: checked,
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "database",
    run: async ({ input }) => input.id,
  });
  const product = reprise.cache.readThrough({
    name: "product",
    owner: "shop-team",
    holds: "public",
    ifStale: "An old price; the basket checks again.",
    scope: ["id"],
    freshFor: "60s",
    changedBy: () => [outcomeOf(order, (input) => ({ id: input.id }))],
    load: async ({ id }) => id,
  });
  const asked = async () => {
    const metrics = await readMetrics(reprise["~inside"], { range: "15m" });
    return Object.fromEntries(
      questionsOf(reprise.decisions(), grounds(reprise, metrics)).map((one) => [one.name, one]),
    );
  };
  return { reprise, order, product, asked };
}

test("without declarations nothing is asked", async () => {
  const reprise = createReprise({ service: "shop", undecided: "listed" });
  const metrics = await readMetrics(reprise["~inside"], { range: "15m" });
  expect(questionsOf(reprise.decisions(), grounds(reprise, metrics))).toEqual([]);
});

test("what is no operation comes first: routes that nobody has decided, and how often they are asked", async () => {
  const { reprise, asked } = createShop();
  const route = { method: "POST", path: "/login", because: "a second session does no harm", requests: 3 };
  reprise["~inside"].watchRoutes(() => [route]);
  expect((await asked())["HTTP"]?.state).toBe("declared");
  reprise["~inside"].watchRoutes(() => [{ method: "PATCH", path: "/orders/:id", because: undefined, requests: 84 }]);
  expect((await asked())["HTTP"]).toMatchObject({
    state: "undecided",
    answer: "Nobody has decided this for **1** route that changes something and is no operation.",
    detail: "Each request runs again: 84 requests, last 1 min.",
    owners: "nobody",
    source: "routes of the watched applications: PATCH /orders/:id",
  });
});

test("what only stands in the code is declared; what was counted is evidence", async () => {
  const { reprise, order, product, asked } = createShop();
  const before = await asked();
  expect(Object.values(before).map(({ name, state }) => [name, state])).toEqual([
    ["Pattern", "declared"],
    ["Invalidation", "declared"],
    ["Stampede", "default"],
    ["Never cached", "declared"],
    ["Eviction", "default"],
    ["Measuring", "evidence"],
    ["Cost", "default"],
    ["HTTP", "declared"],
  ]);
  await Promise.all([product.get({ id: "a" }), product.get({ id: "a" })]);
  await order.run({ id: "a" });
  await order.run({ id: "a" });
  const after = await asked();
  expect([after["Stampede"]?.state, after["HTTP"]?.state, after["Invalidation"]?.state]).toEqual([
    "evidence",
    "evidence",
    "evidence",
  ]);
  expect(after["HTTP"]?.answer).toContain("**1** repeated");
  await reprise.close();
});

test("a bound of memory that somebody declared is no default", async () => {
  const { reprise, asked } = createShop({ maxEntries: 500, eviction: "lru" });
  const { Eviction: eviction } = await asked();
  expect(eviction).toMatchObject({ state: "declared", source: "declared in code" });
  expect(eviction?.answer).toContain("At most **500 entries** an instance, then what was read longest ago goes (lru)");
  await reprise.close();
});

test("a bound in bytes is told in bytes, with its policy and what is protected, by name", async () => {
  const { reprise, asked } = createShop({ maxBytes: "64mb", eviction: "nearest-expiry" });
  reprise.cache.readThrough({
    name: "price",
    owner: "shop-team",
    holds: "public",
    ifStale: "An old price.",
    scope: ["id"],
    freshFor: "60s",
    protect: "high",
    load: async ({ id }) => id,
  });
  const { Eviction: eviction } = await asked();
  expect(eviction?.answer).toContain("At most **64 MB** an instance, then what would expire first goes");
  expect(eviction?.detail).toContain("they leave last: price;");
  await reprise.close();
});

test("the size is a guess until enough reads were seen, and then told by their curve", async () => {
  const { reprise, product, asked } = createShop({ maxEntries: 5_000, eviction: "lru" });
  await product.get({ id: "a" });
  const { Cost: few } = await asked();
  expect(few).toMatchObject({ state: "declared", detail: expect.stringContaining("Too few reads yet") });
  // so many keys that it makes no difference which of them the sample holds
  const draw = random(7);
  for (let read = 0; read < 20_000; read += 1) await product.get({ id: `p${Math.floor(2_000 * draw() ** 3)}` });
  const { Cost: enough } = await asked();
  expect(enough).toMatchObject({ state: "evidence", source: "measured, this process" });
  const told =
    /^You hold \*\*([\d,]+) entries\*\*, enough for (\d+(?:\.\d+)?)% of reads; (?:[\d,]+ entries would do|no size answers more)/;
  const [, entries, percent] = told.exec(enough?.answer ?? "") ?? [];
  expect(Number(entries?.replaceAll(",", ""))).toBeGreaterThan(1_000);
  expect(Number(percent)).toBeGreaterThan(75);
  await reprise.close();
});

test("each pattern's trade-off is told in its own words, and only of those in use", async () => {
  const { reprise, asked } = createShop();
  const { Pattern: pattern } = await asked();
  expect(pattern?.detail).toMatch(/^Read-through: A read is as old as its load/);
  expect(pattern?.detail).not.toContain("Write-behind");
  await reprise.close();
});

test("refreshes ahead, queues and the caps of sources are part of what a stampede meets", async () => {
  const { reprise, asked } = createShop();
  const { Stampede: stampede } = await asked();
  expect(stampede?.detail).toContain("No cache bounds how many reads may wait. No source bounds its loads.");
  await reprise.close();
});

test("a question that one declaration leaves open is nobody's", async () => {
  const { reprise, asked } = createShop();
  reprise.cache.readThrough({ name: "open", scope: ["id"], freshFor: "60s", load: async ({ id }) => id });
  reprise.operation({
    name: "open",
    input: unchecked<{ id: string }>(),
    principal: "everyone",
    identity: (input) => [input.id],
    retention: "1d",
    effects: "database",
    run: async () => 1,
  });
  const questions = await asked();
  expect(questions["Never cached"]).toMatchObject({ state: "undecided", owners: "nobody", source: "open" });
  expect(questions["HTTP"]).toMatchObject({ state: "undecided", owners: "nobody", source: "open" });
  await reprise.close();
});
