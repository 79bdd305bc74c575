import { describe, expect, test } from "vitest";
import type { CacheEvents } from "../../src/cache/events.ts";
import { loaded } from "../../src/cache/loader.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "alice@example.org" };
const key = expect.stringMatching(/^[0-9a-f]{8}$/) as string;
const names = [
  "cache.load",
  "cache.refresh",
  "cache.change",
  "cache.evict",
  "cache.secret",
  "cache.crowded",
] as const satisfies readonly (keyof CacheEvents)[];

describe("events tell what a cache does", () => {
  test("a load: how long it took, and whether it was stored", async () => {
    const stand = cacheStand();
    const heard = stand.hear("cache.load");
    const cache = stand.readThrough();
    const reads = [cache.get(a), cache.get({ id: "b" }), cache.get({ id: "c" })];
    await stand.clock.advance(250);
    stand.held(0).answer();
    await cache.purge({ id: "b" });
    stand.held(1).answer();
    class SourceAway extends Error {}
    stand.held(2).fail(new SourceAway("alice@example.org is away"));
    await Promise.allSettled(reads);
    expect(heard).toEqual([
      { cache: "workshop", key, tookMs: 250, outcome: "stored", error: undefined },
      { cache: "workshop", key, tookMs: 250, outcome: "discarded", error: undefined },
      { cache: "workshop", key, tookMs: 250, outcome: "failed", error: "SourceAway" },
    ]);
    expect(new Set(heard.map((event) => event.key)).size).toBe(3);
  });

  test("a load that passed its deadline, and one that rejected with no Error", async () => {
    const stand = cacheStand();
    const heard = stand.hear("cache.load");
    const cache = stand.readThrough({ deadline: { hard: "5s" } });
    const reads = Promise.allSettled([cache.get(a), cache.get({ id: "b" })]);
    stand.held(1).fail("alice@example.org");
    await stand.clock.advance(5_000);
    await reads;
    expect(heard.map(({ error }) => error)).toEqual(["string", "REPRISE_LOAD_TIMEOUT"]);
  });

  test("changes: by a call, a tag, a commit and a write", async () => {
    const stand = cacheStand();
    const heard = stand.hear("cache.change");
    const cache = stand.writeThrough({
      scope: ["id", "part"],
      changedBy: () => [
        { kind: "outcome", operation: "one", verb: "expire", scopesOf: () => [{ id: "a", part: 1 }] } as never,
        { kind: "outcome", operation: "many", verb: "purge", scopesOf: () => [{ id: "a" }] } as never,
      ],
    });
    const scope = { id: "a", part: 1 };
    await cache.put(scope, "put");
    await cache.expire(scope);
    await cache.purge(scope);
    await cache.expireTag("brand");
    await cache.purgeTag("brand");
    stand.caches.changed("one", undefined);
    stand.caches.changed("many", undefined);
    const write = cache.write(scope, "written");
    await settle();
    stand.written(0).arrive();
    await write;
    expect(heard).toEqual([
      { cache: "workshop", key, verb: "put", by: "call" },
      { cache: "workshop", key, verb: "expire", by: "call" },
      { cache: "workshop", key, verb: "purge", by: "call" },
      { cache: "workshop", key: null, verb: "expire", by: "tag" },
      { cache: "workshop", key: null, verb: "purge", by: "tag" },
      { cache: "workshop", key, verb: "expire", by: "commit" },
      { cache: "workshop", key: null, verb: "purge", by: "commit" },
      { cache: "workshop", key, verb: "put", by: "write" },
    ]);
    expect(new Set(heard.filter((event) => event.key !== null).map((event) => event.key)).size).toBe(1);
  });

  test("the same scope has the same digits in each of them, and other digits in another cache", async () => {
    const stand = cacheStand();
    const heard = stand.hear("cache.change");
    await stand.cacheAside().put(a, "value");
    await stand.cacheAside({ name: "other" }).put(a, "value");
    expect(heard[0]?.key).not.toBe(heard[1]?.key);
  });

  test("whoever stops listening hears no more", async () => {
    const stand = cacheStand();
    const heard: unknown[] = [];
    const stop = stand.events.on("cache.change", (event) => heard.push(event));
    const cache = stand.cacheAside();
    await cache.put(a, "value");
    stop();
    await cache.put(a, "value");
    expect(heard).toHaveLength(1);
  });
});

describe("events carry no value and no key", () => {
  test("whatever happens, nothing of a scope, a value, a tag or an error's text is in any of them", async () => {
    const secret = "tr0ub4dor";
    const stand = cacheStand({ maxEntries: 2, policies: { secrets: "warn", freeze: false } });
    const heard: unknown[] = [];
    for (const name of names) stand.events.on(name, (event) => heard.push([name, event]));
    // biome-ignore lint/suspicious/noThenProperty: a word, no function
    const cache = stand.writeThrough({ staleFor: "60s", queue: { most: 2, then: "reject" } });
    const scope = { id: secret };
    const reads = [cache.get(scope), cache.get({ id: `${secret}2` })];
    await expect(cache.get({ id: `${secret}3` })).rejects.toBeDefined();
    stand.held(0).answerWith(loaded({ secret, password: secret }, { tags: [secret], etag: secret }));
    stand.held(1).fail(new Error(secret));
    await Promise.allSettled(reads);
    await cache.expire(scope);
    await cache.purgeTag(secret);
    await cache.put(scope, secret);
    const write = cache.write(scope, secret);
    await settle();
    stand.written(0).fail(new Error(secret));
    await expect(write).rejects.toBeDefined();
    for (let id = 0; id < 5; id += 1) await cache.put({ id: `${secret}${id}` }, secret);
    expect(heard.length).toBeGreaterThan(10);
    expect(JSON.stringify(heard)).not.toContain(secret);
  });
});

describe("a listener that throws", () => {
  test("harms nothing: neither reads nor changes nor evictions, nor those who listen beside it", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const heard: unknown[] = [];
    const warnings: unknown[] = [];
    const warned = (warning: unknown) => warnings.push(warning);
    process.on("warning", warned);
    try {
      for (const name of names) {
        stand.events.on(name, () => {
          throw new Error("a mistake in a listener");
        });
        stand.events.on(name, (event) => heard.push(event));
      }
      const cache = stand.writeThrough({ staleFor: "60s" });
      const reads = [cache.get(a), cache.get({ id: "b" })];
      stand.held(0).answer();
      stand.held(1).fail(new Error("away"));
      const [first, second] = await Promise.allSettled(reads);
      expect(first).toMatchObject({ status: "fulfilled", value: "first" });
      expect(second).toMatchObject({ status: "rejected", reason: { message: "away" } });
      await cache.put(a, "put");
      await cache.put({ id: "c" }, "pushes out");
      await cache.purge(a);
      const write = cache.write(a, "written");
      await settle();
      stand.written(0).arrive();
      await write;
      expect(await cache.get(a)).toBe("written");
      expect(heard.length).toBeGreaterThan(5);
      expect(stand.caches.memory.entries()).toBe(1);
    } finally {
      process.off("warning", warned);
    }
  });
});
