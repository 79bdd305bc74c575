import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { cacheStand, settle, watch } from "./cache-stand.ts";

const a = { id: "a" };
const b = { id: "b" };
// biome-ignore lint/suspicious/noThenProperty: a word, no function
const rejecting = { most: 2, then: "reject" } as const;
// biome-ignore lint/suspicious/noThenProperty: a word, no function
const servingStale = { most: 2, then: "stale" } as const;
const full = { code: "REPRISE_QUEUE_FULL", details: { cache: "workshop", most: 2 } };

describe("a queue of reads has an end", () => {
  test("one read more than may wait is rejected at once, and begins no load", async () => {
    const stand = cacheStand();
    const crowded = stand.hear("cache.crowded");
    const cache = stand.readThrough({ queue: rejecting });
    const reads = [cache.get(a), cache.get(b)];
    await expect(cache.get(a)).rejects.toMatchObject(full);
    await expect(cache.getEntry({ id: "c" })).rejects.toMatchObject(full);
    expect(stand.loads).toHaveLength(2);
    expect(stand.counters()).toMatchObject({ crowded: 2, failed: 2 });
    expect(crowded).toEqual([
      { cache: "workshop", waiting: 2 },
      { cache: "workshop", waiting: 2 },
    ]);
    stand.held(0).answer();
    expect(await reads[0]).toBe("first");
    const next = cache.get({ id: "c" });
    expect(stand.loads).toHaveLength(3);
    stand.held(1).answer();
    stand.held(2).answer();
    expect(await Promise.all([reads[1], next])).toEqual(["first", "first"]);
  });

  test("what memory holds is served however full the queue is, and a load behind it keeps nobody out", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s", queue: rejecting });
    await cache.put(a, "put");
    const reads = [cache.get(b), cache.get(b)];
    expect(await cache.get(a)).toBe("put");
    stand.held(0).answer();
    await Promise.all(reads);
    await stand.clock.advance(60_000);
    expect(await cache.get(a)).toBe("put");
    const seen = [watch(cache.get({ id: "c" })), watch(cache.get({ id: "c" }))];
    expect(seen.map(({ state }) => state)).toEqual(["waits", "waits"]);
  });

  test("a read that went away by its own signal, and one whose load passed the deadline, leave their places", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ queue: rejecting, deadline: { hard: "5s" } });
    const gone = new AbortController();
    const left = watch(cache.get(a, { signal: gone.signal }));
    const stays = watch(cache.get(a));
    await expect(cache.get(b)).rejects.toMatchObject(full);
    gone.abort(new Error("gone"));
    await settle();
    expect(left.state).toBe("rejected");
    const taken = watch(cache.get(b));
    await stand.clock.advance(5_000);
    expect([stays.state, taken.state]).toEqual(["rejected", "rejected"]);
    const reads = [cache.get({ id: "c" }), cache.get({ id: "d" })];
    expect(stand.loads).toHaveLength(4);
    for (const load of stand.loads) load.answer();
    expect(await Promise.all(reads)).toEqual(["first", "first"]);
  });

  test("then 'reject': a read too many that would wait for a stale value's load is rejected, though the value is at hand", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s", deadline: { soft: "1s" }, queue: rejecting });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    const waiting = [cache.get(a), cache.get(a)];
    await settle();
    await expect(cache.get(a)).rejects.toMatchObject(full);
    expect(await cache.peek(a)).toMatchObject({ value: "old", state: "stale" });
    stand.held(0).answer();
    expect(await Promise.all(waiting)).toEqual(["first", "first"]);
    expect(stand.counters()).toMatchObject({ stale: 0, failed: 1, crowded: 1 });
  });

  test("then 'stale': a read too many that would wait for a stale value's load is served stale at once", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({
      staleFor: "60s",
      deadline: { soft: "1s" },
      queue: servingStale,
    });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    const waiting = [watch(cache.get(a)), watch(cache.get(a))];
    await settle();
    expect(waiting.map(({ state }) => state)).toEqual(["waits", "waits"]);
    expect(await cache.get(a)).toBe("old");
    // where there is nothing stale to serve
    await expect(cache.get(b)).rejects.toMatchObject(full);
    stand.held(0).answer();
    await settle();
    expect(waiting.map(({ result }) => result)).toEqual(["first", "first"]);
    expect(stand.counters()).toMatchObject({ stale: 1, shared: 2, crowded: 1 });
  });
});

