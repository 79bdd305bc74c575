import { describe, expect, test } from "vitest";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };

/** Changes the source and tells the cache, while a load is under way that read the value before. */
const verbs = ["purge", "expire"] as const;

describe("C1: after an acknowledged invalidation no read gives older data", () => {
  for (const verb of verbs) {
    test(`a load that ${verb} overtook is not stored, and its callers of before still get its value`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const before = cache.get(a);
      stand.source.set("a", "second");
      await cache[verb](a);
      stand.held(0).answer();
      expect(await before).toBe("first");
      expect(await cache.peek(a)).toBeUndefined();
      const after = cache.get(a);
      stand.held(1).answer();
      expect(await after).toBe("second");
      expect(stand.counters().discarded).toBe(1);
    });

    test(`a caller after ${verb} does not share the load that began before it`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const before = cache.get(a);
      stand.source.set("a", "second");
      await cache[verb](a);
      const after = cache.get(a);
      expect(stand.loads).toHaveLength(2);
      stand.held(1).answer();
      expect(await after).toBe("second");
      stand.held(0).answer();
      expect(await before).toBe("first");
      expect(await cache.get(a)).toBe("second");
    });

    test(`${verb} during a refresh behind a stale value keeps the refresh from being stored`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough({ staleFor: "60s" });
      void cache.get(a);
      stand.held(0).answer();
      await stand.clock.advance(60_000);
      expect(await cache.get(a)).toBe("first");
      expect(stand.loads).toHaveLength(2);
      stand.source.set("a", "second");
      await cache[verb](a);
      stand.held(1).answer();
      await settle();
      expect((await cache.peek(a))?.state).toBe(verb === "purge" ? undefined : "stale");
      const after = cache.get(a);
      stand.held(2).answer();
      expect(await after).toBe(verb === "purge" ? "second" : "first");
      await settle();
      expect(await cache.get(a)).toBe("second");
    });

    test(`${verb} during a background refresh keeps the refresh from being stored`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough({ refresh: { hottest: 1, every: "30s" } });
      stand.caches.start();
      void cache.get(a);
      stand.held(0).answer();
      await settle();
      await cache.get(a);
      await stand.clock.advance(30_000);
      expect(stand.loads).toHaveLength(2);
      stand.source.set("a", "second");
      await cache[verb](a);
      stand.held(1).answer();
      await settle();
      expect(await cache.peek(a)).toBeUndefined();
    });

    test(`the store of a lookup that ${verb} overtook stores nothing`, async () => {
      const stand = cacheStand();
      const cache = stand.cacheAside();
      const found = await cache.lookup(a);
      await cache[verb](a);
      expect(found.hit ? undefined : await found.store("first")).toBe(false);
      expect(await cache.peek(a)).toBeUndefined();
    });

    test(`a lookup after ${verb} takes out a permission of its own, which the older store does not have`, async () => {
      const stand = cacheStand();
      const cache = stand.cacheAside();
      const older = await cache.lookup(a);
      await cache[verb](a);
      const newer = await cache.lookup(a);
      expect(older.hit ? undefined : await older.store("first")).toBe(false);
      expect(newer.hit ? undefined : await newer.store("second")).toBe(true);
      expect(await cache.peek(a)).toMatchObject({ value: "second", state: "fresh" });
    });
  }

  test("purge leaves no stale value, whatever the stale window and however the source fails", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h" });
    void cache.get(a);
    stand.held(0).answer();
    await settle();
    await cache.purge(a);
    const after = cache.get(a);
    stand.held(1).fail(new Error("the source is away"));
    await expect(after).rejects.toThrow("the source is away");
    await expect(cache.get(a)).rejects.toThrow("the source is away");
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a load that a put overtook does not overwrite it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const before = cache.get(a);
    await cache.put(a, "put");
    stand.held(0).answer();
    expect(await before).toBe("first");
    expect(await cache.get(a)).toBe("put");
    expect(stand.loads).toHaveLength(1);
  });

  test("a caller after a put whose value memory forgot does not share a load of before it", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough();
    const before = cache.get(a);
    stand.source.set("a", "second");
    await cache.put(a, "second");
    await cache.put({ id: "b" }, "pushes a out");
    const after = cache.get(a);
    for (const load of stand.loads) load.answer();
    expect([await before, await after]).toEqual(["first", "second"]);
  });

  test("the store of a lookup that a put overtook does not overwrite it", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    const found = await cache.lookup(a);
    await cache.put(a, "put");
    expect(found.hit ? undefined : await found.store("first")).toBe(false);
    expect(await cache.lookup(a)).toMatchObject({ hit: true, value: "put" });
  });

  test("getMany after an invalidation shares the loads that began after it and no other", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const before = cache.getMany([a, { id: "b" }]);
    stand.source.set("a", "second");
    await cache.purge(a);
    const after = cache.getMany([a, { id: "b" }]);
    expect(stand.loads.map((load) => load.scope["id"])).toEqual(["a", "b", "a"]);
    for (const load of stand.loads) load.answer();
    expect(await before).toEqual(["first", "first"]);
    expect(await after).toEqual(["second", "first"]);
  });

  test("a commit of an operation invalidates loads under way, also where memory forgot them", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough({
      changedBy: () => [
        { kind: "outcome", operation: "book", verb: "purge", scopesOf: (input: { id: string }) => [{ id: input.id }] },
      ],
    });
    const before = cache.get(a);
    await cache.put({ id: "b" }, "pushes a out");
    stand.source.set("a", "second");
    stand.caches.changed("book", { id: "a" });
    const after = cache.get(a);
    for (const load of stand.loads) load.answer();
    expect([await before, await after]).toEqual(["first", "second"]);
  });
});

