import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { loaded } from "../../src/cache/loader.ts";
import { cacheStand, settle, watch } from "./cache-stand.ts";

/** What known caches fall into, each named; that they do is recorded by the bench (`measure -- cache`). */

const a = { id: "a" };

describe("trap 1, stale set: a value read before a change is stored after it", () => {
  test("read old, write the source, delete, and the old load answers last: nobody is served the old value", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h" });
    const before = cache.get(a);
    stand.source.set("a", "second");
    await cache.purge(a);
    stand.held(0).answer();
    expect(await before).toBe("first");
    const after = cache.get(a);
    stand.held(1).answer();
    expect(await after).toBe("second");
    expect(await cache.get(a)).toBe("second");
  });

  test("an explicit put while a load is under way stands when the load answers", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const before = cache.get(a);
    await cache.put(a, "second");
    stand.held(0).answer();
    await before;
    expect(await cache.get(a)).toBe("second");
  });

  test("emptying a whole part of the cache reaches loads under way", async () => {
    const stand = cacheStand();
    const scope = { id: "a", part: 1 };
    const cache = stand.readThrough({
      scope: ["id", "part"],
      changedBy: () => [{ kind: "outcome", operation: "clear", verb: "purge", scopesOf: () => [{}] } as never],
    });
    const before = cache.get(scope);
    stand.caches.changed("clear", undefined);
    stand.held(0).answer();
    await before;
    expect(await cache.peek(scope)).toBeUndefined();
  });
});

describe("trap 2, tag races: a tag changes between a load's read and its store", () => {
  test("the value that was read before the change is not stored, though its tags were known only after it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const before = cache.get(a);
    stand.source.set("a", "second");
    await cache.purgeTag("brand");
    stand.held(0).answerWith(loaded("first", { tags: ["brand"] }));
    expect(await before).toBe("first");
    const after = cache.get(a);
    stand.held(1).answerWith(loaded("second", { tags: ["brand"] }));
    expect(await after).toBe("second");
    expect(await cache.get(a)).toBe("second");
  });

  test("every way of storing knows tags: load, put, lookup and bulk load", async () => {
    const stand = cacheStand();
    const tagged = (value: string) => loaded(value, { tags: ["brand"] });
    const cache = stand.readThrough({ loadMany: async (scopes) => scopes.map(() => tagged("many")) });
    const read = cache.get({ id: "loaded" });
    stand.held(0).answerWith(tagged("loaded"));
    await read;
    await cache.put({ id: "put" }, tagged("put"));
    await cache.getMany([{ id: "many" }]);
    await cache.purgeTag("brand");
    for (const id of ["loaded", "put", "many"]) expect(await cache.peek({ id })).toBeUndefined();
    const aside = stand.cacheAside({ name: "aside" });
    const found = await aside.lookup(a);
    await (found.hit ? undefined : found.store(tagged("stored")));
    await aside.purgeTag("brand");
    expect(await aside.peek(a)).toBeUndefined();
  });
});

describe("trap 4, grace and tags: what was deleted is served as a stale value", () => {
  test("a purge by tag is served to nobody, not even while the source fails; an expire may be", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h" });
    for (const id of ["purged", "expired"]) await cache.put({ id }, loaded("old", { tags: [id] }));
    await cache.purgeTag("purged");
    await cache.expireTag("expired");
    const reads = [watch(cache.get({ id: "purged" })), watch(cache.get({ id: "expired" }))];
    for (const load of stand.loads) load.fail(new Error("away"));
    await settle();
    expect(reads[0]).toMatchObject({ state: "rejected", result: { message: "away" } });
    expect(reads[1]).toMatchObject({ state: "resolved", result: "old" });
  });
});

describe("trap 5, grace shorter than the life: the entry is lost early", () => {
  test("a stale window of 50 ms beside a life of 10 s is added to it", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ freshFor: "10s", staleFor: "50ms" });
    await cache.put(a, "value");
    await stand.clock.advance(9_999);
    expect(await cache.peek(a)).toMatchObject({ state: "fresh" });
    await stand.clock.advance(50);
    expect(await cache.peek(a)).toMatchObject({ state: "stale" });
    await stand.clock.advance(1);
    expect(await cache.peek(a)).toBeUndefined();
  });
});

