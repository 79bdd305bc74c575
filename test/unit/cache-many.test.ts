import { describe, expect, test } from "vitest";
import { loaded } from "../../src/cache/loader.ts";
import { cacheStand, type Declaration, type StandOptions, settle, watch } from "./cache-stand.ts";

const a = { id: "a" };
const b = { id: "b" };
const c = { id: "c" };

describe("getMany with loadMany", () => {
  function manyStand(declaration: Declaration = {}, options: StandOptions = {}) {
    const stand = cacheStand(options);
    const calls: {
      readonly ids: readonly unknown[];
      readonly signal: AbortSignal;
      readonly answer: (values: readonly unknown[]) => void;
      readonly fail: (error: unknown) => void;
    }[] = [];
    const cache = stand.readThrough({
      ...declaration,
      loadMany: (scopes, { signal }) =>
        new Promise((resolve, reject) => {
          const ids = scopes.map((scope) => scope["id"]);
          calls.push({ ids, signal, answer: resolve as (values: readonly unknown[]) => void, fail: reject });
        }),
    });
    const call = (place: number) => {
      const one = calls[place];
      if (one === undefined) throw new Error(`call ${place} was not begun`);
      return one;
    };
    return { ...stand, cache, calls, call };
  }

  test("is one call for all that memory does not hold, and keeps the order asked for", async () => {
    const stand = manyStand();
    await stand.cache.put(b, "held");
    const reads = stand.cache.getMany([c, b, a]);
    await settle();
    expect(stand.call(0).ids).toEqual(["c", "a"]);
    stand.call(0).answer(["C", "A"]);
    expect(await reads).toEqual(["C", "held", "A"]);
    expect(await stand.cache.getMany([a, b, c])).toEqual(["A", "held", "C"]);
    expect([stand.calls.length, stand.loads.length]).toEqual([1, 0]);
    expect(stand.counters()).toMatchObject({ loads: 2, source: 2, memory: 4, shared: 0 });
  });

  test("is no call at all where memory holds everything, and one of one scope is a load as any", async () => {
    const stand = manyStand();
    await stand.cache.put(a, "held");
    expect(await stand.cache.getMany([a, a])).toEqual(["held", "held"]);
    expect(await stand.cache.getMany([])).toEqual([]);
    expect(stand.calls).toHaveLength(0);
    void stand.cache.get(b);
    expect([stand.calls.length, stand.loads.length]).toEqual([0, 1]);
  });

  test("a failure stands in its own place: an Error rejects its scope alone, undefined is an absence", async () => {
    const stand = manyStand({ absentFor: "5s" });
    const settled = stand.cache.getManySettled([a, b, c]);
    await settle();
    const error = new Error("not this one");
    stand.call(0).answer(["A", error, undefined]);
    expect(await settled).toEqual([
      { status: "ok", value: "A" },
      { status: "failed", error },
      { status: "ok", value: undefined },
    ]);
    expect(await stand.cache.peek(a)).toMatchObject({ value: "A" });
    await expect(stand.cache.get(b)).rejects.toBe(error);
    expect(stand.counters()).toMatchObject({ absent: 1, loadsFailed: 1 });
    await expect(stand.cache.getMany([a, b])).rejects.toBe(error);
  });

  test("a call that fails as a whole rejects all its scopes, and no other", async () => {
    const stand = manyStand();
    await stand.cache.put(c, "held");
    const settled = stand.cache.getManySettled([a, b, c]);
    await settle();
    stand.call(0).fail(new Error("away"));
    expect(await settled).toMatchObject([{ status: "failed" }, { status: "failed" }, { status: "ok" }]);
  });

  test("an answer with more or fewer places is refused: nobody knows which value is whose", async () => {
    for (const answer of [["A"], ["A", "B", "C"], [], "AB", undefined]) {
      const stand = manyStand();
      const settled = stand.cache.getManySettled([a, b]);
      await settle();
      stand.call(0).answer(answer as never);
      for (const one of await settled) {
        expect(one).toMatchObject({ status: "failed", error: { code: "REPRISE_BATCH_AMISS", details: { asked: 2 } } });
      }
      expect(await stand.cache.peek(a)).toBeUndefined();
    }
  });

  test("each place may be loaded with what its source says of it", async () => {
    const stand = manyStand();
    const reads = stand.cache.getMany([a, b]);
    await settle();
    stand.call(0).answer([loaded("A", { tags: ["brand"], freshFor: "1s" }), "B"]);
    expect(await reads).toEqual(["A", "B"]);
    await stand.cache.purgeTag("brand");
    expect(await stand.cache.peek(a)).toBeUndefined();
    expect(await stand.cache.peek(b)).toMatchObject({ value: "B" });
  });

  test("a scope whose load is under way already is joined and not asked for again", async () => {
    const stand = manyStand();
    const single = stand.cache.get(a);
    const first = stand.cache.getMany([a, b]);
    const second = stand.cache.getMany([b, c]);
    await settle();
    expect(stand.calls.map(({ ids }) => ids)).toEqual([["b"], ["c"]]);
    stand.held(0).answer();
    stand.call(0).answer(["B"]);
    stand.call(1).answer(["C"]);
    expect(await Promise.all([single, first, second])).toEqual(["first", ["first", "B"], ["B", "C"]]);
  });

  test("what is asked for twice in one call is loaded once", async () => {
    const stand = manyStand();
    const reads = stand.cache.getMany([a, b, a, a]);
    await settle();
    expect(stand.call(0).ids).toEqual(["a", "b"]);
    stand.call(0).answer(["A", "B"]);
    expect(await reads).toEqual(["A", "B", "A", "A"]);
    expect(stand.counters()).toMatchObject({ loads: 2, source: 2, shared: 2 });
  });

  test("a purge while it runs keeps out what it read of that scope, and stores the rest", async () => {
    const stand = manyStand();
    const reads = stand.cache.getMany([a, b]);
    await settle();
    await stand.cache.purge(a);
    stand.call(0).answer(["A", "B"]);
    expect(await reads).toEqual(["A", "B"]);
    expect(await stand.cache.peek(a)).toBeUndefined();
    expect(await stand.cache.peek(b)).toMatchObject({ value: "B" });
  });

  test("stale values are served at once, and loaded behind in one call with what is missing", async () => {
    const stand = manyStand({ staleFor: "60s" });
    for (const scope of [a, b]) await stand.cache.put(scope, "old");
    await stand.clock.advance(60_000);
    const reads = stand.cache.getMany([a, b, c]);
    await settle();
    expect(stand.call(0).ids).toEqual(["a", "b", "c"]);
    stand.call(0).answer(["A", "B", "C"]);
    expect(await reads).toEqual(["old", "old", "C"]);
    expect(await stand.cache.getMany([a, b, c])).toEqual(["A", "B", "C"]);
  });

  test("its signal aborts when the last of its loads is given up, no sooner", async () => {
    const stand = manyStand({ deadline: { hard: "5s" } });
    const settled = stand.cache.getManySettled([a, b]);
    await stand.clock.advance(4_999);
    expect(stand.call(0).signal.aborted).toBe(false);
    await stand.clock.advance(1);
    expect(stand.call(0).signal.reason).toMatchObject({ code: "REPRISE_LOAD_TIMEOUT" });
    for (const one of await settled) expect(one).toMatchObject({ error: { code: "REPRISE_LOAD_TIMEOUT" } });
    // heard by nobody
    stand.call(0).answer(["A", "B"]);
    await settle();
    expect(await stand.cache.peek(a)).toBeUndefined();
  });

  test("a caller's signal ends its waiting for all, while the call goes on and is stored", async () => {
    const stand = manyStand();
    const gone = new AbortController();
    const seen = watch(stand.cache.getMany([a, b], { signal: gone.signal }));
    await settle();
    gone.abort(new Error("gone"));
    await settle();
    expect(seen).toMatchObject({ state: "rejected", result: { message: "gone" } });
    expect(stand.call(0).signal.aborted).toBe(false);
    stand.call(0).answer(["A", "B"]);
    await settle();
    expect(await stand.cache.getMany([a, b])).toEqual(["A", "B"]);
    await expect(stand.cache.getMany([c], { signal: gone.signal })).rejects.toThrow("gone");
    await expect(stand.cache.getManySettled([c], { signal: gone.signal })).rejects.toThrow("gone");
    expect(stand.calls).toHaveLength(1);
  });

  test("a scope that is no scalar rejects in its place, and the others are loaded", async () => {
    const stand = manyStand();
    const settled = stand.cache.getManySettled([a, { id: null }]);
    await settle();
    stand.call(0).answer(["A"]);
    expect(await settled).toMatchObject([
      { status: "ok", value: "A" },
      { status: "failed", error: { code: "REPRISE_BAD_SCALAR" } },
    ]);
  });

  test("with a cap on its source it is one load: one call for all, and one place", async () => {
    const stand = manyStand({ source: "db" }, { sources: { db: { loadsAtOnce: 1 } } });
    const reads = stand.cache.getMany([a, b, c]);
    await settle();
    expect(stand.calls.map(({ ids }) => ids)).toEqual([["a", "b", "c"]]);
    const alone = stand.cache.get({ id: "d" });
    expect(stand.loads).toHaveLength(0);
    stand.call(0).answer(["A", "B", "C"]);
    expect(await reads).toEqual(["A", "B", "C"]);
    await settle();
    stand.held(0).answer();
    expect(await alone).toBe("first");
  });

  test("with a full source it waits as a whole, and takes its permissions when it begins", async () => {
    const stand = manyStand({ source: "db" }, { sources: { db: { loadsAtOnce: 1 } } });
    const first = stand.cache.get({ id: "d" });
    const reads = stand.cache.getMany([a, b]);
    await settle();
    expect(stand.calls).toHaveLength(0);
    await stand.cache.purge(a);
    stand.held(0).answer();
    await first;
    await settle();
    expect(stand.call(0).ids).toEqual(["a", "b"]);
    stand.call(0).answer(["A", "B"]);
    expect(await reads).toEqual(["A", "B"]);
    expect(await stand.cache.peek(a)).toMatchObject({ value: "A" });
    expect(stand.loads).toHaveLength(1);
  });
});

