import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const { expireBatch, expireEveryMs, expireAgainMs } = defaults.background;

describe("expired entries leave by themselves", () => {
  test("when nobody reads them, a second or so after their stale window ended, and their cache counts it", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({ staleFor: "30s" });
    stand.caches.start();
    for (let id = 0; id < 10; id += 1) await cache.put({ id }, id);
    await stand.clock.advance(89_999);
    expect(stand.caches.memory.entries()).toBe(10);
    await stand.clock.advance(1 + expireEveryMs);
    expect(stand.caches.memory.entries()).toBe(0);
    expect(stand.counters()).toMatchObject({ lapsed: 10, evicted: 0 });
  });

  test("a look takes a bounded batch, and the next follows soon while many have expired", async () => {
    const entries = 5 * expireBatch;
    const stand = cacheStand({ maxEntries: entries });
    const cache = stand.cacheAside();
    for (let id = 0; id < entries; id += 1) await cache.put({ id }, id);
    await stand.clock.advance(60_000);
    stand.caches.start();
    await stand.clock.advance(expireEveryMs);
    expect(stand.caches.memory.entries()).toBe(entries - expireBatch);
    await stand.clock.advance(expireAgainMs - 1);
    expect(stand.caches.memory.entries()).toBe(entries - expireBatch);
    await stand.clock.advance(1);
    expect(stand.caches.memory.entries()).toBe(entries - 2 * expireBatch);
    await stand.clock.advance(3 * expireAgainMs);
    expect(stand.caches.memory.entries()).toBe(0);
  });

  test("looks go on from where the last one ended: what stands behind many that live leaves too", async () => {
    const entries = 2 * expireBatch;
    const stand = cacheStand({ maxEntries: entries });
    const short = stand.cacheAside({ name: "short", freshFor: "2s" });
    const long = stand.cacheAside({ name: "long", freshFor: "1h" });
    for (let id = 0; id < expireBatch; id += 1) await long.put({ id }, id);
    for (let id = 0; id < expireBatch; id += 1) await short.put({ id }, id);
    stand.caches.start();
    await stand.clock.advance(5 * expireEveryMs);
    expect(stand.counters("short").lapsed).toBe(expireBatch);
    expect(stand.counters("long").lapsed).toBe(0);
    expect(stand.caches.memory.entries()).toBe(expireBatch);
  });

  test("a load under way, a lookup's permission and the wait after a failure stay until they are over", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ freshFor: "1s", deadline: { hard: "30s" } });
    const failing = cache.get({ id: "failed" });
    stand.held(0).fail(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    const read = cache.get({ id: "loading" });
    stand.caches.start();
    await stand.clock.advance(expireEveryMs - 1);
    expect(stand.caches.memory.entries()).toBe(2);
    await stand.clock.advance(19_001);
    expect(stand.caches.memory.entries()).toBe(1);
    stand.source.set("loading", "second");
    stand.held(1).answer();
    expect(await read).toBe("first");
    // it took longer than a life, so it leaves as any
    await stand.clock.advance(expireEveryMs);
    expect(stand.caches.memory.entries()).toBe(0);
    // the mark of a failure and a load are no values that expired
    expect(stand.counters().lapsed).toBe(1);
  });

  test("a lookup that nobody stores leaves once its deadline has passed", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({ deadline: { hard: "5s" } });
    stand.caches.start();
    const found = await cache.lookup({ id: "a" });
    await stand.clock.advance(4_000);
    expect(stand.caches.memory.entries()).toBe(1);
    await stand.clock.advance(2_000);
    expect(stand.caches.memory.entries()).toBe(0);
    expect(found.hit ? undefined : await found.store("late")).toBe(false);
  });

  test("close stops it", async () => {
    const stand = cacheStand();
    stand.cacheAside();
    stand.caches.start();
    await stand.clock.advance(3 * expireEveryMs);
    await stand.caches.close({ drainMs: 0 });
    await settle();
    expect(stand.clock.pending()).toBe(0);
  });
});