describe("the soft deadline", () => {
  const soft = { staleFor: "60s", deadline: { soft: "1s", hard: "10s" } } as const;
  async function staleStand() {
    const stand = cacheStand();
    const cache = stand.readThrough(soft);
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    return { ...stand, cache };
  }

  test("a read of a stale value waits for its load, and gets the new one if it comes in time", async () => {
    const stand = await staleStand();
    const read = stand.cache.get(a);
    const seen = watch(read);
    await stand.clock.advance(999);
    expect(seen.state).toBe("waits");
    stand.held(0).answer();
    expect(await read).toBe("first");
    expect(stand.counters()).toMatchObject({ shared: 1, stale: 0, source: 0, loads: 1 });
    expect(stand.clock.pending()).toBe(0);
  });

  test("is served stale after it, while the load goes on and is stored", async () => {
    const stand = await staleStand();
    const seen = [watch(stand.cache.get(a)), watch(stand.cache.get(a))];
    await stand.clock.advance(1_000);
    expect(seen.map(({ result }) => result)).toEqual(["old", "old"]);
    expect(stand.loads).toHaveLength(1);
    expect(stand.held(0).signal.aborted).toBe(false);
    stand.held(0).answer();
    await settle();
    expect(await stand.cache.getEntry(a)).toMatchObject({ value: "first", state: "fresh" });
    expect(stand.counters()).toMatchObject({ stale: 2, shared: 0, memory: 1, failed: 0 });
  });

  test("a load that fails meanwhile serves the stale value at once", async () => {
    const stand = await staleStand();
    const read = stand.cache.get(a);
    stand.held(0).fail(new Error("away"));
    expect(await read).toBe("old");
    expect(await stand.cache.get(a)).toBe("old");
    expect(stand.loads).toHaveLength(1);
    expect(stand.counters()).toMatchObject({ stale: 2, failed: 0, loadsFailed: 1 });
  });

  test("a value that was purged meanwhile is served to nobody: whoever waited waits for the load", async () => {
    const stand = await staleStand();
    const seen = watch(stand.cache.get(a));
    await stand.cache.purge(a);
    await stand.clock.advance(1_000);
    expect(seen.state).toBe("waits");
    stand.held(0).answer();
    await settle();
    expect(seen).toMatchObject({ state: "resolved", result: "first" });
    expect(await stand.cache.peek(a)).toBeUndefined();
  });

  test("a value that was purged meanwhile is not served when the load fails", async () => {
    const stand = await staleStand();
    const seen = watch(stand.cache.get(a));
    await stand.cache.purge(a);
    stand.held(0).fail(new Error("away"));
    await settle();
    expect(seen).toMatchObject({ state: "rejected", result: { message: "away" } });
    expect(stand.counters()).toMatchObject({ stale: 0, failed: 1 });
  });

  test("a value that was put meanwhile is what the read is served after it", async () => {
    const stand = await staleStand();
    const seen = watch(stand.cache.get(a));
    await stand.cache.put(a, "put");
    await stand.clock.advance(1_000);
    expect(seen.result).toBe("put");
    expect(stand.counters()).toMatchObject({ memory: 1, stale: 0 });
  });

  test("a fresh value and a missing one know no soft deadline", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough(soft);
    const seen = watch(cache.get(a));
    await stand.clock.advance(1_000);
    expect(seen.state).toBe("waits");
    stand.held(0).answer();
    await settle();
    expect(seen.result).toBe("first");
    expect(await cache.get(a)).toBe("first");
  });

  test("a caller's own signal ends its waiting before it", async () => {
    const stand = await staleStand();
    const gone = new AbortController();
    const seen = watch(stand.cache.get(a, { signal: gone.signal }));
    gone.abort(new Error("gone"));
    await settle();
    expect(seen).toMatchObject({ state: "rejected", result: { message: "gone" } });
    expect(stand.held(0).signal.aborted).toBe(false);
  });
});

describe("the hard deadline and a loader that does not heed its signal", () => {
  const late = { code: "REPRISE_LOAD_TIMEOUT" };

  test("no load begins beside it: readers are told at once, for as long as it runs", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ deadline: { hard: "5s" } });
    const seen = watch(cache.get(a));
    await stand.clock.advance(5_000);
    expect(seen.result).toMatchObject(late);
    for (const waited of [0, defaults.cache.backOffMs, 60_000]) {
      await stand.clock.advance(waited);
      await expect(cache.get(a)).rejects.toMatchObject(late);
    }
    expect(stand.loads).toHaveLength(1);
    // what it says in the end is not heard, and makes room
    stand.held(0).answer();
    await settle();
    expect(await cache.peek(a)).toBeUndefined();
    const next = cache.get(a);
    stand.held(1).answer();
    expect(await next).toBe("first");
    expect(stand.counters()).toMatchObject({ loads: 2, loadsFailed: 1, failed: 4 });
  });

  test("behind a stale value it is served on, and no refresh begins beside it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h", deadline: { hard: "5s" } });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    for (let second = 0; second < 30; second += 1) {
      expect(await cache.get(a)).toBe("old");
      await stand.clock.advance(1_000);
    }
    expect(stand.loads).toHaveLength(1);
    stand.held(0).answer();
    await settle();
    expect(await cache.get(a)).toBe("old");
    stand.held(1).answer();
    await settle();
    expect(await cache.get(a)).toBe("first");
  });

  test("a purge lets one successor in, a second purge none before one of the two has ended", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ deadline: { hard: "5s" } });
    cache.get(a).catch(() => {});
    await stand.clock.advance(5_000);
    await cache.purge(a);
    const successor = watch(cache.get(a));
    expect(stand.loads).toHaveLength(2);
    await cache.purge(a);
    const third = cache.get(a);
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    await settle();
    expect(successor.result).toBe("first");
    expect(stand.loads).toHaveLength(3);
    stand.held(2).answer();
    expect(await third).toBe("first");
    stand.held(0).answer();
    await settle();
    expect(await cache.get(a)).toBe("first");
  });
});

