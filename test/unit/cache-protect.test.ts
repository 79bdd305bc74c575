import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsdown";
import { afterAll, describe, expect, test } from "vitest";
import { loaded } from "../../src/cache/loader.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const built = mkdtempSync(join(tmpdir(), "reprise-fill-"));
afterAll(() => rmSync(built, { recursive: true, force: true }));

const a = { id: "a" };
const text = (length: number): string => "x".repeat(length);
/** What an entry costs beside its value. */
const overhead = 200;

describe("who leaves when memory is full", () => {
  test("lru: the one that was read longest ago", async () => {
    const stand = cacheStand({ maxEntries: 3, eviction: "lru" });
    const cache = stand.cacheAside();
    for (const id of [1, 2, 3]) await cache.put({ id }, id);
    await cache.get({ id: 1 }, stand.load as never);
    await cache.put({ id: 4 }, 4);
    expect(await cache.peek({ id: 2 })).toBeUndefined();
    expect(await cache.peek({ id: 1 })).toBeDefined();
  });

  test("nearest-expiry: the one whose time is over first, its stale window counted, however often it is read", async () => {
    const stand = cacheStand({ maxEntries: 3, eviction: "nearest-expiry" });
    const cache = stand.cacheAside();
    const windowed = stand.cacheAside({ name: "windowed", staleFor: "1h" });
    await cache.put({ id: 1 }, loaded("soon", { freshFor: "2m" }));
    await cache.put({ id: 2 }, "sooner");
    await windowed.put({ id: 3 }, loaded("late", { freshFor: "1s" }));
    for (let read = 0; read < 10; read += 1) await cache.get({ id: 2 }, stand.load as never);
    await cache.put({ id: 4 }, loaded("later", { freshFor: "1d" }));
    expect(await cache.peek({ id: 2 })).toBeUndefined();
    expect(await cache.peek({ id: 1 })).toBeDefined();
    expect(await windowed.peek({ id: 3 })).toBeDefined();
    await cache.put({ id: 5 }, loaded("later", { freshFor: "1d" }));
    expect(await cache.peek({ id: 1 })).toBeUndefined();
  });

  test("nearest-expiry: an expire brings the end nearer", async () => {
    const stand = cacheStand({ maxEntries: 2, eviction: "nearest-expiry" });
    const cache = stand.cacheAside({ staleFor: "10s" });
    await cache.put({ id: 1 }, "one");
    await stand.clock.advance(1_000);
    await cache.put({ id: 2 }, "two");
    await cache.expire({ id: 2 });
    await cache.put({ id: 3 }, "three");
    expect(await cache.peek({ id: 2 })).toBeUndefined();
    expect(await cache.peek({ id: 1 })).toBeDefined();
  });

  test("lfu: keys that are read often stay, whatever passes by once", async () => {
    const stand = cacheStand({ maxEntries: 100, eviction: "lfu" });
    const cache = stand.cacheAside();
    const hot = Array.from({ length: 20 }, (_, id) => ({ id }));
    const read = async () => {
      for (const scope of hot) {
        const found = await cache.lookup(scope);
        if (!found.hit) await found.store("hot");
      }
    };
    for (let round = 0; round < 20; round += 1) await read();
    for (let id = 1_000; id < 6_000; id += 1) {
      await cache.put({ id }, "once");
      if (id % 100 === 0) await read();
    }
    const kept = (await Promise.all(hot.map((scope) => cache.peek(scope)))).filter((entry) => entry !== undefined);
    expect(kept.length).toBeGreaterThanOrEqual(18);
  });
});

