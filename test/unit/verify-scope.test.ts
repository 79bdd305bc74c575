import { AsyncLocalStorage } from "node:async_hooks";
import { expect, test } from "vitest";
import { createAmbient } from "../../src/cache/guard/context.ts";
import { createReprise } from "../../src/index.ts";
import { verifyScope } from "../../src/testing/verify-scope.ts";

const storage = new AsyncLocalStorage<string>();
const user = () => storage.getStore() ?? "nobody";
const as = (name: string, workshop = "w1") => ({
  scope: { workshop },
  name,
  within: <T>(work: () => T) => storage.run(name, work),
});
const cache = <V>(load: (scope: { readonly workshop: string }) => V | Promise<V>) => ({
  name: "seats",
  "~load": async (scope: { readonly workshop: string }) => {
    await Promise.resolve();
    return load(scope);
  },
});
const both = [as("ann"), as("bob")];
const found = { scope: ["workshop"], contexts: ["ann", "bob"] };

test("values that are the same for every context are no finding, whatever they are made of", async () => {
  const seats = cache(({ workshop }) => ({
    workshop,
    rows: [1, { at: new Date(0) }],
    map: new Map([["a", { n: 1 }]]),
    bytes: new Uint8Array([1]),
    call: () => 1,
  }));
  expect(await verifyScope(seats, both)).toEqual([]);
});

test("what differs under one key is told by its path, never by its value", async () => {
  const seats = cache(() => ({
    left: 3,
    mine: { by: user(), at: new Date(user().length === 3 && user() === "ann" ? 1 : 2) },
    rows: [{ n: 1 }, { owner: user() }],
    names: new Map([[user(), 1]]),
    [`${user()}@example.org`]: true,
  }));
  const findings = await verifyScope(seats, both);
  const differs = ["mine.by", "mine.at", "rows[1].owner", "names", "[key]", "[key]"];
  expect(findings).toEqual(differs.map((path) => ({ ...found, kind: "differs", path })));
});

test("other lengths, missing parts and whole values are told", async () => {
  const isAnn = () => user() === "ann";
  expect(await verifyScope(cache(user), both)).toEqual([{ ...found, kind: "differs", path: "(the value itself)" }]);
  expect(
    await verifyScope(
      cache(() => ({ rows: isAnn() ? [1] : [1, 2] })),
      both,
    ),
  ).toEqual([{ ...found, kind: "differs", path: "rows.length" }]);
  expect(
    await verifyScope(
      cache(() => (isAnn() ? { a: 1, b: 1 } : { a: 1 })),
      both,
    ),
  ).toEqual([{ ...found, kind: "differs", path: "b" }]);
});

test("a loader that is not deterministic is told as unstable, and the rest is compared all the same", async () => {
  let loads = 0;
  const findings = await verifyScope(
    cache(() => {
      loads += 1;
      return { loads, nested: { stamp: { loads } }, by: user() };
    }),
    both,
  );
  expect(findings.filter(({ kind }) => kind === "differs")).toEqual([{ ...found, kind: "differs", path: "by" }]);
  expect(findings).toContainEqual({ ...found, kind: "unstable", contexts: ["bob", "bob"], path: "nested.stamp.loads" });
});

test("a source that changes between two contexts is no leak", async () => {
  let loads = 0;
  const seats = cache(() => {
    loads += 1;
    return { left: loads > 1 ? 2 : 3 };
  });
  expect((await verifyScope(seats, both)).map(({ kind }) => kind)).toEqual(["unstable"]);
});

test("other scopes are not compared, and nothing to compare is refused", async () => {
  const seats = cache(({ workshop }) => workshop);
  expect(await verifyScope(seats, [as("ann", "w1"), as("bob", "w2"), as("bob", "w1")])).toEqual([]);
  await expect(verifyScope(seats, [as("ann", "w1"), as("bob", "w2")])).rejects.toMatchObject({
    code: "REPRISE_BAD_DECLARATION",
  });
});

test("a dimension read past the scope is a finding, told once a context", async () => {
  const ambient = createAmbient(["user"]);
  const leaking = {
    name: "seats",
    "~load": async (scope: object) =>
      ambient.watch({ cache: "seats", scope: { ...scope } }, () => ambient.get("user")).result,
  };
  const context = (name: string) => ({
    scope: {},
    within: <T>(work: () => T) => ambient.run({ user: name }, work),
  });
  expect(await verifyScope(leaking, [context("ann"), context("bob")])).toEqual([
    { kind: "leak", scope: [], contexts: ["context 1", "context 1"], dimension: "user" },
    { kind: "leak", scope: [], contexts: ["context 2", "context 2"], dimension: "user" },
  ]);
});

test("a real cache's leak is found: its loader reads a dimension that its scope does not have", async () => {
  const reprise = createReprise({
    ...{ service: "shop", undecided: "listed" },
    dimensions: { tenant: "shared", user: "personal" },
  });
  const prices = reprise.cache.readThrough({
    name: "prices",
    scope: ["tenant"],
    sameForEvery: ["user"],
    freshFor: "10s",
    load: async ({ tenant }) => `${tenant}: ${reprise.context.get("user")}`,
  });
  const as = (name: string) => ({
    scope: { tenant: "t1" },
    name,
    within: <T>(work: () => T) => reprise.context.run({ user: name }, work),
  });
  expect(await verifyScope(prices, [as("ann"), as("bob")])).toEqual([
    { kind: "leak", scope: ["tenant"], contexts: ["ann", "ann"], dimension: "user" },
    { kind: "leak", scope: ["tenant"], contexts: ["bob", "bob"], dimension: "user" },
  ]);
});

test("a load that fails in one context alone is a finding; one that fails in all rejects with its error", async () => {
  const refuse = () => {
    throw new Error("away");
  };
  const seats = cache(() => (user() === "ann" ? 1 : refuse()));
  expect(await verifyScope(seats, both)).toEqual([{ ...found, kind: "differs", path: "(whether it loads)" }]);
  await expect(verifyScope(cache(refuse), both)).rejects.toThrow("away");
});

test("cycles end", async () => {
  const seats = cache(() => {
    const value: Record<string, unknown> = { by: user() };
    value["self"] = value;
    return value;
  });
  expect(await verifyScope(seats, both)).toEqual([{ ...found, kind: "differs", path: "by" }]);
});
