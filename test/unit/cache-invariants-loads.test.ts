import { describe, expect, test } from "vitest";
import { loaded, notModified } from "../../src/cache/loader.ts";
import { cacheStand, settle, watch } from "./cache-stand.ts";

/** The invariants where loads hang, wait or end late, and where writes go through the cache. */

const a = { id: "a" };
const b = { id: "b" };
const timeout = { code: "REPRISE_LOAD_TIMEOUT" };

describe("C1: no way of waiting gives what a change took", () => {
  test("a read that waits softly is not served what a purge took meanwhile", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s", deadline: { soft: "1s" } });
    await cache.put(a, "first");
    await stand.clock.advance(60_000);
    const softly = watch(cache.get(a));
    stand.source.set("a", "second");
    await cache.purge(a);
    const after = watch(cache.get(a));
    await stand.clock.advance(1_000);
    expect([softly.state, after.state]).toEqual(["waits", "waits"]);
    for (const load of stand.loads) load.answer();
    await settle();
    expect(after).toMatchObject({ state: "resolved", result: "second" });
    expect(await cache.get(a)).toBe("second");
  });

  test("a read that waits softly after an expire is served stale or new, and never by a load from before it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s", deadline: { soft: "1s" } });
    const load = cache.get(a);
    stand.held(0).answer();
    await load;
    await stand.clock.advance(60_000);
    void cache.get(a);
    stand.source.set("a", "second");
    await cache.expire(a);
    const after = watch(cache.get(a));
    stand.held(1).answer();
    await settle();
    expect(after.state).toBe("waits");
    stand.held(2).answer();
    await settle();
    expect(after).toMatchObject({ state: "resolved", result: "second" });
  });

  test("a load that waits at its source reads what was changed while it waited", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 1 } } });
    const cache = stand.readThrough({ source: "db" });
    const first = cache.get(b);
    const before = cache.get(a);
    stand.source.set("a", "second");
    await cache.purge(a);
    const after = cache.get(a);
    stand.held(0).answer();
    await first;
    stand.held(1).answer();
    expect(await Promise.all([before, after])).toEqual(["second", "second"]);
    expect(await cache.get(a)).toBe("second");
    expect(stand.loads).toHaveLength(2);
  });
});

describe("C4: memory that has no room costs a store, and mixes up no keys", () => {
  test("the failure of a load whose slot found no room is not another key's", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.readThrough();
    const guarded = stand.readThrough({ name: "guarded", protect: "high" });
    await guarded.put(a, "guarded");
    const failing = cache.get(a);
    stand.held(0).fail(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    await guarded.purge(a);
    const reads = [cache.get(b), cache.get(b)];
    stand.held(1).answer();
    expect(await Promise.all(reads)).toEqual(["first", "first"]);
  });

  test("a key that is larger than memory is answered and not kept", async () => {
    const stand = cacheStand({ maxBytes: 1_000 });
    const cache = stand.readThrough();
    const large = { id: "x".repeat(10_000) };
    const read = cache.get(large);
    stand.held(0).answer();
    expect(await read).toBe("first");
    await cache.put(large, "put");
    expect(await cache.peek(large)).toBeUndefined();
    expect(stand.caches.memory.entries()).toBe(0);
    expect(stand.caches.memory.bytes()).toBe(0);
  });
});

describe("C5: loaders that hang have none beside them, and keep nobody waiting", () => {
  test("a read that would wait behind two loaders that hang is rejected at its deadline", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ deadline: { hard: "5s" } });
    const first = watch(cache.get(a));
    await cache.purge(a);
    const second = watch(cache.get(a));
    await stand.clock.advance(5_000);
    expect([first.result, second.result]).toMatchObject([timeout, timeout]);
    await cache.purge(a);
    const third = [watch(cache.get(a)), watch(cache.get(a))];
    await stand.clock.advance(4_999);
    expect(third.map(({ state }) => state)).toEqual(["waits", "waits"]);
    await stand.clock.advance(1);
    expect(third.map(({ result }) => result)).toMatchObject([timeout, timeout]);
    expect(stand.loads).toHaveLength(2);
    const fourth = cache.get(a);
    stand.held(1).answer();
    await settle();
    expect(stand.loads).toHaveLength(3);
    stand.held(2).answer();
    expect(await fourth).toBe("first");
    expect(stand.counters()).toMatchObject({ failed: 4, source: 1, loads: 3 });
    expect(await cache.get(a)).toBe("first");
    expect(stand.clock.pending()).toBe(0);
  });

  test("close ends in time where a load waits behind two that hang", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ deadline: { hard: "5s" } });
    const reads = [watch(cache.get(a))];
    for (let turn = 0; turn < 2; turn += 1) {
      await cache.purge(a);
      reads.push(watch(cache.get(a)));
    }
    const close = watch(stand.caches.close({ drainMs: 1_000 }));
    await stand.clock.advance(1_000);
    expect(close.state).toBe("resolved");
    expect(reads.map(({ result }) => (result as { readonly code: string }).code)).toEqual(
      Array.from({ length: 3 }, () => "REPRISE_LOAD_ABANDONED"),
    );
    expect(stand.loads).toHaveLength(2);
    expect(stand.clock.pending()).toBe(0);
  });

  test("a loader that hangs is no reason to load beside it, ahead of expiry, behind a stale value or for a read", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "10s", deadline: { hard: "5s" } });
    await cache.put(a, "first");
    await stand.clock.advance(60_000);
    void cache.get(a);
    await stand.clock.advance(7_000);
    expect(await cache.get(a)).toBe("first");
    await stand.clock.advance(3_000);
    await expect(cache.get(a)).rejects.toMatchObject(timeout);
    expect(stand.loads).toHaveLength(1);
    stand.held(0).answer();
    await settle();
    const after = cache.get(a);
    stand.held(1).answer();
    expect(await after).toBe("first");
  });

  test("a source's loads never exceed its cap, whichever caches and changes they are for", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 2 } } });
    const one = stand.readThrough({ source: "db" });
    const other = stand.readThrough({ name: "other", source: "db" });
    const reads: Promise<unknown>[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      for (const cache of [one, other]) {
        reads.push(cache.get(a), cache.get(b));
        await cache.purge(a);
      }
    }
    for (let ended = 0; ended < stand.loads.length; ended += 1) {
      expect(stand.loads.length - ended).toBeLessThanOrEqual(2);
      stand.held(ended).answer();
      await settle();
    }
    expect(await Promise.all(reads)).toEqual(reads.map(() => "first"));
  });
});

