import { describe, expect, test } from "vitest";
import { loaded, notModified } from "../../src/cache/loader.ts";
import { cacheStand, type Declaration, type StandOptions, settle } from "./cache-stand.ts";

const a = { id: "a" };
const b = { id: "b" };

describe("that there is no such thing is kept too", () => {
  test("for absentFor, while what is there is kept for freshFor", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ absentFor: "5s" });
    const reads = [cache.get(a), cache.get(b)];
    stand.held(0).answerWith(undefined);
    stand.held(1).answer();
    expect(await Promise.all(reads)).toEqual([undefined, "first"]);
    await stand.clock.advance(4_999);
    expect(await cache.get(a)).toBeUndefined();
    expect(await cache.getEntry(a)).toMatchObject({ value: undefined, origin: "memory", state: "fresh" });
    expect(stand.loads).toHaveLength(2);
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
    expect(await cache.peek(b)).toMatchObject({ value: "first" });
    expect(stand.counters()).toMatchObject({ absent: 1, memory: 2 });
  });

  test("for freshFor where nothing else is declared, and null is a value like others", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const other = stand.readThrough({ name: "other", absentFor: "5s" });
    const reads = [cache.get(a), other.get(a)];
    stand.held(0).answerWith(undefined);
    stand.held(1).answerWith(null);
    await Promise.all(reads);
    await stand.clock.advance(59_999);
    expect(await cache.peek(a)).toBeDefined();
    expect(await other.peek(a)).toMatchObject({ value: null });
    expect(stand.counters("other").absent).toBe(0);
  });

  test("a put of what was missing ends it at once, and a source may say how long it stays missing", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ absentFor: "5s" });
    const read = cache.get(a);
    stand.held(0).answerWith(loaded(undefined, { freshFor: "30s" }));
    expect(await read).toBeUndefined();
    await stand.clock.advance(29_999);
    expect(await cache.peek(a)).toMatchObject({ state: "fresh" });
    await cache.put(a, "now it is there");
    expect(await cache.get(a)).toBe("now it is there");
  });
});

describe("loaded: the source says what it knows of a value", () => {
  test("it may shorten a life, and extend it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const reads = [cache.get(a), cache.get(b)];
    stand.held(0).answerWith(loaded("short", { freshFor: "1s" }));
    stand.held(1).answerWith(loaded("long", { freshFor: "1h" }));
    expect(await Promise.all(reads)).toEqual(["short", "long"]);
    await stand.clock.advance(999);
    expect(await cache.peek(a)).toMatchObject({ value: "short" });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
    await stand.clock.advance(3_598_999);
    expect(await cache.peek(b)).toMatchObject({ value: "long" });
    await stand.clock.advance(1);
    expect(await cache.peek(b)).toBeUndefined();
  });

  test("the stale window is added to its life as well, and jitter shortens it as any", async () => {
    const stand = cacheStand({ random: () => 0.5 });
    const cache = stand.readThrough({ staleFor: "10s", jitter: 0.2 });
    await cache.put(a, loaded("value", { freshFor: "100s" }));
    await stand.clock.advance(89_999);
    expect(await cache.peek(a)).toMatchObject({ state: "fresh" });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toMatchObject({ state: "stale" });
    await stand.clock.advance(10_000);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("counts for put and for the store of a lookup as for a load", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    await cache.put(a, loaded("put", { freshFor: "1s" }));
    const found = await cache.lookup(b);
    expect(found.hit ? undefined : await found.store(loaded("stored", { freshFor: "1s" }))).toBe(true);
    expect(await Promise.all([cache.peek(a), cache.peek(b)])).toMatchObject([{ value: "put" }, { value: "stored" }]);
    await stand.clock.advance(1_000);
    expect(await Promise.all([cache.peek(a), cache.peek(b)])).toEqual([undefined, undefined]);
  });

  test("a life that is no duration rejects the read, the put and the store, and nothing is stored", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const bad = loaded("value", { freshFor: "soon" as never });
    const read = cache.get(a);
    stand.held(0).answerWith(bad);
    const refused = { code: "REPRISE_BAD_DURATION", message: expect.stringContaining("loaded.freshFor") as string };
    await expect(read).rejects.toMatchObject(refused);
    await cache.put(b, "stands");
    await expect(cache.put(b, bad)).rejects.toMatchObject(refused);
    expect(await cache.peek(b)).toMatchObject({ value: "stands" });
    const aside = stand.cacheAside({ name: "aside" });
    const found = await aside.lookup(a);
    await expect(found.hit ? undefined : found.store(bad)).rejects.toMatchObject(refused);
    expect(await aside.peek(a)).toBeUndefined();
  });
});

