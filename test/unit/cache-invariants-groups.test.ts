import { describe, expect, test } from "vitest";
import type { ChangeVerb } from "../../src/cache/change.ts";
import { loaded, notModified } from "../../src/cache/loader.ts";
import { cacheStand, settle } from "./cache-stand.ts";

/** The invariants where a change means many entries at once: by a tag of theirs, or by a part of their scope. */

const a = { id: "a" };
const verbs = ["purge", "expire"] as const;
const tagVerb = { purge: "purgeTag", expire: "expireTag" } as const;

const seats = { tenant: "s", id: "a" };
const others = { tenant: "t", id: "a" };
/** Commits that name any part of a scope. */
const committed = (verb: ChangeVerb) => ({
  scope: ["tenant", "id"],
  changedBy: () => [{ kind: "outcome" as const, operation: "book", verb, scopesOf: (input: object) => [{ ...input }] }],
});

describe("C1: after an acknowledged change of a tag no read gives what was loaded with it before", () => {
  for (const verb of verbs) {
    test(`a load that ${verb} of a tag overtook is not stored if it brings the tag`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const before = [cache.get(a), cache.get({ id: "b" })];
      stand.source.set("a", "second");
      await cache[tagVerb[verb]]("t");
      stand.held(0).answerWith(loaded("first", { tags: ["t"] }));
      stand.held(1).answerWith(loaded("other", { tags: ["u"] }));
      expect(await Promise.all(before)).toEqual(["first", "other"]);
      expect(await cache.peek(a)).toBeUndefined();
      expect(await cache.peek({ id: "b" })).toMatchObject({ value: "other", state: "fresh" });
    });

    test(`a caller after ${verb} of a tag shares no load that began before, whatever tags it will bring`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough();
      const before = cache.get(a);
      stand.source.set("a", "second");
      await cache[tagVerb[verb]]("t");
      const after = cache.get(a);
      for (const load of stand.loads) load.answerWith(loaded(load.read, { tags: ["t"] }));
      expect([await before, await after]).toEqual(["first", "second"]);
      expect(await cache.get(a)).toBe("second");
    });

    test(`the store of a lookup that ${verb} of a tag overtook stores nothing if its value has the tag`, async () => {
      const cache = cacheStand().cacheAside();
      const found = [await cache.lookup(a), await cache.lookup({ id: "b" })];
      await cache[tagVerb[verb]]("t");
      const stored = found.map((one) => (one.hit ? undefined : one.store(loaded("first", { tags: ["t"] }))));
      expect(await Promise.all(stored)).toEqual([false, false]);
      const next = await cache.lookup(a);
      expect(next.hit ? undefined : await next.store(loaded("second", { tags: ["t"] }))).toBe(true);
    });

    test(`an unmodified value that ${verb} of its tag overtook does not begin its life anew`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough({ staleFor: "60s" });
      await cache.put(a, loaded("first", { tags: ["t"], etag: "1" }));
      await stand.clock.advance(60_000);
      expect(await cache.get(a)).toBe("first");
      expect(stand.held(0).etag).toBe("1");
      await cache[tagVerb[verb]]("t");
      stand.held(0).answerWith(notModified());
      await settle();
      expect((await cache.peek(a))?.state).toBe(verb === "purge" ? undefined : "stale");
    });
  }

  test("a hit after the purge of a tag is none, and of another tag is one", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    await cache.put(a, loaded("first", { tags: ["t", "u"] }));
    await cache.purgeTag("v");
    expect(await cache.get(a)).toBe("first");
    await cache.purgeTag("u");
    const after = cache.get(a);
    stand.held(0).answerWith("second");
    expect(await after).toBe("second");
  });

  test("a purge is not forgotten for an expire of the same tag, or of another, before the next read", async () => {
    for (const later of ["t", "u"]) {
      const stand = cacheStand();
      const cache = stand.readThrough({ staleFor: "60s" });
      await cache.put(a, loaded("first", { tags: ["t", "u"] }));
      await cache.purgeTag("t");
      await cache.expireTag(later);
      expect(await cache.peek(a)).toBeUndefined();
    }
  });

  test("the stale window after an expired tag begins with the first of two changes, however late the next read", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "10s" });
    await cache.put(a, loaded("first", { tags: ["t"] }));
    await cache.expireTag("t");
    await stand.clock.advance(9_999);
    await cache.expireTag("t");
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a write under way when a tag is changed is not stored: what the source holds may have the tag", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const write = cache.write(a, "second");
    await cache.purgeTag("t");
    stand.written(0).arrive();
    await write;
    expect(await cache.peek(a)).toBeUndefined();
  });
});

