import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../src/cache/change.ts";
import { createGroups, type Group } from "../../src/cache/memory/groups.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const book = { name: "book" };
const purge = outcomeOf({ name: "purge" }, (workshop: string) => ({ workshop }));
const expire = outcomeOf({ name: "expire" }, (workshop: string) => ({ workshop }), "expire");

/** A cache of two dimensions of which changes name the first; every workshop in English and German. */
async function groupStand(declaration = {}) {
  const stand = cacheStand();
  const cache = stand.readThrough({
    scope: ["workshop", "language"],
    staleFor: "60s",
    changedBy: () => [purge, expire],
    ...declaration,
  });
  const put = async () => {
    for (const workshop of ["a", "b"]) {
      for (const language of ["en", "de"]) await cache.put({ workshop, language }, `${workshop} ${language}`);
    }
  };
  await put();
  const state = async (workshop: string, language = "en") => (await cache.peek({ workshop, language }))?.state;
  const states = async () => [await state("a"), await state("a", "de"), await state("b"), await state("b", "de")];
  return { ...stand, cache, put, state, states };
}
const en = { workshop: "a", language: "en" };

describe("a change that names part of a scope changes the entries that share it", () => {
  test("at its first time, and at every later one", async () => {
    const stand = await groupStand();
    for (let time = 0; time < 3; time += 1) {
      stand.caches.changed("purge", "a");
      expect(await stand.states()).toEqual([undefined, undefined, "fresh", "fresh"]);
      await stand.put();
      stand.caches.changed("expire", "b");
      expect(await stand.states()).toEqual(["fresh", "fresh", "stale", "stale"]);
      await stand.put();
    }
    expect(stand.counters()).toMatchObject({ purged: 3, expired: 3 });
  });

  test("the stale window counts from the change, not from the read that finds out", async () => {
    const stand = await groupStand();
    stand.caches.changed("expire", "b");
    await stand.put();
    stand.caches.changed("expire", "a");
    await stand.clock.advance(59_999);
    expect(await stand.state("a")).toBe("stale");
    expect(await stand.state("a", "de")).toBe("stale");
    await stand.clock.advance(1);
    expect(await stand.states()).toEqual([undefined, undefined, "stale", "stale"]);
  });

  test("an entry that was looked at between two expires lives no longer than the first allows", async () => {
    const stand = await groupStand();
    stand.caches.changed("expire", "b");
    await stand.put();
    stand.caches.changed("expire", "a");
    await stand.clock.advance(30_000);
    expect(await stand.state("a")).toBe("stale");
    stand.caches.changed("expire", "a");
    await stand.clock.advance(29_999);
    expect(await stand.state("a")).toBe("stale");
    await stand.clock.advance(1);
    expect(await stand.state("a")).toBeUndefined();
  });

  test("an entry that nobody looked at between two expires is gone: when its stale window began is not known", async () => {
    const stand = await groupStand();
    stand.caches.changed("expire", "b");
    await stand.put();
    stand.caches.changed("expire", "a");
    stand.caches.changed("expire", "a");
    expect(await stand.states()).toEqual([undefined, undefined, "fresh", "fresh"]);
  });

  test("a purge before or after an expire wins", async () => {
    for (const order of [
      ["purge", "expire"],
      ["expire", "purge"],
    ]) {
      const stand = await groupStand();
      stand.caches.changed("purge", "b");
      await stand.put();
      for (const operation of order) stand.caches.changed(operation, "a");
      expect(await stand.states()).toEqual([undefined, undefined, "fresh", "fresh"]);
    }
  });

  test("what is stored after the change is not touched by it", async () => {
    const stand = await groupStand();
    stand.caches.changed("purge", "a");
    await stand.put();
    stand.caches.changed("purge", "a");
    const read = stand.cache.get(en);
    stand.held(0).answer();
    await read;
    expect(await stand.states()).toEqual(["fresh", undefined, "fresh", "fresh"]);
  });

  for (const verb of ["purge", "expire"] as const) {
    test(`a load under way is not stored after ${verb}, whether its kind of group is known or not`, async () => {
      const stand = await groupStand();
      await stand.cache.purge(en);
      for (let time = 0; time < 2; time += 1) {
        const before = stand.cache.get(en);
        stand.caches.changed(verb, "a");
        const after = stand.cache.get(en);
        expect(stand.loads).toHaveLength(2 * time + 2);
        stand.held(2 * time).answer();
        expect(await before).toBe("first");
        expect(await stand.cache.peek(en)).toBeUndefined();
        stand.held(2 * time + 1).answer();
        await after;
        expect(await stand.state("a")).toBe("fresh");
        await stand.cache.purge(en);
      }
    });

    test(`a lookup's store is refused after ${verb}, and a load of another group goes on`, async () => {
      const stand = cacheStand();
      const cache = stand.cacheAside({ scope: ["workshop", "language"], changedBy: () => [purge, expire] });
      for (let time = 0; time < 2; time += 1) {
        const found = await cache.lookup(en);
        const other = await cache.lookup({ workshop: "b", language: "en" });
        stand.caches.changed(verb, "a");
        expect(found.hit ? undefined : await found.store("old")).toBe(false);
        expect(other.hit ? undefined : await other.store("value")).toBe(true);
        await cache.purge({ workshop: "b", language: "en" });
      }
    });
  }

  test("a part that is named and undefined, one of a scope left out, and an unknown name mean every", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({
      scope: ["workshop", "language"],
      changedBy: () => [outcomeOf(book, (parts: Record<string, string | undefined>) => parts as never)],
    });
    for (const parts of [{}, { workshop: undefined }, { weather: "rain" }]) {
      await cache.put(en, "value");
      stand.caches.changed("book", parts);
      expect(await cache.peek(en)).toBeUndefined();
    }
  });

  test("names the second dimension as well as the first, and several kinds side by side", async () => {
    const stand = cacheStand();
    const scope = ["a", "b", "c", "d"];
    const cache = stand.cacheAside({
      scope,
      changedBy: () => [outcomeOf(book, (parts: Record<string, string>) => parts as never)],
    });
    const whole = { a: "1", b: "1", c: "1", d: "1" };
    const other = { a: "2", b: "2", c: "2", d: "2" };
    // more kinds than groups are kept of: the last ones go through all entries each time
    for (let time = 0; time < 2; time += 1) {
      for (const named of [["a"], ["b"], ["c"], ["d"], ["a", "b"], ["c", "d"], ["a", "b", "c"]]) {
        await cache.put(whole, "value");
        await cache.put(other, "other");
        stand.caches.changed("book", Object.fromEntries(named.map((name) => [name, "1"])));
        expect(await cache.peek(whole)).toBeUndefined();
        expect(await cache.peek(other)).toMatchObject({ value: "other" });
      }
    }
  });
});