describe("what leaves is counted by its cause", () => {
  for (const eviction of ["lru", "lfu", "nearest-expiry"] as const) {
    test(`${eviction}: full memory is one cause, time another, and a purge is neither`, async () => {
      const stand = cacheStand({ maxEntries: 2, eviction });
      const left = stand.hear("cache.evict");
      const cache = stand.cacheAside();
      stand.caches.start();
      for (const id of [1, 2, 3]) await cache.put({ id }, id);
      expect(stand.counters()).toMatchObject({ evicted: 1, lapsed: 0 });
      await cache.purge({ id: 3 });
      expect(stand.counters()).toMatchObject({ evicted: 1, lapsed: 0, purged: 1 });
      await stand.clock.advance(61_000);
      expect(stand.counters()).toMatchObject({ evicted: 1, lapsed: 1 });
      expect(left).toEqual([
        { cache: "workshop", reason: "full" },
        { cache: "workshop", reason: "expired" },
      ]);
      expect(stand.caches.memory.entries()).toBe(0);
    });
  }

  test("a permission or the mark of a failure that leaves is no entry that was evicted", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.cacheAside();
    await cache.lookup(a);
    await cache.lookup({ id: "b" });
    await cache.put({ id: "c" }, "value");
    expect(stand.counters().evicted).toBe(0);
    expect(stand.caches.memory.entries()).toBe(1);
  });
});

describe("memory bounded in bytes", () => {
  for (const eviction of ["lru", "lfu", "nearest-expiry"] as const) {
    test(`${eviction}: it never holds more than the bound, and most of it`, async () => {
      const maxBytes = 200_000;
      const stand = cacheStand({ maxBytes, eviction });
      const cache = stand.cacheAside({ staleFor: "60s" });
      let most = 0;
      for (let round = 0; round < 2_000; round += 1) {
        const id = (round * 7) % 311;
        if (round % 5 === 0) await cache.expire({ id: (id + 7) % 311 });
        else await cache.put({ id }, text(100 + ((round * 37) % 4_000)));
        most = Math.max(most, stand.caches.memory.bytes() ?? 0);
      }
      expect(most).toBeLessThanOrEqual(maxBytes);
      expect(most).toBeGreaterThan(0.9 * maxBytes);
      for (let id = 0; id < 311; id += 1) await cache.purge({ id });
      expect(stand.caches.memory.bytes()).toBe(0);
    });

    test(`${eviction}: an expire changes no weight`, async () => {
      const stand = cacheStand({ maxBytes: 200_000, eviction });
      const cache = stand.cacheAside({ staleFor: "60s" });
      await cache.put(a, text(50_000));
      const before = stand.caches.memory.bytes();
      await cache.expire(a);
      expect(stand.caches.memory.bytes()).toBe(before);
    });

    test(`${eviction}: a value larger than memory reaches its readers and does not stay`, async () => {
      const stand = cacheStand({ maxBytes: 10_000, eviction });
      const cache = stand.readThrough();
      const read = cache.get(a);
      stand.held(0).answerWith(text(20_000));
      expect(await read).toHaveLength(20_000);
      expect(await cache.peek(a)).toBeUndefined();
      expect(stand.caches.memory).toMatchObject({ entries: expect.any(Function) as unknown });
      expect([stand.caches.memory.entries(), stand.caches.memory.bytes()]).toEqual([0, 0]);
      await cache.put({ id: "b" }, text(5_000));
      expect(await cache.peek({ id: "b" })).toBeDefined();
    });

    test(`${eviction}: a key larger than memory does not stay either, and harms no other`, async () => {
      const stand = cacheStand({ maxBytes: 10_000, eviction });
      const cache = stand.readThrough();
      const aside = stand.cacheAside({ name: "aside" });
      const large = { id: text(20_000) };
      for (let time = 0; time < 2; time += 1) {
        const read = cache.get(large);
        stand.held(time).answer();
        expect(await read).toBe("first");
        await aside.put(large, "value");
        const found = await aside.lookup(large);
        expect(found.hit ? undefined : await found.store("value")).toBe(false);
        expect([stand.caches.memory.entries(), stand.caches.memory.bytes()]).toEqual([0, 0]);
      }
      for (let id = 0; id < 20; id += 1) await aside.put({ id }, text(100));
      for (let id = 0; id < 20; id += 1) expect(await aside.peek({ id })).toMatchObject({ value: text(100) });
      expect(stand.caches.memory.bytes()).toBe(20 * (overhead + 120));
    });
  }

  test("loads and lookups under way weigh as well, and leave no weight behind", async () => {
    const stand = cacheStand({ maxBytes: 50_000 });
    const cache = stand.readThrough();
    const read = cache.get(a);
    expect(stand.caches.memory.bytes()).toBe(overhead);
    stand.held(0).answerWith(text(1_000));
    await read;
    expect(stand.caches.memory.bytes()).toBe(overhead + 1_016);
    await cache.purge(a);
    expect(stand.caches.memory.bytes()).toBe(0);
  });

  test("a memory bounded in entries tells no bytes", () => {
    expect(cacheStand().caches.memory.bytes()).toBeNull();
  });

  test("the heap of a process that fills a memory of 64 MB stays within a quarter of it", async () => {
    const support = join(import.meta.dirname, "../support");
    await build({
      entry: { fill: join(support, "fill-memory.ts") },
      ...{ config: false, outDir: built, format: "esm", platform: "node", dts: false, logLevel: "error" },
    });
    const told = (...kind: readonly string[]) =>
      JSON.parse(
        execFileSync(process.execPath, ["--expose-gc", join(built, "fill.mjs"), ...kind], { encoding: "utf8" }),
      );
    const bound = 64 * 1024 * 1024;
    const { kinds } = told() as { kinds: readonly string[] };
    for (const kind of kinds) {
      const { grown, told: estimated } = told(kind) as { grown: number; told: number };
      if (process.env["PRINT_SIZES"] !== undefined) console.info(kind, grown / bound, estimated / bound);
      expect(estimated, kind).toBeLessThanOrEqual(bound);
      expect(estimated, kind).toBeGreaterThan(0.97 * bound);
      expect(grown / bound, `${kind}: heap of the bound`).toBeGreaterThan(0.75);
      expect(grown / bound, `${kind}: heap of the bound`).toBeLessThan(1.25);
    }
  }, 120_000);
});

