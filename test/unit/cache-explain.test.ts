import { describe, expect, test } from "vitest";
import type { Explanation } from "../../src/cache/explain.ts";
import { loaded } from "../../src/cache/loader.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };
const b = { id: "b" };
const said = (explanation: Explanation): string => explanation.because.join(" ");

describe("explain tells what a read would do now, and why", () => {
  test("load: nothing is there", async () => {
    const cache = cacheStand().readThrough();
    expect(await cache.explain(a)).toEqual({
      would: "load",
      because: ["Memory holds no value.", "No load of it is under way."],
      entry: undefined,
      load: undefined,
    });
  });

  test("answer-fresh: with its age, what is left of its life, its reads and its tags", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "30s" });
    await cache.put(a, loaded({ secret: "value" }, { tags: ["brand"] }));
    await stand.clock.advance(20_000);
    await cache.get(a);
    const explanation = await cache.explain(a);
    expect(explanation).toEqual({
      would: "answer-fresh",
      because: ["Memory holds a value that is fresh for 40.0 s more."],
      entry: {
        state: "fresh",
        ageMs: 20_000,
        freshForMs: 40_000,
        staleForMs: 70_000,
        earlyInMs: null,
        reads: 1,
        tags: ["brand"],
      },
      load: undefined,
    });
    expect(JSON.stringify(explanation)).not.toContain("secret");
  });

  test("answer-fresh-and-refresh: its time ahead of expiry has come", async () => {
    const stand = cacheStand({ random: () => 0.999 });
    const cache = stand.readThrough({ jitter: 0 });
    void cache.get(a);
    await stand.clock.advance(1_000);
    stand.held(0).answer();
    await settle();
    for (let read = 0; read < 100; read += 1) await cache.get(a);
    await stand.clock.advance(29_500);
    await cache.get(a);
    const drawn = (await cache.explain(a)).entry?.earlyInMs ?? 0;
    expect(drawn).toBeGreaterThan(0);
    await stand.clock.advance(drawn);
    const explanation = await cache.explain(a);
    expect(explanation.would).toBe("answer-fresh-and-refresh");
    expect(said(explanation)).toContain("Loads take 1.0 s: it is time to begin one ahead of expiry.");
    await cache.get(a);
    expect(stand.loads).toHaveLength(2);
    expect(await cache.explain(a)).toMatchObject({ would: "answer-fresh", load: { state: "running", readers: 0 } });
  });

  test("answer-stale: with a load behind it, under way already, after a failure, and beside one that is overdue", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h", deadline: { hard: "5s" } });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    const explained = async () => {
      const explanation = await cache.explain(a);
      expect(explanation).toMatchObject({ would: "answer-stale", entry: { state: "stale" } });
      expect(await cache.get(a)).toBe("old");
      return said(explanation);
    };
    expect(await explained()).toContain("A load begins behind it.");
    expect(await explained()).toContain("A load is under way already.");
    stand.held(0).fail(new Error("away"));
    await settle();
    expect(await explained()).toContain("The last load failed; the next may begin in 1.0 s.");
    await stand.clock.advance(1_000);
    await explained();
    await stand.clock.advance(6_000);
    expect(await explained()).toContain("A load passed its deadline and has not returned yet.");
    expect((await cache.explain(a)).load).toMatchObject({ state: "overdue", runningMs: 6_000 });
  });

  test("wait-softly: until the soft deadline", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h", deadline: { soft: "250ms" } });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    const explanation = await cache.explain(a);
    expect(explanation.would).toBe("wait-softly");
    expect(said(explanation)).toContain("For 250 ms at most.");
  });

  test("wait-for-load: running, in its source's queue, and behind two others", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    const cache = stand.readThrough();
    for (const _ of [1, 2]) cache.get(a).catch(() => {});
    await stand.clock.advance(300);
    expect(await cache.explain(a)).toMatchObject({
      would: "wait-for-load",
      because: ["Memory holds no value.", "A load is running, and 2 reads wait for it."],
      load: { state: "running", runningMs: 300, readers: 2 },
    });
    for (const _ of [1, 2]) {
      await cache.purge(a);
      void cache.get(a);
    }
    expect(await cache.explain(a)).toMatchObject({
      would: "wait-for-load",
      load: { state: "pending", runningMs: null, readers: 1 },
    });

    const capped = stand.readThrough({ name: "capped", source: "db" });
    void capped.get(b);
    const explanation = await capped.explain(a);
    expect(explanation.would).toBe("load");
    expect(said(explanation)).toContain("It waits: 1 loads of source 'db' run, the most there may be.");
    void capped.get(a);
    expect(await capped.explain(a)).toMatchObject({ would: "wait-for-load", load: { state: "queued" } });
  });

  test("reject: after a failure, beside an overdue load, with a full queue, and closed", async () => {
    const stand = cacheStand();
    // biome-ignore lint/suspicious/noThenProperty: a word, no function
    const cache = stand.readThrough({ deadline: { hard: "5s" }, queue: { most: 1, then: "reject" } });
    const rejects = async (because: string) => {
      const explanation = await cache.explain(a);
      expect(explanation.would).toBe("reject");
      expect(said(explanation)).toContain(because);
      await expect(cache.get(a)).rejects.toBeDefined();
    };
    const failing = cache.get(a);
    stand.held(0).fail(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    await rejects("The last load failed; the source is asked again in 1.0 s.");
    await stand.clock.advance(1_000);
    cache.get(a).catch(() => {});
    await stand.clock.advance(6_000);
    await rejects("A load passed its deadline and has not returned yet: none is begun beside it.");
    stand.held(1).answer();
    await settle();
    const waiting = cache.get(b);
    await rejects("1 reads wait already, and the queue holds 1.");
    stand.held(2).answer();
    await waiting;
    await stand.caches.close({ drainMs: 0 });
    await rejects("The cache is closed: no load begins.");
  });

  test("a value past its window, a write under way, and a cache that keeps nothing say so", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    await cache.put(a, "old");
    await stand.clock.advance(61_000);
    expect(await cache.explain(a)).toMatchObject({
      would: "load",
      because: ["The value in memory outlived its window 1.0 s ago.", "No load of it is under way."],
      entry: { state: "outlived" },
    });
    void cache.write(a, "new");
    await settle();
    expect(said(await cache.explain(a))).toContain(
      "A write of this scope is under way: what is loaded meanwhile is not stored.",
    );
    const none = cacheStand({ keeps: false });
    expect(said(await none.readThrough().explain(a))).toContain("This cache keeps nothing.");
  });

  test("does nothing: no load, no count, no touch", async () => {
    const stand = cacheStand({ maxEntries: 2 });
    const cache = stand.readThrough({ staleFor: "1h" });
    await cache.put({ id: 1 }, "one");
    await cache.put({ id: 2 }, "two");
    const before = { ...stand.counters() };
    for (const id of [1, 2, 3]) await cache.explain({ id });
    await stand.clock.advance(60_000);
    for (const id of [1, 2, 3]) await cache.explain({ id });
    expect({ ...stand.counters() }).toEqual(before);
    expect(stand.loads).toHaveLength(0);
    await cache.explain({ id: 1 });
    await cache.put({ id: 3 }, "three");
    expect(await cache.peek({ id: 1 })).toBeUndefined();
    await expect(cache.explain({ id: {} } as never)).rejects.toMatchObject({ code: "REPRISE_BAD_SCALAR" });
  });

  test("what a commit or a tag took is told as gone, before anybody reads it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "30s" });
    await cache.put(a, loaded("value", { tags: ["brand"] }));
    await cache.expireTag("brand");
    expect(await cache.explain(a)).toMatchObject({ would: "answer-stale", entry: { state: "stale" } });
    await cache.purgeTag("brand");
    expect(await cache.explain(a)).toMatchObject({ would: "load", entry: undefined });
  });

  test("is told for every cache in the list, as the page asks for it", async () => {
    const stand = cacheStand();
    await stand.readThrough().put(a, "value");
    expect(await stand.caches.list()[0]?.explain(a)).toMatchObject({ would: "answer-fresh" });
  });
});