describe("trap 8, the convoy of a failure: each waiting caller asks a failing source again", () => {
  test("100 callers of a failing load share its rejection, and those who straggle in ask no sooner than a second later", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const reads = Array.from({ length: 100 }, () => cache.get(a));
    stand.held(0).fail(new Error("away"));
    const settled = await Promise.allSettled(reads);
    expect(settled.every(({ status }) => status === "rejected")).toBe(true);
    for (let straggler = 0; straggler < 50; straggler += 1) {
      await expect(cache.get(a)).rejects.toThrow("away");
      await stand.clock.advance(defaults.cache.backOffMs / 51);
    }
    expect(stand.loads).toHaveLength(1);
    expect(stand.counters()).toMatchObject({ failed: 150, loads: 1 });
  });
});

describe("trap 9, swallowed errors: a failure looks like an answer", () => {
  test("a failing loader rejects its readers with its own error; it resolves nobody with undefined", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough();
    const error = new Error("away");
    const reads = [cache.get(a), cache.getEntry(a), cache.getMany([a])];
    stand.held(0).fail(error);
    for (const read of reads) await expect(read).rejects.toBe(error);
    expect(await cache.getManySettled([a])).toEqual([{ status: "failed", error }]);
  });

  test("a store that stored nothing says so", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside();
    const found = await cache.lookup(a);
    await cache.purge(a);
    expect(found.hit ? undefined : await found.store("value")).toBe(false);
  });
});

describe("trap 10, something hangs: reads hang with it", () => {
  test("a source that never answers costs its readers the deadline, and hits and other keys nothing", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h", deadline: { soft: "100ms", hard: "500ms" } });
    await cache.put({ id: "held" }, "value");
    const hanging = watch(cache.get(a));
    expect(await cache.get({ id: "held" })).toBe("value");
    await stand.clock.advance(500);
    expect(hanging).toMatchObject({ state: "rejected", result: { code: "REPRISE_LOAD_TIMEOUT" } });
    await stand.clock.advance(60_000);
    const stale = watch(cache.get({ id: "held" }));
    await stand.clock.advance(100);
    expect(stale).toMatchObject({ state: "resolved", result: "value" });
  });
});

describe("trap 11, the herd behind an outage", () => {
  test("a source that comes back is asked by as many loads at once as its cap allows, each key once", async () => {
    const stand = cacheStand({ sources: { db: { loadsAtOnce: 3 } } });
    const cache = stand.readThrough({ source: "db" });
    const reads = Array.from({ length: 200 }, (_, n) => cache.get({ id: n % 20 }));
    let answered = 0;
    while (answered < stand.loads.length) {
      expect(stand.loads.length - answered).toBeLessThanOrEqual(3);
      stand.held(answered).answer();
      answered += 1;
      await settle();
    }
    await Promise.all(reads);
    expect(stand.loads).toHaveLength(20);
  });

  test("keys that were filled together neither expire nor are asked again together", async () => {
    let draw = 0;
    const random = () => {
      draw = (draw + 0.618_034) % 1;
      return draw;
    };
    const stand = cacheStand({ random });
    const cache = stand.readThrough();
    const reads = Array.from({ length: 50 }, (_, id) => cache.get({ id }));
    for (const load of stand.loads) load.answer();
    await Promise.all(reads);
    const expired = new Set<number>();
    for (let second = 50; second <= 60; second += 1) {
      await stand.clock.advance(second === 50 ? 50_000 : 1_000);
      const left = await Promise.all(reads.map((_, id) => cache.peek({ id })));
      expired.add(left.filter((entry) => entry === undefined).length);
    }
    expect(expired.size).toBeGreaterThan(5);
  });
});

describe("trap 12, unhandled rejections: background work ends the process", () => {
  test("whatever a loader does behind a stale value, ahead of expiry or for nobody, no rejection is unhandled", async () => {
    const seen: unknown[] = [];
    const listen = (reason: unknown) => seen.push(reason);
    process.on("unhandledRejection", listen);
    try {
      const stand = cacheStand({ random: () => 0.5 });
      const cache = stand.writeThrough({ staleFor: "1h", jitter: 0, deadline: { hard: "5s", soft: "1s" } });
      const late = [
        () => stand.loads.at(-1)?.answerWith(undefined),
        () => stand.loads.at(-1)?.fail(new Error("away")),
        () => stand.loads.at(-1)?.fail(undefined),
        async () => stand.clock.advance(5_000),
      ];
      for (const end of late) {
        await cache.put(a, "old");
        await stand.clock.advance(61_000);
        void cache.get(a);
        await end();
        await stand.clock.advance(2_000);
        await cache.purge(a);
        stand.loads.at(-1)?.fail(new Error("after its deadline"));
        await settle();
      }
      void cache.get({ id: "nobody waits" }).catch(() => {});
      stand.loads.at(-1)?.fail(new Error("away"));
      cache.write(a, "late").catch(() => {});
      await stand.clock.advance(5_000);
      stand.written(0).fail(new Error("after its deadline"));
      await settle();
      await settle();
      expect(seen).toEqual([]);
    } finally {
      process.off("unhandledRejection", listen);
    }
  });

  test("a loader that returns undefined behind a stale value stores that there is no such thing", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ staleFor: "1h" });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    expect(await cache.get(a)).toBe("old");
    stand.held(0).answerWith(undefined);
    await settle();
    expect(await cache.getEntry(a)).toMatchObject({ value: undefined, state: "fresh" });
  });
});