describe("a change of a group costs one record, however many entries it has", () => {
  test("its first time goes through all entries, the later ones through none", async () => {
    const stand = cacheStand({ maxEntries: 10_000 });
    let asked = 0;
    const cache = stand.cacheAside({ scope: ["workshop", "seat"], changedBy: () => [purge] });
    const counted = (workshop: string, seat: number) => ({
      workshop,
      get seat() {
        asked += 1;
        return seat;
      },
    });
    for (let seat = 0; seat < 5_000; seat += 1) await cache.put(counted("a", seat), seat);
    stand.caches.changed("purge", "none has it");
    const groups = stand.caches.memory.entries();
    const began = performance.now();
    for (let change = 0; change < 1_000; change += 1) stand.caches.changed("purge", "b");
    const perChange = (performance.now() - began) / 1_000;
    // going through 5,000 entries takes some milliseconds
    expect(perChange).toBeLessThan(0.5);
    expect(groups).toBe(5_000);
    stand.caches.changed("purge", "a");
    // they leave when they are read, or with the sweep
    expect(stand.caches.memory.entries()).toBe(5_000);
    expect(await cache.peek({ workshop: "a", seat: 7 })).toBeUndefined();
    expect(stand.caches.memory.entries()).toBe(4_999);
    expect(asked).toBe(5_000);
  });
});

