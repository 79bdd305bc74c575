import { describe, expect, test } from "vitest";
import { loaded, notModified } from "../../src/cache/loader.ts";
import { createGroups } from "../../src/cache/memory/groups.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };
const b = { id: "b" };
const c = { id: "c" };

/** Loads a value with these tags. */
async function keep(stand: ReturnType<typeof cacheStand>, cache: ReturnType<typeof stand.readThrough>) {
  for (const [scope, tags] of [
    [a, ["brand"]],
    [b, ["brand", "sale"]],
    [c, []],
  ] as const) {
    const read = cache.get(scope);
    stand.held(stand.loads.length - 1).answerWith(loaded(`${scope.id} of before`, { tags }));
    await read;
  }
}

describe("a tag changes every value that was loaded with it", () => {
  test("purge takes them away, and no other", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await keep(stand, cache);
    await cache.purgeTag("brand");
    expect(await Promise.all([a, b, c].map((scope) => cache.peek(scope)))).toMatchObject([
      undefined,
      undefined,
      { value: "c of before", state: "fresh" },
    ]);
    expect(stand.counters()).toMatchObject({ purged: 1, expired: 0 });
  });

  test("expire lets them be served stale, and the next load is stored", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await keep(stand, cache);
    await cache.expireTag("sale");
    expect(await cache.getEntry(a)).toMatchObject({ state: "fresh" });
    expect(await cache.getEntry(b)).toMatchObject({ value: "b of before", state: "stale" });
    stand.held(3).answerWith(loaded("b of after", { tags: ["sale"] }));
    await settle();
    expect(await cache.getEntry(b)).toMatchObject({ value: "b of after", state: "fresh" });
    expect(stand.counters()).toMatchObject({ purged: 0, expired: 1 });
  });

  test("expire without a stale window takes them away", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    await keep(stand, cache);
    await cache.expireTag("brand");
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a value whose tags changed with its load is known by the new ones alone", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await keep(stand, cache);
    await cache.expire(a);
    await cache.get(a);
    stand.held(3).answerWith(loaded("moved", { tags: ["other"] }));
    await settle();
    await cache.purgeTag("brand");
    expect(await cache.peek(a)).toMatchObject({ value: "moved" });
    await cache.purgeTag("other");
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a put and a lookup's store may name tags as well; a put without any has none", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    await cache.put(a, loaded("put", { tags: ["brand"] }));
    const found = await cache.lookup(b);
    expect(found.hit ? undefined : await found.store(loaded("stored", { tags: ["brand"] }))).toBe(true);
    await cache.put(c, loaded("tagged", { tags: ["brand"] }));
    await cache.put(c, "bare");
    await cache.purgeTag("brand");
    expect(await Promise.all([a, b, c].map((scope) => cache.peek(scope)))).toMatchObject([
      undefined,
      undefined,
      { value: "bare" },
    ]);
  });

  test("is of one cache: the same word in another means nothing", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    const other = stand.cacheAside({ name: "other" });
    await other.put(a, loaded("other", { tags: ["brand"] }));
    await cache.purgeTag("brand");
    expect(await other.peek(a)).toMatchObject({ value: "other" });
  });

  test("the caller's own array of tags stays the caller's, and changing it later changes nothing", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    const tags = ["brand", "brand"];
    await cache.put(a, loaded("value", { tags }));
    expect(tags).toEqual(["brand", "brand"]);
    tags[0] = "other";
    tags.length = 1;
    await cache.purgeTag("other");
    expect(await cache.peek(a)).toBeDefined();
    await cache.purgeTag("brand");
    expect(await cache.peek(a)).toBeUndefined();
  });
});

