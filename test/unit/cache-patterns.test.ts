import { describe, expect, test } from "vitest";
import { cacheStand, settle, watch } from "./cache-stand.ts";

const a = { id: "a" };

describe("a write-through write goes to the source, then to the cache", () => {
  test("is acknowledged when the source has it, and the next read needs no load", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const write = cache.write(a, "second");
    const seen = watch(write);
    await settle();
    expect(seen.state).toBe("waits");
    expect(stand.written(0)).toMatchObject({ scope: { id: "a" }, value: "second" });
    stand.written(0).arrive();
    await write;
    expect(await cache.get(a)).toBe("second");
    expect(stand.loads).toHaveLength(0);
    expect(stand.counters()).toMatchObject({ written: 1, put: 0, memory: 1 });
  });

  test("announces itself first: what memory held is gone before the source hears of the write", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough({ staleFor: "1h" });
    await cache.put(a, "first");
    void cache.write(a, "second");
    await settle();
    expect(stand.writes).toHaveLength(1);
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a load that began before the write is not stored, and nobody who comes later shares it", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const before = cache.get(a);
    const write = cache.write(a, "second");
    await settle();
    const during = cache.get(a);
    expect(stand.loads).toHaveLength(2);
    stand.written(0).arrive();
    await write;
    for (const load of stand.loads) load.answer();
    expect(await Promise.all([before, during])).toEqual(["first", "first"]);
    expect(await cache.get(a)).toBe("second");
  });

  test("a load under a write is shared by its readers and not stored, whichever of the two ends first", async () => {
    for (const first of ["load", "write"] as const) {
      const stand = cacheStand();
      const cache = stand.writeThrough();
      const write = cache.write(a, "second");
      await settle();
      const reads = [cache.get(a), cache.get(a)];
      expect(stand.loads).toHaveLength(1);
      if (first === "write") stand.written(0).arrive();
      await settle();
      stand.held(0).answer();
      expect(await Promise.all(reads)).toEqual(["first", "first"]);
      if (first === "load") {
        expect(await cache.peek(a)).toBeUndefined();
        stand.written(0).arrive();
      }
      await write;
      expect(await cache.get(a)).toBe("second");
      expect(stand.counters()).toMatchObject({ discarded: 1 });
    }
  });

  test("of two writes at once neither is stored: the next load finds out which one the source kept", async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const stand = cacheStand();
      const cache = stand.writeThrough();
      const writes = [cache.write(a, "second"), cache.write(a, "third")];
      await settle();
      for (const place of order) {
        stand.written(place).arrive();
        await settle();
      }
      await Promise.all(writes);
      expect(await cache.peek(a)).toBeUndefined();
      const read = cache.get(a);
      stand.held(0).answer();
      expect(await read).toBe(order[1] === 0 ? "second" : "third");
      expect(await cache.peek(a)).toBeDefined();
    }
  });

  test("a third write that began while the second ran on is not stored either", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const writes = [cache.write(a, "second"), cache.write(a, "third")];
    await settle();
    stand.written(0).arrive();
    await writes[0];
    const third = cache.write(a, "fourth");
    await settle();
    stand.written(1).arrive();
    stand.written(2).arrive();
    await Promise.all([writes[1], third]);
    expect(await cache.peek(a)).toBeUndefined();
    const alone = cache.write(a, "fifth");
    await settle();
    stand.written(3).arrive();
    await alone;
    expect(await cache.peek(a)).toMatchObject({ value: "fifth" });
  });

  for (const verb of ["purge", "expire", "put", "commit"] as const) {
    test(`a ${verb} during a write keeps the written value out of memory`, async () => {
      const stand = cacheStand();
      const cache = stand.writeThrough({
        scope: ["id", "part"],
        changedBy: () => [
          { kind: "outcome" as const, operation: "book", verb: "purge", scopesOf: () => [{ id: "a" }] } as never,
        ],
      });
      const scope = { id: "a", part: 1 };
      const write = cache.write(scope, "second");
      await settle();
      if (verb === "commit") stand.caches.changed("book", undefined);
      else if (verb === "put") await cache.put(scope, "put");
      else await cache[verb](scope);
      stand.written(0).arrive();
      await write;
      expect(await cache.peek(scope)).toBeUndefined();
    });
  }

  test("a write of another scope is not in the way", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    const writes = [cache.write(a, "second"), cache.write({ id: "b" }, "third")];
    await settle();
    for (const write of stand.writes) write.arrive();
    await Promise.all(writes);
    expect(await cache.peek(a)).toMatchObject({ value: "second" });
    expect(await cache.peek({ id: "b" })).toMatchObject({ value: "third" });
  });

  test("a failed write rejects with the source's error and leaves nothing; the next load is stored", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    await cache.put(a, "first");
    const write = cache.write(a, "second");
    await settle();
    const error = new Error("the source refused");
    stand.written(0).fail(error);
    await expect(write).rejects.toBe(error);
    expect(await cache.peek(a)).toBeUndefined();
    const read = cache.get(a);
    stand.held(0).answer();
    expect(await read).toBe("first");
    expect(await cache.peek(a)).toMatchObject({ value: "first" });
    expect(stand.counters().written).toBe(0);
  });

  test("a write that passes its deadline rejects, its signal aborts, and until it has settled no load is stored", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough({ deadline: { hard: "5s" } });
    const seen = watch(cache.write(a, "second"));
    await stand.clock.advance(4_999);
    expect([seen.state, stand.written(0).signal.aborted]).toEqual(["waits", false]);
    await stand.clock.advance(1);
    expect(seen).toMatchObject({ state: "rejected", result: { code: "REPRISE_WRITE_TIMEOUT" } });
    expect(stand.written(0).signal.reason).toBe(seen.result);

    // it may still arrive: what is read now may be about to be replaced
    const before = cache.get(a);
    stand.held(0).answer();
    expect(await before).toBe("first");
    expect(await cache.peek(a)).toBeUndefined();
    await stand.clock.advance(60_000);
    const overtaken = cache.get(a);
    stand.written(0).arrive();
    await settle();
    stand.held(1).answer();
    expect(await overtaken).toBe("first");
    expect(await cache.get(a)).toBe("second");
  });

  test("a late write that the source refuses in the end gives loads their place back", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough({ deadline: { hard: "5s" } });
    const seen = watch(cache.write(a, "second"));
    await stand.clock.advance(5_000);
    expect(seen.state).toBe("rejected");
    stand.written(0).fail(new Error("refused after all"));
    await settle();
    const read = cache.get(a);
    stand.held(0).answer();
    await read;
    expect(await cache.peek(a)).toMatchObject({ value: "first" });
  });

  test("no memory pressure forgets a write under way", async () => {
    const stand = cacheStand({ maxEntries: 1 });
    const cache = stand.writeThrough();
    const write = cache.write(a, "second");
    await settle();
    for (let id = 0; id < 10; id += 1) await cache.put({ id }, "pushes out");
    const read = cache.get(a);
    stand.held(0).answer();
    await read;
    expect(await cache.peek(a)).toBeUndefined();
    stand.written(0).arrive();
    await write;
    expect(await cache.peek(a)).toMatchObject({ value: "second" });
  });

  test("the write gets the declared parts of the scope alone", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough();
    void cache.write({ id: "a", session: "secret" } as never, "second");
    await settle();
    expect(stand.written(0).scope).toEqual({ id: "a" });
  });

  test("a write function that throws before it returns a promise rejects the write", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough({
      write: () => {
        throw new Error("at once");
      },
    });
    await expect(cache.write(a, "second")).rejects.toThrow("at once");
    await expect(cache.write({ id: null }, "second")).rejects.toMatchObject({ code: "REPRISE_BAD_SCALAR" });
    const read = cache.get(a);
    stand.held(0).answer();
    await read;
    expect(await cache.peek(a)).toBeDefined();
  });

  test("reads of a write-through cache are those of a read-through one", async () => {
    const stand = cacheStand();
    const cache = stand.writeThrough({ staleFor: "60s" });
    const reads = [cache.get(a), cache.get(a)];
    stand.held(0).answer();
    expect(await Promise.all(reads)).toEqual(["first", "first"]);
    await stand.clock.advance(60_000);
    expect(await cache.getEntry(a)).toMatchObject({ value: "first", state: "stale" });
    expect(stand.loads).toHaveLength(2);
  });
});
