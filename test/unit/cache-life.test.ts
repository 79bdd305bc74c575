import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };

describe("an age", () => {
  test("is told of a value that is kept for months", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ freshFor: "90d", staleFor: "90d", early: "never" });
    void cache.get(a);
    stand.held(0).answer();
    await settle();
    expect((await cache.peek(a))?.ageMs).toBeLessThan(1_000);
    await stand.clock.advance(3_600_000);
    const ageMs = (await cache.peek(a))?.ageMs ?? Number.NaN;
    // seven digits of 90 days are kept
    expect(Math.abs(ageMs - 3_600_000)).toBeLessThan(1_000);
    expect((await cache.explain(a)).entry?.ageMs).toBe(ageMs);
  });

  test("is never below nothing, and no stored window is longer than was declared", () =>
    fc.assert(
      fc.asyncProperty(fc.double({ min: 1, max: 5e9, noNaN: true }), fc.nat(1_000), async (freshMs, stepMs) => {
        const stand = cacheStand({ random: () => 0 });
        const fresh = `${Math.ceil(freshMs)}ms` as const;
        const cache = stand.readThrough({ freshFor: fresh, staleFor: fresh, early: "never", jitter: 0 });
        await stand.clock.advance(stepMs / 7);
        void cache.get(a);
        stand.held(0).answer();
        await settle();
        expect((await cache.peek(a))?.ageMs).toBeGreaterThanOrEqual(0);
        await stand.clock.advance(2 * Math.ceil(freshMs) + 0.001);
        expect(await cache.peek(a)).toBeUndefined();
      }),
    ));
});

describe("fresh and stale", () => {
  test("the stale window is added to the fresh one", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ freshFor: "10s", staleFor: "50ms" });
    void cache.get(a);
    stand.held(0).answer();
    await stand.clock.advance(9_999);
    expect(await cache.getEntry(a)).toEqual({ value: "first", origin: "memory", state: "fresh", ageMs: 9_999 });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toMatchObject({ state: "stale" });
    await stand.clock.advance(49);
    expect(await cache.peek(a)).toMatchObject({ state: "stale", ageMs: 10_049 });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
    expect(stand.loads).toHaveLength(1);
  });

  test("a stale read is answered at once and starts the refresh behind it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    void cache.get(a);
    stand.held(0).answer();
    await stand.clock.advance(60_000);
    stand.source.set("a", "second");
    expect(await cache.getEntry(a)).toMatchObject({ value: "first", state: "stale" });
    stand.held(1).answer();
    await settle();
    expect(await cache.getEntry(a)).toMatchObject({ value: "second", state: "fresh", ageMs: 0 });
    expect(stand.counters()).toMatchObject({ source: 1, stale: 1, memory: 1, loads: 2, refreshes: 0 });
  });

  test("an entry that was loaded says so, with its age since the load began", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const entry = cache.getEntry(a);
    await stand.clock.advance(250);
    stand.held(0).answer();
    expect(await entry).toEqual({ value: "first", origin: "source", state: "fresh", ageMs: 250 });
  });

  test("undefined and null are values like others", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    for (const value of [undefined, null]) {
      await cache.put(a, value);
      expect(await cache.peek(a)).toMatchObject({ value });
      expect(await cache.get(a, stand.load as never)).toBe(value);
    }
    expect(stand.loads).toHaveLength(0);
  });

  test("jitter shortens a life by its share at most and never makes it longer", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.double({ min: 0, max: 0.9, noNaN: true }),
        async (drawn, jitter) => {
          const stand = cacheStand({ random: () => drawn });
          const cache = stand.cacheAside({ jitter });
          await cache.put(a, "value");
          await stand.clock.advance(Math.floor(60_000 * (1 - jitter)) - 1);
          expect(await cache.peek(a)).toBeDefined();
          await stand.clock.advance(60_000);
          expect(await cache.peek(a)).toBeUndefined();
        },
      ),
      { numRuns: 50 },
    );
  });

  test("keys that were stored together do not expire together", async () => {
    let drawn = 0;
    const stand = cacheStand({
      random: () => {
        drawn += 0.1;
        return drawn;
      },
    });
    const cache = stand.cacheAside();
    for (let key = 0; key < 9; key += 1) await cache.put({ id: key }, "value");
    await stand.clock.advance(57_000);
    const left = await Promise.all(Array.from({ length: 9 }, (_, key) => cache.peek({ id: key })));
    const alive = left.filter((entry) => entry !== undefined).length;
    expect(alive).toBeGreaterThan(2);
    expect(alive).toBeLessThan(7);
  });
});

describe("expire", () => {
  test("serves the value on as stale, no longer than the stale window from then", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "10s" });
    await cache.put(a, "old");
    await stand.clock.advance(1_000);
    await cache.expire(a);
    expect(await cache.peek(a)).toMatchObject({ value: "old", state: "stale" });
    await stand.clock.advance(5_000);
    await cache.expire(a);
    await stand.clock.advance(4_999);
    expect(await cache.peek(a)).toMatchObject({ value: "old", state: "stale" });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("does not lengthen a stale window that is nearly over", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "10s" });
    await cache.put(a, "old");
    await stand.clock.advance(69_000);
    await cache.expire(a);
    await stand.clock.advance(1_000);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("without a stale window takes the value away", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    await cache.put(a, "old");
    await cache.expire(a);
    expect(await cache.peek(a)).toBeUndefined();
    expect(stand.caches.memory.entries()).toBe(0);
  });
});

describe("lookup", () => {
  test("sends one caller at a time to the source while the value is stale, and serves the others", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({ staleFor: "1h", deadline: { hard: "5s" } });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    const refreshing = await cache.lookup(a);
    expect(refreshing.hit).toBe(false);
    expect(await cache.lookup(a)).toMatchObject({ hit: true, value: "old", state: "stale", origin: "memory" });
    await stand.clock.advance(5_000);
    const next = await cache.lookup(a);
    expect(next.hit ? undefined : await next.store("new")).toBe(true);
    expect(await cache.lookup(a)).toMatchObject({ hit: true, value: "new", state: "fresh", ageMs: 0 });
    expect(refreshing.hit ? undefined : await refreshing.store("late")).toBe(false);
    expect(await cache.lookup(a)).toMatchObject({ value: "new" });
  });

  test("of several that missed together the first store counts, the others are told that theirs did not", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    const misses = [await cache.lookup(a), await cache.lookup(a)];
    const stored: unknown[] = [];
    for (const miss of misses) stored.push(miss.hit ? undefined : await miss.store("value"));
    expect(stored).toEqual([true, false]);
  });

  test("get of a cache-aside cache shares the load of whoever came first, and gives it the scope", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    let strangers = 0;
    const first = cache.get(a, stand.load as never);
    const second = cache.get(a, () => {
      strangers += 1;
      return "stranger";
    });
    stand.held(0).answer();
    expect(await Promise.all([first, second])).toEqual(["first", "first"]);
    expect([stand.held(0).scope, strangers]).toEqual([{ id: "a" }, 0]);
  });
});
