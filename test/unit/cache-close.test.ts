import { describe, expect, test } from "vitest";
import { cacheStand } from "./cache-stand.ts";

const a = { id: "a" };

/** Whether it has resolved by now. */
function watch(work: Promise<unknown>): () => boolean {
  let done = false;
  void work.then(() => {
    done = true;
  });
  return () => done;
}

describe("close", () => {
  test("waits for the loads under way, also for those that wait to begin", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const reads = [cache.get(a)];
    await cache.purge(a);
    reads.push(cache.get(a));
    await cache.purge(a);
    reads.push(cache.get(a));
    const closed = stand.caches.close({ drainMs: 10_000 });
    const isClosed = watch(closed);
    await stand.clock.advance(5_000);
    stand.held(0).answer();
    stand.held(1).answer();
    await stand.clock.advance(0);
    expect(isClosed()).toBe(false);
    stand.held(2).answer();
    await closed;
    expect(await Promise.all(reads)).toEqual(["first", "first", "first"]);
    expect(stand.clock.pending()).toBe(0);
  });

  test("waits for the writes under way: whoever ends the process after it loses none", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const written = cache.write(a, "new");
    const closed = stand.caches.close({ drainMs: 10_000 });
    const isClosed = watch(closed);
    await stand.clock.advance(5_000);
    expect(isClosed()).toBe(false);
    stand.written(0).arrive();
    await Promise.all([written, closed]);
    expect(await cache.get(a)).toBe("new");
    expect(stand.clock.pending()).toBe(0);
  });

  test("gives up what has not ended in time: aborted, its callers rejected, what waits never begins", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const reads = [cache.get(a)];
    await cache.purge(a);
    reads.push(cache.get(a));
    await cache.purge(a);
    reads.push(cache.get(a));
    const settled = Promise.allSettled(reads);
    const closed = stand.caches.close({ drainMs: 10_000 });
    await stand.clock.advance(10_000);
    await closed;
    for (const one of await settled) {
      expect(one).toMatchObject({ status: "rejected", reason: { code: "REPRISE_LOAD_ABANDONED" } });
    }
    expect(stand.loads).toHaveLength(2);
    for (const load of stand.loads) expect(load.signal.reason).toMatchObject({ code: "REPRISE_LOAD_ABANDONED" });
    expect(stand.counters()).toMatchObject({ failed: 3, loadsFailed: 2 });
    expect(stand.clock.pending()).toBe(0);
  });

  test("lets no load begin any more, and serves on what memory holds", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await cache.put(a, "held");
    await stand.caches.close({ drainMs: 10_000 });
    expect(await cache.get(a)).toBe("held");
    await stand.clock.advance(60_000);
    expect(await cache.get(a)).toBe("held");
    await expect(cache.get({ id: "b" })).rejects.toMatchObject({ code: "REPRISE_LOAD_ABANDONED" });
    expect(stand.loads).toHaveLength(0);
  });

  test("twice is once, and without loads it is done at once", async () => {
    const stand = cacheStand();
    stand.readThrough({ refresh: { hottest: 1, every: "30s" } });
    stand.caches.start();
    const first = stand.caches.close({ drainMs: 10_000 });
    expect(stand.caches.close({ drainMs: 1 })).toBe(first);
    await first;
    stand.caches.start();
    expect(stand.clock.pending()).toBe(0);
  });
});