describe("trap 13, leaks", () => {
  test("200,000 keys leave a bounded memory bounded: entries, loads, permissions and failures alike", async () => {
    const stand = cacheStand({ maxEntries: 100 });
    const cache = stand.cacheAside();
    for (let id = 0; id < 200_000; id += 1) {
      if (id % 4 === 0) await cache.lookup({ id });
      else await cache.put({ id }, id);
    }
    expect(stand.caches.memory.entries()).toBe(100);
    expect(stand.caches.list()[0]?.entries()).toBe(100);
    // there are places for as many as there ever were at once
    expect(stand.clock.pending()).toBe(0);
  });

  test("nothing that a caller hands over is changed: its scope, its tags, its list of scopes", async () => {
    const stand = cacheStand({ policies: { secrets: "off", freeze: true } });
    const cache = stand.readThrough();
    const scope = { id: "a", session: "s" };
    const tags = ["brand"];
    const scopes = [scope, scope];
    await cache.put(scope, loaded("value", { tags }));
    await cache.getMany(scopes);
    expect([scope, tags, scopes]).toEqual([{ id: "a", session: "s" }, ["brand"], [scope, scope]]);
    expect([scope, tags, scopes].map((given) => Object.isFrozen(given))).toEqual([false, false, false]);
  });
});

describe("trap 14, duplicates after a timeout: a second load begins beside the slow one", () => {
  test("a load that passed its deadline is aborted, and none begins while its loader runs on", async () => {
    const stand = cacheStand();
    const cache = stand.readThrough({ deadline: { hard: "500ms" } });
    const slow = watch(cache.get(a));
    await stand.clock.advance(500);
    expect(slow.state).toBe("rejected");
    expect(stand.held(0).signal.aborted).toBe(true);
    await stand.clock.advance(10_000);
    const during = watch(cache.get(a));
    await settle();
    expect([during.state, stand.loads.length]).toEqual(["rejected", 1]);
    stand.held(0).answer();
    await settle();
    const next = cache.get(a);
    stand.held(1).answer();
    expect(await next).toBe("first");
  });
});

describe("trap 15, aliasing: one reader changes what all others read", () => {
  for (const how of ["frozen", "cloned"] as const) {
    test(`${how}: what a reader does to its value reaches nobody else`, async () => {
      const stand = cacheStand({ policies: { secrets: "off", freeze: true } });
      const cache = stand.readThrough({ clone: how === "cloned" });
      const read = cache.get(a);
      stand.held(0).answerWith({ seats: [{ free: true }] });
      const mine = (await read) as { seats: { free: boolean }[] };
      const change = () => mine.seats.pop();
      if (how === "frozen") expect(change).toThrow(TypeError);
      else change();
      expect(await cache.get(a)).toEqual({ seats: [{ free: true }] });
    });
  }
});

describe("trap 16, personal data: events and errors carry what was cached", () => {
  test("neither an event, a counter nor an error of the cache holds a value or a key", async () => {
    const secret = "alice@example.org";
    const stand = cacheStand({ maxEntries: 1 });
    const heard: unknown[] = [];
    for (const name of ["cache.load", "cache.change", "cache.evict"] as const) {
      stand.events.on(name, (event) => heard.push(event));
    }
    const cache = stand.readThrough({ deadline: { hard: "1s" } });
    await cache.put({ id: secret }, { mail: secret });
    await cache.put({ id: `${secret}.` }, { mail: secret });
    const late = watch(cache.get({ id: secret }));
    await stand.clock.advance(1_000);
    const refused = await cache.get({ id: [secret] }).catch((error: unknown) => error);
    expect(heard.length).toBeGreaterThanOrEqual(4);
    const told = [heard, late.result, refused, stand.counters(), await cache.explain({ id: secret })];
    const texts = told.map((one) => `${String(one)} ${JSON.stringify(one)} ${one instanceof Error ? one.stack : ""}`);
    expect(texts.join()).not.toContain(secret);
  });
});