describe("notModified: the source says that a value still holds", () => {
  async function tagged(declaration: Declaration = {}, options: StandOptions = {}) {
    const stand = cacheStand(options);
    const cache = stand.readThrough({ staleFor: "60s", ...declaration });
    const read = cache.get(a);
    expect(stand.held(0).etag).toBeUndefined();
    stand.held(0).answerWith(loaded("value", { etag: "v1", tags: ["brand"], freshFor: "10s" }));
    await read;
    return { ...stand, cache };
  }

  test("the load that refreshes it is handed its etag; the value, its tags and its own life stay", async () => {
    const stand = await tagged();
    await stand.clock.advance(10_000);
    expect(await stand.cache.get(a)).toBe("value");
    expect(stand.held(1).etag).toBe("v1");
    stand.held(1).answerWith(notModified());
    await settle();
    expect(await stand.cache.getEntry(a)).toMatchObject({ value: "value", state: "fresh", ageMs: 0 });
    await stand.clock.advance(9_999);
    expect(await stand.cache.peek(a)).toMatchObject({ state: "fresh" });
    await stand.clock.advance(1);
    expect(await stand.cache.peek(a)).toMatchObject({ state: "stale" });
    await stand.cache.purgeTag("brand");
    expect(await stand.cache.peek(a)).toBeUndefined();
    expect(stand.counters()).toMatchObject({ unmodified: 1, loads: 2 });
  });

  test("the etag stays too, so that the next load is handed it again", async () => {
    const stand = await tagged();
    for (const load of [1, 2, 3]) {
      await stand.clock.advance(10_000);
      await stand.cache.get(a);
      expect(stand.held(load).etag).toBe("v1");
      stand.held(load).answerWith(notModified());
      await settle();
    }
    expect(await stand.cache.get(a)).toBe("value");
  });

  test("a value that outlived its stale window is still worth asking about, as long as memory holds it", async () => {
    const stand = await tagged();
    await stand.clock.advance(100_000);
    const read = stand.cache.get(a);
    expect(stand.held(1).etag).toBe("v1");
    stand.held(1).answerWith(notModified());
    expect(await read).toBe("value");
  });

  test("is refused where no etag was handed over, and nothing is stored", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const read = cache.get(a);
    stand.held(0).answerWith(notModified());
    await expect(read).rejects.toMatchObject({ code: "REPRISE_NOTHING_TO_KEEP" });
    expect(await cache.peek(a)).toBeUndefined();
    expect(stand.counters()).toMatchObject({ unmodified: 0, loadsFailed: 1 });
  });

  test("a value without an etag offers none", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await cache.put(a, loaded("value", { tags: ["brand"] }));
    await stand.clock.advance(60_000);
    await cache.get(a);
    expect(stand.held(0).etag).toBeUndefined();
  });

  for (const [what, away] of [
    ["purged", (stand) => stand.cache.purge(a)],
    ["purged by its tag", (stand) => stand.cache.purgeTag("brand")],
    ["pushed out of memory", (stand) => stand.cache.put(b, "pushes out")],
  ] as const satisfies readonly (readonly [string, (stand: Awaited<ReturnType<typeof tagged>>) => Promise<void>])[]) {
    test(`the etag of a value that was ${what} is offered to no load`, async () => {
      const stand = await tagged({}, { maxEntries: 1 });
      await away(stand);
      void stand.cache.get(a);
      expect(stand.held(1).etag).toBeUndefined();
    });
  }

  test("of a value that is purged while it is asked about reaches those who asked before, and is not stored", async () => {
    const stand = await tagged();
    await stand.clock.advance(100_000);
    const before = stand.cache.get(a);
    await stand.cache.purge(a);
    const after = stand.cache.get(a);
    expect([stand.held(1).etag, stand.held(2).etag]).toEqual(["v1", undefined]);
    stand.held(1).answerWith(notModified());
    expect(await before).toBe("value");
    expect(await stand.cache.peek(a)).toBeUndefined();
    stand.held(2).answer();
    expect(await after).toBe("first");
  });

  test("an expired value is asked about with its etag: the source says whether it changed", async () => {
    const stand = await tagged();
    await stand.cache.expire(a);
    expect(await stand.cache.get(a)).toBe("value");
    expect(stand.held(1).etag).toBe("v1");
    stand.held(1).answerWith(loaded("new", { etag: "v2" }));
    await settle();
    expect(await stand.cache.getEntry(a)).toMatchObject({ value: "new", state: "fresh" });
  });

  test("weighs in memory what the value weighs, not what the answer does", async () => {
    const stand = cacheStand({ maxBytes: 1_000_000 });
    const cache = stand.readThrough({ staleFor: "60s" });
    const read = cache.get(a);
    stand.held(0).answerWith(loaded({ text: "x".repeat(100_000) }, { etag: "v1" }));
    await read;
    const bytes = stand.caches.memory.bytes();
    expect(bytes).toBeGreaterThan(100_000);
    await stand.clock.advance(60_000);
    await cache.get(a);
    stand.held(1).answerWith(notModified());
    await settle();
    expect(stand.caches.memory.bytes()).toBe(bytes);
  });
});