describe("a bulk load at a full source", () => {
  test("whose deadlines pass in the queue never begins, and leaves its place to others", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    let calls = 0;
    const cache = stand.readThrough({
      source: "db",
      deadline: { hard: "1s" },
      loadMany: async (scopes) => {
        calls += 1;
        return scopes.map(() => "many");
      },
    });
    const slow = stand.readThrough({ source: "db", name: "slow" });
    const first = slow.get(a);
    const settled = cache.getManySettled([a, b]);
    const next = slow.get(b);
    await stand.clock.advance(1_000);
    for (const one of await settled) expect(one).toMatchObject({ error: { code: "REPRISE_LOAD_TIMEOUT" } });
    stand.held(0).answer();
    await first;
    await settle();
    stand.held(1).answer();
    expect(await next).toBe("first");
    expect(calls).toBe(0);
    expect(await cache.getMany([a, b])).toEqual(["many", "many"]);
  });
});

describe("without loadMany", () => {
  test("getMany asks the loader for each that is missing, at once", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    await cache.put(b, "held");
    const reads = cache.getMany([a, b, c, a]);
    expect(stand.loads.map(({ scope }) => scope["id"])).toEqual(["a", "c"]);
    for (const load of stand.loads) load.answer();
    expect(await reads).toEqual(["first", "held", "first", "first"]);
  });
});