describe("protect: high", () => {
  for (const eviction of ["lru", "lfu", "nearest-expiry"] as const) {
    test(`${eviction}: entries of other caches leave first`, async () => {
      const stand = cacheStand({ maxEntries: 100, eviction });
      const high = stand.cacheAside({ name: "high", protect: "high" });
      const low = stand.cacheAside({ name: "low" });
      for (let id = 0; id < 50; id += 1) await high.put({ id }, id);
      for (let id = 0; id < 500; id += 1) await low.put({ id }, id);
      expect(stand.counters("high").evicted).toBe(0);
      expect(stand.counters("low").evicted).toBe(450);
      for (let id = 0; id < 50; id += 1) expect(await high.peek({ id })).toBeDefined();
    });

    test(`${eviction}: the others keep a twentieth, and the protected ones make room for each other`, async () => {
      const stand = cacheStand({ maxEntries: 100, eviction });
      const high = stand.cacheAside({ name: "high", protect: "high" });
      const other = stand.cacheAside({ name: "other", protect: "high" });
      const low = stand.cacheAside({ name: "low" });
      for (let id = 0; id < 100; id += 1) await low.put({ id }, id);
      for (let id = 0; id < 500; id += 1) {
        await high.put({ id }, id);
        await other.put({ id }, id);
      }
      const entries = Object.fromEntries(stand.caches.list().map((cache) => [cache.name, cache.entries()]));
      expect(entries["low"]).toBe(5);
      expect((entries["high"] ?? 0) + (entries["other"] ?? 0)).toBe(95);
      expect(await other.peek({ id: 499 })).toBeDefined();
    });

    test(`${eviction}: in a small memory full of protected entries another cache still keeps one`, async () => {
      const stand = cacheStand({ maxEntries: 3, eviction });
      const high = stand.cacheAside({ name: "high", protect: "high" });
      const low = stand.readThrough({ name: "low" });
      for (let id = 0; id < 10; id += 1) await high.put({ id }, id);
      await low.put(a, "put");
      expect(await low.peek(a)).toMatchObject({ value: "put" });
      const read = low.get({ id: "b" });
      stand.held(0).answer();
      await read;
      expect(await low.peek({ id: "b" })).toMatchObject({ value: "first" });
      await settle();
      expect(stand.caches.memory.entries()).toBe(3);
    });
  }
});
