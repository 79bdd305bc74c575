import { expect, test } from "vitest";
import type { Schema } from "../../src/base/schema.ts";
import { createReprise, type MemoryOptions, outcomeOf, unchecked } from "../../src/index.ts";
import { readMetrics } from "../../src/observe/read.ts";
import { questionsOf } from "../../src/page/questions.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";

const checked: Schema<{ readonly id: string }> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as { readonly id: string } }) },
};

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
      questionsOf(reprise.decisions(), metrics, reprise["~inside"].memory()).map((one) => [one.name, one]),
    );
  };
  return { reprise, order, product, asked };
}

test("without declarations nothing is asked", async () => {
  const reprise = createReprise({ service: "shop", undecided: "listed" });
  const metrics = await readMetrics(reprise["~inside"], { range: "15m" });
  expect(questionsOf(reprise.decisions(), metrics, reprise["~inside"].memory())).toEqual([]);
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
  expect(eviction?.answer).toContain("At most **500 entries**");
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