describe("C1: after a commit that names a part of a scope no read gives older data of any scope with that part", () => {
  for (const isGrouped of [false, true]) {
    const turn = isGrouped ? "a later commit of its kind" : "the first commit of its kind";

    test(`a load that ${turn} overtook is not stored, and is not shared by who comes after it`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough(committed("purge"));
      if (isGrouped) stand.caches.changed("book", { tenant: "none" });
      const before = [cache.get(seats), cache.get(others)];
      stand.source.set("a", "second");
      stand.caches.changed("book", { tenant: "s" });
      const after = [cache.get(seats), cache.get(others)];
      expect(stand.loads.map(({ scope }) => scope["tenant"])).toEqual(["s", "t", "s"]);
      for (const load of stand.loads) load.answer();
      expect(await Promise.all(before)).toEqual(["first", "first"]);
      expect(await Promise.all(after)).toEqual(["second", "first"]);
      expect(await cache.get(seats)).toBe("second");
    });

    test(`what memory holds is out after ${turn}, and what has another part stays`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough(committed("purge"));
      if (isGrouped) stand.caches.changed("book", { tenant: "none" });
      await cache.put(seats, "first");
      await cache.put(others, "first");
      stand.caches.changed("book", { tenant: "s" });
      expect(await cache.peek(seats)).toBeUndefined();
      expect(await cache.get(others)).toBe("first");
      expect(stand.loads).toHaveLength(0);
    });

    test(`the store of a lookup that ${turn} overtook stores nothing`, async () => {
      const stand = cacheStand();
      const cache = stand.cacheAside(committed("expire"));
      if (isGrouped) stand.caches.changed("book", { tenant: "none" });
      const found = await cache.lookup(seats);
      stand.caches.changed("book", { tenant: "s" });
      expect(found.hit ? undefined : await found.store("first")).toBe(false);
      expect(await cache.peek(seats)).toBeUndefined();
    });

    test(`a write that ${turn} overtook is not stored`, async () => {
      const stand = cacheStand();
      const cache = stand.writeThrough(committed("purge"));
      if (isGrouped) stand.caches.changed("book", { tenant: "none" });
      const write = cache.write(seats, "second");
      stand.caches.changed("book", { tenant: "s" });
      stand.written(0).arrive();
      await write;
      expect(await cache.peek(seats)).toBeUndefined();
    });
  }

  test("more kinds of commits than memory keeps groups for are applied all the same", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ ...committed("purge"), scope: ["x", "y", "z"] });
    const scope = { x: "1", y: "2", z: "3" };
    const kinds = [{ x: "1" }, { y: "2" }, { z: "3" }, { x: "1", y: "2" }, { y: "2", z: "3" }, { x: "1", z: "3" }, {}];
    for (const parts of [...kinds, ...kinds]) {
      await cache.put(scope, "first");
      await cache.put({ x: "9", y: "9", z: "9" }, "other");
      stand.caches.changed("book", parts);
      expect(await cache.peek(scope)).toBeUndefined();
      expect((await cache.peek({ x: "9", y: "9", z: "9" }))?.value).toBe(
        Object.keys(parts).length === 0 ? undefined : "other",
      );
    }
  });
});

describe("C4: forgetting a record of a group revives nothing", () => {
  test("a tag whose record was forgotten costs a store, and lets in nothing from before", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const before = [cache.get(a), cache.get({ id: "b" })];
    await cache.purgeTag("t");
    for (let tag = 0; tag < 1_001; tag += 1) await cache.purgeTag(`${tag}`);
    stand.held(0).answerWith(loaded("first", { tags: ["t"] }));
    stand.held(1).answerWith(loaded("first", { tags: ["never changed"] }));
    await Promise.all(before);
    expect(await cache.peek(a)).toBeUndefined();
    expect(await cache.peek({ id: "b" })).toBeUndefined();
    const after = cache.get(a);
    stand.held(2).answerWith(loaded("second", { tags: ["t"] }));
    expect(await after).toBe("second");
    expect(await cache.get(a)).toBe("second");
  });

  test("a tag stays changed for loads under way when the last value that had it leaves", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    await cache.put({ id: "b" }, loaded("first", { tags: ["t"] }));
    const before = cache.get(a);
    await cache.purgeTag("t");
    await cache.purge({ id: "b" });
    stand.held(0).answerWith(loaded("first", { tags: ["t"] }));
    await before;
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a part of a scope whose last value was evicted is changed for the loads under way as well", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough(committed("purge"));
    stand.caches.changed("book", { tenant: "none" });
    await cache.put(seats, "first");
    const before = cache.get({ tenant: "s", id: "b" });
    stand.caches.changed("book", { tenant: "s" });
    stand.held(0).answer();
    await before;
    expect(await cache.peek({ tenant: "s", id: "b" })).toBeUndefined();
    expect(await cache.peek(seats)).toBeUndefined();
  });
});

describe("C6: a change of a group lengthens no life", () => {
  for (const of of ["tag", "part"] as const) {
    test(`a value whose ${of} expired late in its stale window is served no longer than before`, async () => {
      const stand = cacheStand();
      const cache = stand.readThrough({ ...committed("expire"), staleFor: "10s" });
      stand.caches.changed("book", { tenant: "none" });
      await cache.put(seats, loaded("first", { tags: ["t"] }));
      await stand.clock.advance(69_000);
      if (of === "tag") await cache.expireTag("t");
      else stand.caches.changed("book", { tenant: "s" });
      expect(await cache.peek(seats)).toMatchObject({ state: "stale", ageMs: 69_000 });
      await stand.clock.advance(1_000);
      expect(await cache.peek(seats)).toBeUndefined();
    });
  }
});