describe("C3: when all is quiet nothing stale is left", () => {
  test("after an invalidation, once its loads have ended, memory holds the new value alone", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    const reads = [cache.get(a)];
    stand.source.set("a", "second");
    await cache.expire(a);
    reads.push(cache.get(a));
    stand.source.set("a", "third");
    await cache.expire(a);
    reads.push(cache.get(a));
    stand.held(1).answer();
    await settle();
    stand.held(2).answer();
    stand.held(0).answer();
    expect(await Promise.all(reads)).toEqual(["first", "second", "third"]);
    expect(await cache.peek(a)).toMatchObject({ value: "third", state: "fresh" });
  });
});

describe("C4: what memory forgets costs a load or a store, and revives nothing", () => {
  test("a load whose permission was evicted is not stored, also when another permission has taken its place", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough();
    const before = cache.get(a);
    await cache.put({ id: "b" }, "pushes a out");
    stand.source.set("a", "second");
    await cache.purge(a);
    const after = cache.get(a);
    stand.held(0).answer();
    expect(await before).toBe("first");
    expect(await cache.peek(a)).toBeUndefined();
    stand.held(1).answer();
    expect(await after).toBe("second");
    expect(await cache.get(a)).toBe("second");
  });

  test("a load that is evicted without any change costs its store and nothing else", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough();
    const read = cache.get(a);
    await cache.put({ id: "b" }, "pushes a out");
    const joined = cache.get(a);
    expect(stand.loads).toHaveLength(1);
    stand.held(0).answer();
    expect(await Promise.all([read, joined])).toEqual(["first", "first"]);
    expect(await cache.peek(a)).toBeUndefined();
    expect(await cache.peek({ id: "b" })).toMatchObject({ value: "pushes a out" });
  });

  test("a lookup whose permission was evicted stores nothing", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.cacheAside();
    const found = await cache.lookup(a);
    await cache.put({ id: "b" }, "pushes a out");
    expect(found.hit ? undefined : await found.store("first")).toBe(false);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("an evicted mark of a failed load costs one load", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough();
    const failing = cache.get(a);
    stand.held(0).fail(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    await cache.put({ id: "b" }, "pushes a out");
    const again = cache.get(a);
    stand.held(1).answer();
    expect(await again).toBe("first");
  });
});

describe("C5: a key has one load at once, and two where a change outdated the first", () => {
  test("1,000 callers of a cold key share one load", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const reads = Array.from({ length: 1_000 }, () => cache.get(a));
    expect(stand.loads).toHaveLength(1);
    stand.held(0).answer();
    expect(new Set(await Promise.all(reads))).toEqual(new Set(["first"]));
    expect(stand.counters()).toMatchObject({ source: 1, shared: 999, loads: 1, memory: 0, failed: 0 });
  });

  test("while two outdated loads run, all further callers share one that begins when one of them ends", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const first = cache.get(a);
    await cache.purge(a);
    const second = cache.get(a);
    await cache.purge(a);
    const third = cache.get(a);
    stand.source.set("a", "second");
    await cache.purge(a);
    const fourth = cache.get(a);
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    await second;
    expect(stand.loads).toHaveLength(3);
    expect(stand.held(2).read).toBe("second");
    stand.held(2).answer();
    expect(await Promise.all([third, fourth])).toEqual(["second", "second"]);
    stand.held(0).answer();
    expect(await first).toBe("first");
    expect(await cache.get(a)).toBe("second");
  });

  test("a stale value is refreshed by one load, however many read it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    void cache.get(a);
    stand.held(0).answer();
    await stand.clock.advance(60_000);
    stand.source.set("a", "second");
    const reads = Array.from({ length: 100 }, () => cache.get(a));
    expect(new Set(await Promise.all(reads))).toEqual(new Set(["first"]));
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    await settle();
    expect(await cache.get(a)).toBe("second");
  });
});

describe("C6: no value outlives the window that counts from the start of its load", () => {
  test("a slow load shortens what is left of its value's life", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    void cache.get(a);
    await stand.clock.advance(20_000);
    stand.held(0).answer();
    await settle();
    await stand.clock.advance(39_999);
    expect(await cache.peek(a)).toMatchObject({ state: "fresh", ageMs: 59_999 });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a lookup's value lives from the lookup, not from its store", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    const found = await cache.lookup(a);
    await stand.clock.advance(20_000);
    expect(found.hit ? undefined : await found.store("first")).toBe(true);
    await stand.clock.advance(40_000);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a load that took longer than a whole life is answered and never served again", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ freshFor: "5s", deadline: { hard: "20s" } });
    const read = cache.get(a);
    await stand.clock.advance(5_000);
    stand.held(0).answer();
    expect(await read).toBe("first");
    expect(await cache.peek(a)).toBeUndefined();
  });
});