describe("groups are kept as long as an entry holds them", () => {
  const kind = ["workshop"];
  /** Holds as an entry of this scope would. */
  const attachment = (groups: ReturnType<typeof createGroups>, held: readonly Group[]) => ({
    known: undefined,
    groups: held,
    horizon: groups.sequence,
  });

  test("two entries share one; the last to let go takes it away", () => {
    const groups = createGroups();
    expect(groups.isGrouped(kind)).toBe(false);
    expect(groups.groupBy(kind)).toBe(true);
    expect(groups.isGrouped(kind)).toBe(true);
    const one = groups.hold({ workshop: "a", seat: 1 }, []);
    const two = groups.hold({ workshop: "a", seat: 2 }, []);
    const other = groups.hold({ workshop: "b", seat: 1 }, []);
    expect(one[0]).toBe(two[0]);
    expect(one[0]).not.toBe(other[0]);
    expect(one[0]?.uses).toBe(2);
    groups.release(one);
    groups.release(two);
    const anew = groups.hold({ workshop: "a" }, []);
    expect(anew[0]).not.toBe(one[0]);
    expect(anew[0]?.uses).toBe(1);
  });

  test("values of different kinds in a scope are different groups", () => {
    const groups = createGroups();
    groups.groupBy(kind);
    const held = [1, "1", 1n, true, "true", undefined, "undefined"].map(
      (workshop) => groups.hold({ workshop }, [])[0] as Group,
    );
    expect(new Set(held).size).toBe(held.length);
  });

  test("standing tells what became of an entry since it was last known to hold", () => {
    const groups = createGroups();
    groups.groupBy(kind);
    const held = attachment(groups, groups.hold({ workshop: "a" }, ["brand"]));
    expect(groups.standing(held)).toEqual({ is: "unchanged" });
    groups.changeScopes("expire", kind, { workshop: "b" }, 5);
    expect(groups.standing(held)).toEqual({ is: "unchanged" });
    groups.changeTag("expire", "brand", 20);
    groups.changeScopes("expire", kind, { workshop: "a" }, 10);
    // of two groups the earlier end counts
    expect(groups.standing(held)).toEqual({ is: "expired", at: 10 });
    groups.changeTag("purge", "brand", 30);
    expect(groups.standing(held)).toEqual({ is: "purged" });
    held.horizon = groups.sequence;
    expect(groups.standing(held)).toEqual({ is: "unchanged" });
  });

  test("a group that no entry holds keeps no record of its change", () => {
    const groups = createGroups();
    groups.groupBy(kind);
    groups.changeScopes("purge", kind, { workshop: "a" }, 0);
    const [group] = groups.hold({ workshop: "a" }, []);
    expect(group).toMatchObject({ changed: 0, purged: 0, uses: 1 });
  });

  test("of the fifth kind on there are no groups", () => {
    const groups = createGroups();
    const made = [["a"], ["b"], ["c"], ["a", "b"], ["b", "c"]].map((names) => groups.groupBy(names));
    expect(made).toEqual([true, true, true, true, false]);
    expect(groups.hold({ a: 1, b: 1, c: 1 }, [])).toHaveLength(4);
  });

  test("a cache under churn holds one for each entry at most", async () => {
    const stand = cacheStand({ maxEntries: 10 });
    const cache = stand.cacheAside({ scope: ["workshop", "language"], changedBy: () => [purge] });
    await cache.put(en, "value");
    stand.caches.changed("purge", "b");
    // what is held is asked, not what waits for the collector
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 100_000; round += 1) {
      await cache.put({ workshop: `w${round}`, language: "en" }, round);
    }
    await settle();
    collect();
    // 100,000 forgotten groups would be more than 20 MB
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20e6);
    expect(stand.caches.memory.entries()).toBe(10);
  });
});