describe("a tag that changes while a load of it is under way", () => {
  for (const verb of ["purgeTag", "expireTag"] as const) {
    test(`${verb}: what the load read is not stored, though nobody knew its tags when it began`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const before = cache.get(a);
      await cache[verb]("brand");
      stand.held(0).answerWith(loaded("old", { tags: ["brand"] }));
      expect(await before).toBe("old");
      expect(await cache.peek(a)).toBeUndefined();
      expect(stand.counters().discarded).toBe(1);
    });
  }

  test("a load that brings other tags is stored", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const read = cache.get(a);
    await cache.purgeTag("brand");
    stand.held(0).answerWith(loaded("value", { tags: ["other"] }));
    await read;
    expect(await cache.peek(a)).toMatchObject({ value: "value" });
  });

  test("the older of two loads cannot store what the change outdated, and does not keep the younger from storing", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const reads = [cache.get(a)];
      await cache.purgeTag("brand");
      reads.push(cache.get(a));
      for (const place of order) {
        stand.held(place).answerWith(loaded(place === 0 ? "old" : "new", { tags: ["brand"] }));
        await settle();
      }
      expect(await Promise.all(reads)).toEqual(["old", "new"]);
      expect(await cache.peek(a)).toMatchObject({ value: "new" });
    }
  });

  test("a lookup whose store it refused stands in nobody's way: the next one is sent to the source", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({ staleFor: "1h" });
    await cache.put(a, loaded("old", { tags: ["brand"] }));
    await stand.clock.advance(60_000);
    const first = await cache.lookup(a);
    expect(await cache.lookup(a)).toMatchObject({ hit: true });
    await cache.expireTag("brand");
    expect(first.hit ? undefined : await first.store(loaded("older", { tags: ["brand"] }))).toBe(false);
    const second = await cache.lookup(a);
    expect(second.hit ? undefined : await second.store(loaded("new", { tags: ["brand"] }))).toBe(true);
    expect(await cache.lookup(a)).toMatchObject({ hit: true, value: "new" });
  });

  test("keeps a lookup's store out too, and a source's word that nothing changed", async () => {
    const stand = cacheStand();
    const aside = stand.cacheAside();
    const found = await aside.lookup(a);
    await aside.purgeTag("brand");
    expect(found.hit ? undefined : await found.store(loaded("old", { tags: ["brand"] }))).toBe(false);

    const cache = stand.readThrough({ name: "through", staleFor: "60s" });
    await cache.put(a, loaded("value", { etag: "v1", tags: ["brand"] }));
    await stand.clock.advance(60_000);
    await cache.get(a);
    expect(stand.held(0).etag).toBe("v1");
    await cache.expireTag("brand");
    stand.held(0).answerWith(notModified());
    await settle();
    expect(await cache.peek(a)).toMatchObject({ state: "stale" });
  });

  test("a value whose load a put overtook is known by the put's tags", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const read = cache.get(a);
    await cache.put(a, loaded("put", { tags: ["mine"] }));
    stand.held(0).answerWith(loaded("old", { tags: ["brand"] }));
    await read;
    await cache.purgeTag("brand");
    expect(await cache.peek(a)).toMatchObject({ value: "put" });
  });
});

describe("what is remembered of tags is bounded", () => {
  test("a tag whose change was forgotten for want of room keeps out loads of before, and lets later ones in", () => {
    const groups = createGroups();
    const horizon = groups.sequence;
    groups.changeTag("purge", "forgotten", 0);
    for (let tag = 0; tag < 1_000; tag += 1) groups.changeTag("purge", `tag-${tag}`, 0);
    // a load that began before all of it must not bring the old value of a tag that nobody remembers
    expect(groups.hasStood(["forgotten"], horizon)).toBe(false);
    expect(groups.hasStood(["never changed"], horizon)).toBe(false);
    expect(groups.hasStood([], horizon)).toBe(true);
    expect(groups.hasStood(["forgotten"], groups.sequence)).toBe(true);
    expect(groups.hasStood(["tag-999"], groups.sequence - 1)).toBe(false);
    expect(groups.hasStood(["tag-998"], groups.sequence - 1)).toBe(true);
  });

  test("a tag that entries have is never forgotten, however many others change", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await keep(stand, cache);
    await cache.expireTag("brand");
    for (let tag = 0; tag < 2_000; tag += 1) await cache.purgeTag(`tag-${tag}`);
    expect(await cache.peek(a)).toMatchObject({ state: "stale" });
    expect(await cache.peek(c)).toMatchObject({ state: "fresh" });
  });

  test("through the cache: a load that began before 2,000 other changes does not store an old value of its tag", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const read = cache.get(a);
    await cache.purgeTag("brand");
    for (let tag = 0; tag < 2_000; tag += 1) await cache.purgeTag(`tag-${tag}`);
    stand.held(0).answerWith(loaded("old", { tags: ["brand"] }));
    await read;
    expect(await cache.peek(a)).toBeUndefined();
  });
});
