import { AsyncLocalStorage } from "node:async_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createCaches } from "../../src/cache/caches.ts";
import { manualClock } from "../../src/testing/clock.ts";
import { cacheStand, settle } from "./cache-stand.ts";

describe("memory has one hard bound for all caches together", () => {
  test("under churn of values, permissions and failures it never holds more entries than allowed", async () => {
    const stand = cacheStand({ maxEntries: 50 });
    const first = stand.readThrough({ name: "first" });
    const second = stand.cacheAside({ name: "second", scope: ["id", "part"] });
    let most = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const read = first.get({ id: round });
      read.catch(() => {});
      if (round % 3 === 0) stand.loads.at(-1)?.answer();
      if (round % 3 === 1) stand.loads.at(-1)?.fail(new Error("away"));
      await second.lookup({ id: round, part: "x" });
      await second.put({ id: round, part: "y" }, round);
      if (round % 50 === 0) await settle();
      most = Math.max(most, stand.caches.memory.entries());
    }
    const [one, two] = stand.caches.list();
    expect(most).toBe(50);
    expect(stand.caches.memory.entries()).toBe(50);
    expect((one?.entries() ?? 0) + (two?.entries() ?? 0)).toBe(50);
    expect((one?.counters.evicted ?? 0) + (two?.counters.evicted ?? 0)).toBeGreaterThan(2_000);
  });

  test("the least recently used entry leaves, whichever cache it is of, and its cache counts it", async () => {
    const stand = cacheStand({ maxEntries: 3 });
    const first = stand.cacheAside({ name: "first" });
    const second = stand.cacheAside({ name: "second" });
    await first.put({ id: 1 }, "one");
    await second.put({ id: 2 }, "two");
    await first.put({ id: 3 }, "three");
    await first.get({ id: 1 }, stand.load as never);
    await first.put({ id: 4 }, "four");
    expect(await second.peek({ id: 2 })).toBeUndefined();
    await first.put({ id: 5 }, "five");
    expect(await first.peek({ id: 3 })).toBeUndefined();
    expect(await first.peek({ id: 1 })).toMatchObject({ value: "one" });
    expect(stand.caches.list().map(({ counters }) => counters.evicted)).toEqual([1, 1]);
  });

  test("a peek keeps nothing in memory", async () => {
    const stand = cacheStand({ maxEntries: 2 });
    const cache = stand.cacheAside();
    await cache.put({ id: 1 }, "one");
    await cache.put({ id: 2 }, "two");
    await cache.peek({ id: 1 });
    await cache.put({ id: 3 }, "three");
    expect(await cache.peek({ id: 1 })).toBeUndefined();
  });

  test("is refused without a bound", () => {
    const clock = manualClock();
    for (const maxEntries of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() =>
        createCaches({ clock: () => clock, bound: { unit: "entries", most: maxEntries }, eviction: "lru" }),
      ).toThrow(expect.objectContaining({ code: "REPRISE_BAD_DECLARATION" }));
    }
  });
});

describe("keys of different kinds never meet", () => {
  test("1, '1', 1n, true and a part left out are five entries", async () => {
    const stand = cacheStand();
    for (const scope of [["id"], ["id", "part"]]) {
      const cache = stand.cacheAside({ name: scope.join(), scope });
      const ids = [1, "1", 1n, true, undefined];
      for (const [place, id] of ids.entries()) await cache.put({ id }, place);
      expect(await Promise.all(ids.map(async (id) => (await cache.peek({ id }))?.value))).toEqual([0, 1, 2, 3, 4]);
      expect((await cache.peek({ id: -0 }))?.value).toBeUndefined();
      await cache.put({ id: 0 }, "zero");
      expect((await cache.peek({ id: -0 }))?.value).toBe("zero");
    }
  });
});

test("what is read again and again keeps nothing alive of the requests that read it", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const requests = new AsyncLocalStorage<object>();
  const stand = cacheStand();
  const cache = stand.cacheAside();
  const seen: WeakRef<object>[] = [];
  for (let id = 0; id < 20; id += 1) {
    await cache.put({ id }, id);
    await requests.run({ id }, async () => {
      seen.push(new WeakRef(requests.getStore() as object));
      for (let read = 0; read < 4; read += 1) await cache.get({ id }, () => id);
    });
  }
  await settle();
  collect();
  await settle();
  collect();
  // the engine may hold the last one a little longer
  expect(seen.filter((one) => one.deref() !== undefined).length).toBeLessThan(5);
  expect(await cache.get({ id: 1 }, () => "loaded")).toBe(1);
});
