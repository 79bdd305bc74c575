import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { isRepriseError } from "../../src/base/errors.ts";
import { createCaches } from "../../src/cache/caches.ts";
import { manualClock } from "../../src/testing/clock.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };

describe("a failing load", () => {
  test("rejects all 100 callers with one error of one load, and for a moment those who come after", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const reads = Array.from({ length: 100 }, () => cache.get(a));
    const error = new Error("the source is away");
    stand.held(0).fail(error);
    const settled = await Promise.allSettled(reads);
    expect(settled.every((one) => one.status === "rejected" && one.reason === error)).toBe(true);

    await stand.clock.advance(defaults.cache.backOffMs - 1);
    await expect(cache.get(a)).rejects.toBe(error);
    expect(stand.loads).toHaveLength(1);
    expect(stand.counters()).toMatchObject({ failed: 101, loads: 1, loadsFailed: 1, source: 0, shared: 0 });

    await stand.clock.advance(1);
    const again = cache.get(a);
    stand.held(1).answer();
    expect(await again).toBe("first");
  });

  test("holds back its own key and no other", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const failing = cache.get(a);
    stand.held(0).fail(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    void cache.get({ id: "b" });
    expect(stand.loads).toHaveLength(2);
  });

  for (const change of ["purge", "expire", "put"] as const) {
    test(`${change} ends the wait after a failure`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const failing = cache.get(a);
      stand.held(0).fail(new Error("away"));
      await expect(failing).rejects.toThrow("away");
      if (change === "put") await cache.put(a, "put");
      else await cache[change](a);
      const read = cache.get(a);
      if (change !== "put") stand.held(1).answer();
      expect(await read).toBe(change === "put" ? "put" : "first");
    });
  }

  test("that a change overtook says nothing about the source after it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const before = cache.get(a);
    await cache.purge(a);
    const after = cache.get(a);
    stand.held(0).fail(new Error("away"));
    await expect(before).rejects.toThrow("away");
    stand.held(1).answer();
    expect(await after).toBe("first");
    expect(await cache.get(a)).toBe("first");
  });

  test("behind a stale value is not seen, and is repeated no sooner than the wait after a failure", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "10s" });
    void cache.get(a);
    stand.held(0).answer();
    await stand.clock.advance(60_000);
    expect(await cache.get(a)).toBe("first");
    stand.held(1).fail(new Error("away"));
    await settle();
    expect(await cache.get(a)).toBe("first");
    expect(stand.loads).toHaveLength(2);
    await stand.clock.advance(defaults.cache.backOffMs);
    expect(await cache.get(a)).toBe("first");
    stand.held(2).fail(new Error("away"));
    await stand.clock.advance(10_000 - defaults.cache.backOffMs);
    const late = cache.get(a);
    stand.held(3).fail(new Error("still away"));
    await expect(late).rejects.toThrow("still away");
  });

  test("that throws before it returns a promise behaves as one that rejects", async () => {
    const clock = manualClock();
    const caches = createCaches({ clock: () => clock, bound: { unit: "entries", most: 10 }, eviction: "lru" });
    let loads = 0;
    const cache = caches.readThrough({
      name: "thrower",
      scope: ["id"],
      freshFor: "60s",
      load: () => {
        loads += 1;
        throw new Error("at once");
      },
    });
    await expect(cache.get(a)).rejects.toThrow("at once");
    await expect(cache.getEntry(a)).rejects.toThrow("at once");
    expect(loads).toBe(1);
  });

  test("that nobody waits for is no unhandled rejection", async () => {
    const seen: unknown[] = [];
    const listen = (reason: unknown) => seen.push(reason);
    process.on("unhandledRejection", listen);
    try {
      const stand = cacheStand();
      const cache = stand.readThrough({ staleFor: "60s", refresh: { hottest: 1, every: "30s" } });
      stand.caches.start();
      void cache.get(a);
      stand.held(0).answer();
      await settle();
      await cache.get(a);
      await stand.clock.advance(30_000);
      stand.held(1).fail(new Error("background"));
      await stand.clock.advance(29_999);
      expect(stand.counters().loadsFailed).toBe(1);
      await stand.clock.advance(1);
      await cache.get(a);
      await stand.clock.advance(30_000);
      await settle();
      expect(seen).toEqual([]);
      expect(stand.counters().loadsFailed).toBe(2);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });

  test("stands in its place in getManySettled, and is the first failure of getMany", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const settled = cache.getManySettled([a, { id: "b" }, { id: "c" }]);
    const many = cache.getMany([a, { id: "b" }]);
    many.catch(() => {});
    stand.held(0).answer();
    stand.held(1).fail(new Error("away"));
    stand.held(2).fail("no error");
    const [first, second, third] = await settled;
    expect(first).toEqual({ status: "ok", value: "first" });
    expect(second).toMatchObject({ status: "failed", error: { message: "away" } });
    expect(third).toMatchObject({ status: "failed", error: { cause: "no error" } });
    await expect(many).rejects.toThrow("away");
  });
});

