import { afterEach, expect, test } from "vitest";
import { createReprise, loaded, type MemoryOptions } from "../../src/index.ts";
import type { ExplainAnswer } from "../../src/page/explain.ts";
import { pageHandler } from "../../src/page/index.ts";
import type { DecisionsAnswer, Refusal } from "../../src/page/wire.ts";
import type { WorkingSet } from "../../src/page/working-set.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";

const canary = "canary-value";
const opened: { readonly close: () => Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

function createShop(memory?: MemoryOptions) {
  const reprise = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger(), memory });
  opened.push(reprise);
  const product = reprise.cache.readThrough({
    name: "product",
    scope: ["id"],
    freshFor: "60s",
    load: async ({ id }: { readonly id: string | number }) =>
      loaded({ id, words: canary.repeat(20) }, { tags: ["brand"] }),
  });
  const price = reprise.cache.readThrough({
    name: "price",
    scope: ["id", "currency"],
    freshFor: "60s",
    load: async ({ id }: { readonly id: string; readonly currency?: string }) => id.length,
  });
  const page = pageHandler(reprise);
  const ask = async <T>(path: string) => {
    const response = await page(new Request(`http://localhost:4000/reprise/${path}`));
    return { status: response.status, body: (await response.json()) as T };
  };
  const explain = (cache: string, scope: string) =>
    ask<ExplainAnswer & Refusal>(`explain.json?${new URLSearchParams({ cache, scope })}`);
  return { reprise, product, price, ask, explain };
}

test("what a read would do is told before, while and after it is in memory, and nothing is read for it", async () => {
  const { reprise, product, explain } = createShop();
  const scope = JSON.stringify({ id: "p1" });
  const before = await explain("product", scope);
  expect(before).toMatchObject({ status: 200, body: { cache: "product", explanation: { would: "load" } } });
  expect(before.body.instance).toBe(reprise["~inside"].instance);
  await product.get({ id: "p1" });
  const after = await explain("product", scope);
  expect(after.body.explanation).toMatchObject({ would: "answer-fresh", entry: { state: "fresh", tags: ["brand"] } });
  expect(JSON.stringify([before, after])).not.toContain(canary);
  const { memory, source, loads } = reprise["~inside"].caches()[0]?.counters ?? {};
  expect([memory, source, loads]).toEqual([0, 1, 1]);
});

test("a scope's parts arrive as they were written: the number 1 is not the text 1", async () => {
  const { product, explain } = createShop();
  await product.get({ id: 1 });
  const would = async (scope: object) => (await explain("product", JSON.stringify(scope))).body.explanation.would;
  expect(await would({ id: 1 })).toBe("answer-fresh");
  expect(await would({ id: "1" })).toBe("load");
});

test("a part of a scope that is left out is an optional one", async () => {
  const { price, explain } = createShop();
  await price.get({ id: "p1" });
  expect((await explain("price", '{"id":"p1"}')).body.explanation.would).toBe("answer-fresh");
  expect((await explain("price", '{"id":"p1","currency":"EUR"}')).body.explanation.would).toBe("load");
});

test.each([
  ["no JSON", "w1", "The scope is no object."],
  ["a list", '["p1"]', "The scope is no object."],
  ["null", "null", "The scope is no object."],
  ["nothing", "", "There is no scope."],
  ["an empty object", "{}", "The scope is empty."],
  ["a stranger", '{"product":"p1"}', "'product' is no part of the scope: 'id'."],
  ["an object inside", '{"id":{"a":1}}', "'id' is no text, number or boolean."],
  ["a null inside", '{"id":null}', "'id' is no text, number or boolean."],
])("a scope that is %s is refused with what to write instead", async (_, scope, message) => {
  const { explain } = createShop();
  const { status, body } = await explain("product", scope);
  expect([status, body.error.code]).toEqual([400, "bad-scope"]);
  expect(body.error.message).toContain(message);
});

test("a cache that is not declared is not found, by name or by its working set", async () => {
  const { explain, ask } = createShop();
  expect(await explain("nothing", '{"id":"p1"}')).toMatchObject({
    status: 404,
    body: { error: { code: "no-such-cache" } },
  });
  expect((await ask("working-set.json?cache=nothing")).status).toBe(404);
});

test("after a few reads the curve is told, and nothing that would follow from it", async () => {
  const { product, ask } = createShop();
  await product.get({ id: "p1" });
  const { body } = await ask<WorkingSet>("working-set.json?cache=product");
  expect(body).toMatchObject({ cache: "product", bound: { unit: "entries", most: 10_000, held: 1 } });
  expect(body.curve).toMatchObject({
    reads: expect.any(Number),
    readsNeeded: 1_000,
    knee: null,
    wanted: null,
    bill: null,
  });
});

test("after enough reads it tells where memory stands, the knee, the size for 95% and what they cost", async () => {
  const { product, price, ask } = createShop({ maxBytes: "64mb", eviction: "lfu" });
  for (let read = 0; read < 20_000; read += 1) await product.get({ id: `p${Math.floor(200 * Math.random() ** 3)}` });
  await price.get({ id: "p1" });
  const { body } = await ask<WorkingSet>("working-set.json");
  expect(body).toMatchObject({ cache: null, bound: { unit: "bytes", most: 64 * 2 ** 20 } });
  expect(body.bound.held).toBeGreaterThan(0);
  const { curve } = body;
  expect(curve?.reads).toBe(20_001);
  expect(curve?.here.bytes).toBe(body.bound.held);
  expect(curve?.here.missRatio).toBeLessThan(0.3);
  expect(curve?.knee?.entries).toBeLessThan(200);
  expect(1 - (curve?.wanted?.missRatio ?? 1)).toBeGreaterThanOrEqual(0.95);
  expect(curve?.recommended?.entries).toBeGreaterThanOrEqual(curve?.wanted?.entries ?? Number.NaN);
  expect(curve?.bill).toMatchObject({
    weighed: true,
    prices: { gbMonth: 3.2 },
    sentence: expect.stringContaining("$"),
  });
  const sizes = curve?.points.map(({ entries }) => entries) ?? [];
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  expect(sizes.length).toBeLessThanOrEqual(170);
  const one = await ask<WorkingSet>("working-set.json?cache=price");
  expect(one.body.curve?.here.entries).toBe(1);
});

test("where nobody watches, the curve is null", async () => {
  const { product, ask } = createShop({ maxEntries: 500, eviction: "lru", workingSet: false });
  await product.get({ id: "p1" });
  expect((await ask<WorkingSet>("working-set.json")).body.curve).toBeNull();
});

test("the decisions tell the bound of memory, its unit and its policy", async () => {
  const { ask } = createShop({ maxEntries: 500, eviction: "nearest-expiry" });
  const { body } = await ask<DecisionsAnswer>("decisions.json");
  expect(body.memory).toMatchObject({
    bound: { unit: "entries", most: 500 },
    eviction: "nearest-expiry",
    declared: true,
  });
});
