import { describe, expect, test } from "vitest";
import { outcomeOf } from "../../src/cache/change.ts";
import { cacheStand, type Declaration } from "./cache-stand.ts";

const book = { name: "book" };

function changedBy(...changes: readonly unknown[]): Declaration {
  return { changedBy: () => changes as never };
}

describe("what an operation commits changes the caches that name it", () => {
  test("a whole scope purges its entry alone", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside(changedBy(outcomeOf(book, (input: { at: string }) => ({ id: input.at }))));
    for (const id of ["a", "b"]) await cache.put({ id }, id);
    stand.caches.start();
    stand.caches.changed("book", { at: "a" });
    expect(await cache.peek({ id: "a" })).toBeUndefined();
    expect(await cache.peek({ id: "b" })).toBeDefined();
    expect(stand.counters()).toMatchObject({ purged: 1, expired: 0 });
  });

  test("what a scope leaves out means every", async () => {
    const stand = cacheStand();
    const scope = ["workshop", "language"];
    const cache = stand.cacheAside({
      scope,
      ...changedBy(outcomeOf(book, (input: string) => ({ workshop: input }))),
    });
    for (const workshop of ["a", "b"]) {
      for (const language of ["en", "de", undefined]) await cache.put({ workshop, language }, "seats");
    }
    stand.caches.changed("book", "a");
    for (const language of ["en", "de", undefined]) {
      expect(await cache.peek({ workshop: "a", language })).toBeUndefined();
      expect(await cache.peek({ workshop: "b", language })).toBeDefined();
    }
    expect(stand.counters().purged).toBe(1);
  });

  test("several scopes, and expire where the change says so", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({
      staleFor: "60s",
      ...changedBy(outcomeOf(book, (ids: readonly string[]) => ids.map((id) => ({ id })), "expire")),
    });
    for (const id of ["a", "b", "c"]) await cache.put({ id }, id);
    stand.caches.changed("book", ["a", "b"]);
    const states = await Promise.all(["a", "b", "c"].map(async (id) => (await cache.peek({ id }))?.state));
    expect(states).toEqual(["stale", "stale", "fresh"]);
    expect(stand.counters()).toMatchObject({ expired: 2, purged: 0 });
  });

  test("another operation's commit changes nothing", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside(changedBy(outcomeOf(book, (id: string) => ({ id }))));
    await cache.put({ id: "a" }, "a");
    stand.caches.changed("cancel", "a");
    expect(await cache.peek({ id: "a" })).toBeDefined();
  });

  test("a scope that cannot be told means every entry: the commit has happened already", async () => {
    const stand = cacheStand();
    const fails = () => {
      throw new Error("a mistake in the scope's function");
    };
    const cache = stand.cacheAside(changedBy(outcomeOf(book, fails)));
    for (const id of ["a", "b"]) await cache.put({ id }, id);
    stand.caches.changed("book", {});
    expect(stand.caches.memory.entries()).toBe(0);
  });

  test("the thunk is read at start, so modules may import each other; a later cache's at the next commit", async () => {
    const stand = cacheStand();
    const reads: string[] = [];
    const thunk = (name: string): Declaration => ({
      name,
      changedBy: () => {
        reads.push(name);
        return [outcomeOf(book, (id: string) => ({ id }))];
      },
    });
    stand.cacheAside(thunk("early"));
    expect(reads).toEqual([]);
    stand.caches.start();
    expect(reads).toEqual(["early"]);
    const late = stand.cacheAside(thunk("late"));
    await late.put({ id: "a" }, "a");
    expect(reads).toEqual(["early"]);
    stand.caches.changed("book", "a");
    expect(await late.peek({ id: "a" })).toBeUndefined();
    stand.caches.changed("book", "a");
    expect(reads).toEqual(["early", "late"]);
  });

  test("a thunk that throws makes start throw", () => {
    const stand = cacheStand();
    stand.cacheAside({
      changedBy: () => {
        throw new Error("imported too early");
      },
    });
    expect(() => stand.caches.start()).toThrow("imported too early");
  });
});
