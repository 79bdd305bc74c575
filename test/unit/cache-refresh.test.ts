import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/base/clock.ts";
import { createCaches } from "../../src/cache/caches.ts";
import { cacheStand, settle } from "./cache-stand.ts";

/** A stand whose loads answer at once and tell when they began. */
function refreshStand(plan: { hottest: number; every: `${number}s` }, maxEntries = 100) {
  const stand = cacheStand({ maxEntries });
  const begun: { readonly id: unknown; readonly at: number }[] = [];
  const cache = stand.caches.readThrough({
    name: "hot",
    scope: ["id"],
    freshFor: "60s",
    refresh: plan,
    load: (scope: { readonly id: unknown }) => {
      begun.push({ id: scope.id, at: stand.clock.monotonic() });
      return "value";
    },
  });
  stand.caches.start();
  const read = async (ids: readonly unknown[], times = 1) => {
    for (let time = 0; time < times; time += 1) for (const id of ids) await cache.get({ id });
  };
  return { ...stand, cache, begun, read };
}

describe("the hottest keys are refreshed in the background", () => {
  test("keys that were loaded together are refreshed one at a time, evenly spread, each once in every", async () => {
    const stand = refreshStand({ hottest: 5, every: "50s" });
    const ids = ["a", "b", "c", "d", "e"];
    await stand.read(ids, 2);
    stand.begun.length = 0;
    for (let second = 0; second < 100; second += 1) {
      await stand.clock.advance(1_000);
      await stand.read(ids);
    }
    expect(stand.begun.map(({ at }) => at)).toEqual(Array.from({ length: 10 }, (_, tick) => (tick + 1) * 10_000));
    expect(stand.begun.map(({ id }) => id)).toEqual([...ids, ...ids]);
    expect(stand.counters()).toMatchObject({ refreshes: 10, source: 5, loads: 15, failed: 0, stale: 0, shared: 0 });
  });

  test("a single key is refreshed before it expires and not more often than needed", async () => {
    const stand = refreshStand({ hottest: 5, every: "50s" });
    await stand.clock.advance(3_000);
    await stand.read(["a"], 2);
    for (let second = 0; second < 200; second += 1) {
      await stand.clock.advance(1_000);
      await stand.read(["a"]);
    }
    expect(stand.counters().source).toBe(1);
    expect(stand.begun.map(({ at }) => at)).toEqual([3_000, 50_000, 100_000, 150_000, 200_000]);
  });

  test("the one tried longest ago goes first", async () => {
    const stand = refreshStand({ hottest: 2, every: "40s" });
    await stand.read(["younger"]);
    await stand.clock.advance(1_000);
    await stand.read(["elder"]);
    await stand.clock.advance(1_000);
    await stand.cache.put({ id: "younger" }, "put");
    await stand.read(["elder", "younger"], 2);
    stand.begun.length = 0;
    await stand.clock.advance(38_000);
    expect(stand.begun.map(({ id }) => id)).toEqual(["elder", "younger"]);
  });

  test("where more keys are read than the plan holds, the most read ones are kept fresh", async () => {
    const stand = refreshStand({ hottest: 2, every: "50s" });
    const ids = ["rare", "often", "seldom", "always"];
    await stand.read(ids);
    stand.begun.length = 0;
    for (let second = 0; second < 50; second += 1) {
      await stand.read(["often", "always"], 10);
      await stand.read(["rare", "seldom"]);
      await stand.clock.advance(1_000);
    }
    expect(stand.begun.map(({ id }) => id).sort()).toEqual(["always", "often"]);
  });

  test('a key that nobody has read for twice "every" falls out, and comes back when it is read', async () => {
    const stand = refreshStand({ hottest: 1, every: "50s" });
    await stand.read(["a"], 100);
    await stand.clock.advance(500_000);
    expect(stand.counters()).toMatchObject({ loads: 3, refreshes: 2 });
    await stand.read(["a"], 2);
    await stand.clock.advance(50_000);
    expect(stand.counters()).toMatchObject({ loads: 5, refreshes: 3 });
  });

  test("a key whose load is under way is not loaded beside it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({
      staleFor: "1h",
      refresh: { hottest: 1, every: "30s" },
      deadline: { hard: "10m" },
    });
    stand.caches.start();
    void cache.get({ id: "a" });
    stand.held(0).answer();
    await settle();
    await cache.get({ id: "a" });
    await stand.clock.advance(30_000);
    expect(stand.loads).toHaveLength(2);
    await cache.get({ id: "a" });
    await stand.clock.advance(300_000);
    await cache.get({ id: "a" });
    await stand.clock.advance(30_000);
    expect(stand.loads).toHaveLength(2);
    expect(stand.counters().refreshes).toBe(1);
  });

  test("a key whose source fails does not keep the others from their turn", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h", refresh: { hottest: 2, every: "40s" } });
    stand.caches.start();
    void cache.getMany([{ id: "fails" }, { id: "works" }]);
    for (const load of stand.loads) load.answer();
    await settle();
    await cache.getMany([{ id: "fails" }, { id: "works" }]);
    await stand.clock.advance(20_000);
    stand.held(2).fail(new Error("away"));
    await stand.clock.advance(20_000);
    expect(stand.loads.map(({ scope }) => scope["id"])).toEqual(["fails", "works", "fails", "works"]);
  });

  test("an entry that left memory is forgotten", async () => {
    const stand = refreshStand({ hottest: 1, every: "50s" }, 1);
    const other = stand.caches.cacheAside({ name: "other", scope: ["id"], freshFor: "1h" });
    await stand.read(["a"], 10);
    await stand.clock.advance(1);
    await other.put({ id: "b" }, "pushes a out");
    await stand.clock.advance(200_000);
    expect(stand.counters().refreshes).toBe(0);
  });

  test("a cache that is declared after start is refreshed too, and none is after close", async () => {
    const stand = cacheStand();
    stand.caches.start();
    const cache = stand.readThrough({ refresh: { hottest: 1, every: "30s" } });
    void cache.get({ id: "a" });
    stand.held(0).answer();
    await settle();
    await cache.get({ id: "a" });
    await stand.clock.advance(30_000);
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    await settle();
    await cache.get({ id: "a" });
    await stand.caches.close({ drainMs: 1 });
    await stand.clock.advance(300_000);
    expect(stand.loads).toHaveLength(2);
  });

  test("ticks that a busy process missed are not made up for in a burst", async () => {
    let elapsed = 0;
    const timers: { readonly ms: number; readonly work: () => void }[] = [];
    const clock: Clock = {
      now: () => elapsed,
      monotonic: () => elapsed,
      timer: (ms, work) => {
        if (ms <= 10_000) timers.push({ ms, work });
        return () => {};
      },
    };
    const caches = createCaches({ clock: () => clock, bound: { unit: "entries", most: 10 }, eviction: "lru" });
    const cache = caches.readThrough({
      name: "hot",
      scope: ["id"],
      freshFor: "60s",
      staleFor: "1h",
      refresh: { hottest: 5, every: "50s" },
      load: () => "value",
    });
    for (const id of [1, 2, 3, 4, 5]) await cache.getMany([{ id }, { id }]);
    await cache.getMany([1, 2, 3, 4, 5].map((id) => ({ id })));
    caches.start();
    const [first] = timers.splice(0);
    expect(first?.ms).toBe(10_000);
    elapsed = 49_000;
    first?.work();
    await settle();
    const [second, ...none] = timers.splice(0);
    expect(none).toEqual([]);
    expect(second?.ms).toBe(10_000);
    expect(caches.list()[0]?.counters.refreshes).toBe(1);

    // a little late is caught up with, by half an interval at most
    elapsed += 18_000;
    second?.work();
    expect(timers.splice(0).map(({ ms }) => ms)).toEqual([5_000]);
  });
});