describe("the hard deadline", () => {
  test("aborts the load and rejects its callers, and what the load says later is not heard", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ deadline: { hard: "5s" } });
    const reads = [cache.get(a), cache.get(a)];
    const settled = Promise.allSettled(reads);
    await stand.clock.advance(4_999);
    expect(stand.held(0).signal.aborted).toBe(false);
    await stand.clock.advance(1);
    expect(isRepriseError(stand.held(0).signal.reason, "REPRISE_LOAD_TIMEOUT")).toBe(true);
    for (const one of await settled) {
      expect(one).toMatchObject({ status: "rejected", reason: { code: "REPRISE_LOAD_TIMEOUT" } });
    }
    stand.held(0).answer();
    await settle();
    expect(await cache.peek(a)).toBeUndefined();
    await expect(cache.get(a)).rejects.toMatchObject({ code: "REPRISE_LOAD_TIMEOUT" });
  });

  test("refuses the store of a lookup that took longer", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({ deadline: { hard: "5s" } });
    const found = await cache.lookup(a);
    await stand.clock.advance(5_000);
    expect(found.hit ? undefined : await found.store("late")).toBe(false);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("leaves no timer behind a load that answered", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const read = cache.get(a);
    expect(stand.clock.pending()).toBe(1);
    stand.held(0).answer();
    await read;
    expect(stand.clock.pending()).toBe(0);
  });
});

describe("a caller's own signal", () => {
  test("ends its waiting alone: the load goes on for the others", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const impatient = new AbortController();
    const ended = cache.get(a, { signal: impatient.signal });
    const other = cache.get(a, { signal: new AbortController().signal });
    impatient.abort(new Error("gone"));
    await expect(ended).rejects.toThrow("gone");
    expect(stand.held(0).signal.aborted).toBe(false);
    stand.held(0).answer();
    expect(await other).toBe("first");
    expect(stand.counters()).toMatchObject({ failed: 1, shared: 1, source: 0 });
  });

  test("may be that of many reads at once: it gets one listener, not a leak warning, and keeps none", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = () => getEventListeners(signal, "abort").length;
    const reads = Array.from({ length: 20 }, (_, id) => cache.get({ id }, { signal }));
    expect(listeners()).toBe(1);
    for (const { answer } of stand.loads) answer();
    await Promise.all(reads);
    await settle();
    expect(listeners()).toBe(0);
    const ended = [20, 21].map((id) => cache.get({ id }, { signal }));
    controller.abort(new Error("gone"));
    for (const read of ended) await expect(read).rejects.toThrow("gone");
    expect(stand.counters()).toMatchObject({ source: 20, failed: 2 });
  });

  test("aborted before the call begins no load, and does not hide what memory holds", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const signal = AbortSignal.abort(new Error("gone"));
    await expect(cache.get(a, { signal })).rejects.toThrow("gone");
    expect(stand.loads).toHaveLength(0);
    await cache.put(a, "put");
    expect(await cache.get(a, { signal })).toBe("put");
  });
});

describe("a load runs in no caller's async context", () => {
  test("neither the application's storage nor what the deadline aborts sees who missed first", async () => {
    const request = new AsyncLocalStorage<string>();
    const clock = manualClock();
    const caches = createCaches({ clock: () => clock, bound: { unit: "entries", most: 10 }, eviction: "lru" });
    const seen: unknown[] = [];
    const cache = caches.readThrough({
      name: "context",
      scope: ["id"],
      freshFor: "60s",
      staleFor: "60s",
      load: async (_scope: never, { signal }: { readonly signal: AbortSignal }) => {
        seen.push(request.getStore());
        signal.addEventListener("abort", () => seen.push(request.getStore()));
        await settle();
        seen.push(request.getStore());
        return "value";
      },
    });
    await request.run("alice", () => cache.get(a));
    await clock.advance(60_000);
    await request.run("bob", () => cache.get(a));
    await settle();
    expect(seen).toEqual([undefined, undefined, undefined, undefined]);

    const hanging = caches.readThrough({
      name: "hanging",
      scope: ["id"],
      freshFor: "60s",
      load: (_scope: never, { signal }: { readonly signal: AbortSignal }) =>
        new Promise<string>(() => signal.addEventListener("abort", () => seen.push(request.getStore()))),
    });
    const late = request.run("carol", () => hanging.get(a));
    late.catch(() => {});
    await request.run("dave", () => clock.advance(30_000));
    expect(seen).toHaveLength(5);
    expect(seen[4]).toBe(undefined);
  });

  test("the caller's own continuation keeps its context", async () => {
    const request = new AsyncLocalStorage<string>();
    const stand = cacheStand();
    const cache = stand.readThrough();
    const read = request.run("alice", async () => {
      await cache.get(a);
      return request.getStore();
    });
    stand.held(0).answer();
    expect(await read).toBe("alice");
  });

  test("a load gets the declared parts of the scope alone, as they were when it was asked for", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const scope = { id: "a", session: "secret" };
    void cache.get(scope);
    scope.id = "b";
    expect(stand.held(0).scope).toEqual({ id: "a" });
  });
});

describe("a scope that is no scalar", () => {
  test("rejects and never throws, and nothing is loaded", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const aside = stand.cacheAside({ name: "pairs", scope: ["id", "language"] });
    const refused = { code: "REPRISE_BAD_SCALAR" };
    for (const id of [null, {}, [], Number.NaN, Symbol("a"), () => "a"]) {
      await expect(cache.get({ id })).rejects.toMatchObject(refused);
      await expect(cache.getEntry({ id })).rejects.toMatchObject(refused);
      await expect(cache.getMany([{ id }])).rejects.toMatchObject(refused);
      await expect(cache.peek({ id })).rejects.toMatchObject(refused);
      await expect(cache.put({ id }, 1)).rejects.toMatchObject(refused);
      await expect(cache.expire({ id })).rejects.toMatchObject(refused);
      await expect(cache.purge({ id })).rejects.toMatchObject(refused);
      await expect(aside.lookup({ id: "a", language: id })).rejects.toMatchObject(refused);
    }
    await expect(cache.get(undefined as never)).rejects.toMatchObject(refused);
    expect(stand.loads).toHaveLength(0);
  });
});