describe("a source's cap on loads at once", () => {
  const sources = { db: { loadsAtOnce: 2 } };

  test("is shared by the caches that name it, first come first served", async () => {
    const stand = cacheStand({ sources });
    const one = stand.readThrough({ source: "db", name: "one" });
    const other = stand.readThrough({ source: "db", name: "other" });
    const free = stand.readThrough({ name: "free" });
    const reads = [one.get(a), other.get(a), other.get(b), one.get(b), free.get(a)];
    const ids = () => stand.loads.map(({ scope }) => scope["id"]);
    expect(ids()).toEqual(["a", "a", "a"]);
    stand.held(1).answer();
    await settle();
    expect(ids()).toEqual(["a", "a", "a", "b"]);
    expect(stand.counters("other").loads).toBe(2);
    expect(stand.counters("one").loads).toBe(1);
    stand.held(0).fail(new Error("away"));
    await expect(reads[0]).rejects.toThrow("away");
    await settle();
    expect(ids()).toHaveLength(5);
    for (const load of stand.loads) load.answer();
    await Promise.all(reads.slice(1));
  });

  test("a load that passed its deadline keeps its place until its loader returns", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    const cache = stand.readThrough({ source: "db", deadline: { hard: "5s" } });
    const first = watch(cache.get(a));
    await stand.clock.advance(4_000);
    const second = watch(cache.get(b));
    await stand.clock.advance(1_000);
    expect([first.state, second.state]).toEqual(["rejected", "waits"]);
    expect(stand.loads).toHaveLength(1);
    stand.held(0).answer();
    await settle();
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    await settle();
    expect(second.result).toBe("first");
  });

  test("a load whose deadline passes in the queue never begins, and holds nobody back", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    const cache = stand.readThrough({ source: "db", deadline: { hard: "5s" } });
    const hasty = stand.readThrough({ source: "db", name: "hasty", deadline: { hard: "1s" } });
    const first = cache.get(a);
    const seen = watch(hasty.get(a));
    const third = cache.get(b);
    await stand.clock.advance(1_000);
    expect(seen.result).toMatchObject({ code: "REPRISE_LOAD_TIMEOUT" });
    expect(stand.counters("hasty")).toMatchObject({ loads: 0, loadsFailed: 0, failed: 1 });
    stand.held(0).answer();
    await first;
    await settle();
    expect(stand.loads.map(({ scope }) => scope["id"])).toEqual(["a", "b"]);
    // nothing is held against a source that was never asked
    const again = hasty.get(a);
    stand.held(1).answer();
    await third;
    await settle();
    stand.held(2).answer();
    expect(await again).toBe("first");
  });

  test("close gives up what stands in the queue: it never begins", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    const cache = stand.readThrough({ source: "db" });
    const seen = [watch(cache.get(a)), watch(cache.get(b)), watch(cache.get({ id: "c" }))];
    const closed = stand.caches.close({ drainMs: 1_000 });
    await stand.clock.advance(1_000);
    await closed;
    for (const { result } of seen) expect(result).toMatchObject({ code: "REPRISE_LOAD_ABANDONED" });
    stand.held(0).answer();
    await settle();
    expect(stand.loads).toHaveLength(1);
    expect(stand.clock.pending()).toBe(0);
  });

  test("a change while a load stands in the queue does not outdate it: it has read nothing yet", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    const cache = stand.readThrough({ source: "db" });
    const first = cache.get(b);
    const before = cache.get(a);
    stand.source.set("a", "second");
    await cache.purge(a);
    const after = cache.get(a);
    stand.held(0).answer();
    await first;
    await settle();
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    expect(await Promise.all([before, after])).toEqual(["second", "second"]);
    expect(await cache.get(a)).toBe("second");
    expect(stand.loads).toHaveLength(2);
  });
});

describe("a failed load backs off", () => {
  test("for a second and up to a tenth more, drawn, so that keys that failed together are not asked again together", async () => {
    const stand = cacheStand({ random: () => 0.999 });
    const cache = stand.readThrough();
    const failing = watch(cache.get(a));
    stand.held(0).fail(new Error("away"));
    await settle();
    expect(failing.state).toBe("rejected");
    await stand.clock.advance(1.09 * defaults.cache.backOffMs);
    await expect(cache.get(a)).rejects.toThrow("away");
    await stand.clock.advance(0.01 * defaults.cache.backOffMs);
    const again = cache.get(a);
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    expect(await again).toBe("first");
  });

  test("a load that answered ends it, however many failed before", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    for (let failure = 0; failure < 3; failure += 1) {
      const read = cache.get(a);
      stand.held(failure).fail(new Error("away"));
      await expect(read).rejects.toThrow("away");
      await stand.clock.advance(defaults.cache.backOffMs);
    }
    const read = cache.get(a);
    stand.held(3).answer();
    await read;
    await stand.clock.advance(60_000);
    void cache.get(a);
    expect(stand.loads).toHaveLength(5);
  });
});