describe("C6: no value outlives the window that its source or its declaration gave it", () => {
  test("a source's own life counts from the start of the load, as any", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "5s" });
    const read = cache.get(a);
    await stand.clock.advance(2_000);
    stand.held(0).answerWith(loaded("first", { freshFor: "10s" }));
    await read;
    await stand.clock.advance(8_000);
    expect(await cache.peek(a)).toMatchObject({ state: "stale", ageMs: 10_000 });
    await stand.clock.advance(5_000);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("the new life of an unmodified value counts from the start of the load that found it so", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s" });
    await cache.put(a, loaded("first", { etag: "1" }));
    await stand.clock.advance(60_000);
    void cache.get(a);
    await stand.clock.advance(20_000);
    stand.held(0).answerWith(notModified());
    await settle();
    expect(await cache.peek(a)).toMatchObject({ state: "fresh", ageMs: 20_000 });
    await stand.clock.advance(40_000);
    expect(await cache.peek(a)).toMatchObject({ state: "stale", ageMs: 60_000 });
  });

  test("an absence that its source says still holds is kept as absences are", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "60s", absentFor: "5s" });
    await cache.put(a, loaded(undefined, { etag: "1" }));
    await stand.clock.advance(5_000);
    void cache.get(a);
    stand.held(0).answerWith(notModified());
    await settle();
    await stand.clock.advance(5_000);
    expect(await cache.peek(a)).toMatchObject({ state: "stale", ageMs: 5_000 });
  });
});

describe("C7: no load hides an acknowledged write", () => {
  test("a load that read before the write landed is neither stored nor shared once the write resolved", async () => {
    for (const begins of ["before the write", "under it"]) {
      const stand = cacheStand();
      const cache = stand.writeThrough();
      const early = begins === "before the write" ? cache.get(a) : undefined;
      const write = cache.write(a, "second");
      const load = early ?? cache.get(a);
      stand.written(0).arrive();
      await write;
      const after = cache.get(a);
      stand.held(0).answer();
      expect(await load).toBe("first");
      expect([await after, await cache.get(a)]).toEqual(["second", "second"]);
    }
  });

  test("of two writes at once, acknowledged in another order than they landed, neither is what memory gives", async () => {
    const stand = cacheStand();
    const held: { readonly value: unknown; readonly acknowledge: () => void }[] = [];
    const cache = stand.writeThrough({
      write: (_scope: never, value: never) =>
        new Promise((resolve) => {
          stand.source.set("a", value);
          held.push({ value, acknowledge: () => resolve() });
        }),
    });
    const writes = [cache.write(a, "second"), cache.write(a, "third")];
    held[1]?.acknowledge();
    await writes[1];
    const between = cache.get(a);
    stand.held(0).answer();
    expect(await between).toBe("third");
    held[0]?.acknowledge();
    await writes[0];
    const after = cache.get(a);
    stand.held(1).answer();
    expect(await after).toBe("third");
    expect(await cache.get(a)).toBe("third");
  });

  test("a write that lands long after its deadline is what the next read finds once it is settled", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough({ deadline: { hard: "5s" } });
    const write = watch(cache.write(a, "second"));
    await stand.clock.advance(5_000);
    expect(write.result).toMatchObject({ code: "REPRISE_WRITE_TIMEOUT" });
    const under = cache.get(a);
    stand.held(0).answer();
    expect(await under).toBe("first");
    expect(await cache.peek(a)).toBeUndefined();
    stand.written(0).arrive();
    await settle();
    expect(await cache.get(a)).toBe("second");
  });

  test("a put during a write ends with the write: which of the two the source kept, a load finds out", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const write = cache.write(a, "second");
    await cache.put(a, "put");
    expect(await cache.get(a)).toBe("put");
    stand.written(0).arrive();
    await write;
    const after = cache.get(a);
    stand.held(0).answer();
    expect(await after).toBe("second");
  });

  test("the store of a lookup that began before a put stores nothing", async () => {
    const cache = cacheStand().cacheAside();
    const found = await cache.lookup(a);
    await cache.put(a, "put");
    await cache.purge(a);
    expect(found.hit ? undefined : await found.store("first")).toBe(false);
  });
});
