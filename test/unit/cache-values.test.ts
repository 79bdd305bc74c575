import { inspect } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import { loaded } from "../../src/cache/loader.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };
interface Seats {
  left: number;
  rows: { free: boolean }[];
}
const seats = (): Seats => ({ left: 3, rows: [{ free: true }] });

afterEach(() => {
  vi.restoreAllMocks();
});

describe("values are never shared mutably", () => {
  test("clone: each read gets a copy of its own, which it may change, the first reader's too", async () => {
    const stand = cacheStand({ policies: { secrets: "off", freeze: true } });
    const cache = stand.readThrough({ clone: true, staleFor: "60s" });
    const change = (value: unknown) => {
      (value as Seats).left = 0;
      (value as Seats).rows.length = 0;
    };
    const reads = [cache.get(a), cache.get(a)];
    stand.held(0).answerWith(seats());
    for (const read of await Promise.all(reads)) {
      expect(read).toEqual(seats());
      change(read);
    }
    const found = [
      await cache.get(a),
      (await cache.getEntry(a)).value,
      (await cache.peek(a))?.value,
      ...(await cache.getMany([a, a])),
      ...(await cache.getManySettled([a])).map((one) => (one.status === "ok" ? one.value : undefined)),
    ];
    for (const value of found) {
      expect(value).toEqual(seats());
      change(value);
    }
    expect(new Set(found).size).toBe(found.length);
    expect(await cache.get(a)).toEqual(seats());
  });

  test("clone: the reads of a cache-aside cache as well", async () => {
    const stand = cacheStand();
    const cache = stand.cacheAside({ clone: true });
    const read = cache.get(a, stand.load as never);
    stand.held(0).answerWith(seats());
    ((await read) as Seats).left = 0;
    const found = await cache.lookup(a);
    expect(found.hit && found.value).toEqual(seats());
    if (found.hit) (found.value as Seats).left = 0;
    expect(await cache.get(a, stand.load as never)).toEqual(seats());
  });

  test("clone: what a caller puts or writes, and a loader returns, may change afterwards and changes nothing here", async () => {
    for (const freeze of [true, false]) {
      const stand = cacheStand({ policies: { secrets: "off", freeze } });
      const cache = stand.writeThrough({ clone: true });
      const given = [seats(), seats(), seats()] as const;
      await cache.put({ id: "put" }, loaded(given[0], { tags: ["t"] }));
      const write = cache.write({ id: "written" }, given[1]);
      await settle();
      given[1].left = 1;
      expect(stand.written(0).value).toEqual(seats());
      stand.written(0).arrive();
      const read = cache.get({ id: "loaded" });
      stand.held(0).answerWith(given[2]);
      await Promise.all([write, read]);
      for (const value of given) {
        value.left = 0;
        value.rows.length = 0;
      }
      for (const id of ["put", "written", "loaded"]) expect(await cache.get({ id })).toEqual(seats());
    }
  });

  test("clone: a value that cannot be copied is refused by the cache's name, never told, and not kept", async () => {
    const stand = cacheStand();
    const refused = { code: "REPRISE_NOT_CLONEABLE", details: { cache: "workshop" } };
    const cache = stand.writeThrough({ clone: true });
    const values = [
      { secret: () => "hunter2" },
      { hunter2: Symbol("hunter2") },
      new WeakMap(),
      { later: Promise.resolve("hunter2") },
    ];
    for (const [id, value] of values.entries()) {
      const read = cache.get({ id });
      stand.held(id).answerWith(value);
      const error: unknown = await read.catch((reason: unknown) => reason);
      expect(error).toMatchObject(refused);
      expect(inspect(error, { depth: null })).not.toContain("hunter2");
      await expect(cache.put({ id }, value)).rejects.toMatchObject(refused);
      await expect(cache.write({ id }, value)).rejects.toMatchObject(refused);
      expect(await cache.peek({ id })).toBeUndefined();
    }
    expect(stand.writes).toHaveLength(0);
    const aside = stand.cacheAside({ name: "aside", clone: true });
    const miss = await aside.lookup(a);
    await expect(miss.hit ? undefined : miss.store(() => 1)).rejects.toMatchObject({ code: "REPRISE_NOT_CLONEABLE" });
  });

  test("clone: with secrets refused and values frozen, each copy of a map, a set or a date may be changed", async () => {
    const stand = cacheStand({ policies: { secrets: "refuse", freeze: true } });
    const cache = stand.readThrough({ clone: true });
    const value = () => ({ byId: new Map([["a", { n: 1 }]]), tags: new Set(["t"]), at: new Date(0) });
    await cache.put(a, value());
    for (let reads = 0; reads < 2; reads += 1) {
      const read = (await cache.get(a)) as ReturnType<typeof value>;
      expect(read).toEqual(value());
      read.byId.clear();
      read.tags.add("u");
      read.at.setTime(1);
    }
  });

  test("without it all share one value, frozen where the policy says so: who changes it is told at once", async () => {
    const stand = cacheStand({ policies: { secrets: "off", freeze: true } });
    const cache = stand.readThrough();
    const read = cache.get(a);
    stand.held(0).answerWith(loaded(seats(), {}));
    const value = (await read) as Seats;
    expect(await cache.get(a)).toBe(value);
    expect(() => {
      value.left = 0;
    }).toThrow(TypeError);
    expect(() => value.rows.push({ free: false })).toThrow(TypeError);
    await cache.put({ id: "map" }, new Map([["a", { at: new Date(0) }]]));
    const map = (await cache.get({ id: "map" })) as Map<string, { at: Date }>;
    expect(() => map.delete("a")).toThrow(TypeError);
    expect(() => map.get("a")?.at.setTime(1)).toThrow(TypeError);
    await cache.put({ id: "b" }, seats());
    const put = (await cache.get({ id: "b" })) as Seats;
    expect(Object.isFrozen(put.rows[0])).toBe(true);
  });

  test("in production nothing is frozen: it would cost each load a walk through its value", async () => {
    const stand = cacheStand({ policies: { secrets: "off", freeze: false } });
    const cache = stand.cacheAside();
    const value = seats();
    await cache.put(a, value);
    expect((await cache.peek(a))?.value).toBe(value);
    expect(Object.isFrozen(value)).toBe(false);
  });
});

describe("a cache that keeps nothing", () => {
  test("asks the source for each read, and still shares one load among those who wait", async () => {
    const stand = cacheStand({ keeps: false });
    const cache = stand.readThrough({ staleFor: "1h" });
    const reads = [cache.get(a), cache.get(a), cache.get(a)];
    expect(stand.loads).toHaveLength(1);
    stand.held(0).answer();
    expect(await Promise.all(reads)).toEqual(["first", "first", "first"]);
    stand.source.set("a", "second");
    const again = cache.get(a);
    expect(stand.loads).toHaveLength(2);
    stand.held(1).answer();
    expect(await again).toBe("second");
    expect(await cache.peek(a)).toBeUndefined();
    expect(stand.counters()).toMatchObject({ source: 2, shared: 2, memory: 0, stale: 0 });
    expect(stand.caches.memory.entries()).toBe(0);
  });

  test("takes no put, no store and no write, and says of each what it says elsewhere", async () => {
    const stand = cacheStand({ keeps: false });
    const cache = stand.writeThrough();
    await cache.put(a, "put");
    expect(await cache.peek(a)).toBeUndefined();
    const write = cache.write(a, "written");
    await settle();
    stand.written(0).arrive();
    await write;
    const read = cache.get(a);
    stand.held(0).answer();
    expect(await read).toBe("written");
    const aside = stand.cacheAside({ name: "aside" });
    const found = await aside.lookup(a);
    await (found.hit ? undefined : found.store("stored"));
    expect((await aside.lookup(a)).hit).toBe(false);
    await cache.purge(a);
    await cache.expireTag("brand");
  });

  test("a failing load backs off all the same", async () => {
    const stand = cacheStand({ keeps: false });
    const cache = stand.readThrough();
    const failing = cache.get(a);
    stand.held(0).fail(new Error("away"));
    await expect(failing).rejects.toThrow("away");
    await expect(cache.get(a)).rejects.toThrow("away");
    expect(stand.loads).toHaveLength(1);
  });
});

describe("what no cache may hold", () => {
  const card = "4242424242424242";
  const value = { order: 7, payments: [{ method: "card", number: card }] };
  const found = {
    code: "REPRISE_SECRET_FOUND",
    details: { cache: "workshop", path: expect.stringContaining("number") as string },
  };

  test("refuse: the read is rejected with the path, never the value, and nothing is stored", async () => {
    const stand = cacheStand({ policies: { secrets: "refuse", freeze: false } });
    const heard = stand.hear("cache.secret");
    const cache = stand.writeThrough();
    const read = cache.get(a);
    stand.held(0).answerWith(value);
    const error: unknown = await read.catch((reason: unknown) => reason);
    expect(error).toMatchObject(found);
    await expect(cache.put({ id: "b" }, value)).rejects.toMatchObject(found);
    await expect(cache.put({ id: "b" }, loaded(value, {}))).rejects.toMatchObject(found);
    await expect(cache.write({ id: "b" }, value)).rejects.toMatchObject(found);
    expect(stand.writes).toHaveLength(0);
    const aside = stand.cacheAside({ name: "aside" });
    const miss = await aside.lookup(a);
    await expect(miss.hit ? undefined : miss.store(value)).rejects.toMatchObject({ code: "REPRISE_SECRET_FOUND" });
    expect([await cache.peek(a), await cache.peek({ id: "b" }), await aside.peek(a)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const told = JSON.stringify([error, (error as Error).message, (error as Error).stack, heard]);
    expect(told).not.toContain(card);
    expect(heard[0]).toMatchObject({ cache: "workshop", refused: true });
  });

  test("warn: it is stored and told once for its path, by event and warning, never by value", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const stand = cacheStand({ policies: { secrets: "warn", freeze: false } });
    const heard = stand.hear("cache.secret");
    const cache = stand.readThrough({ name: "warned" });
    for (const place of [0, 1, 2]) {
      const read = cache.get({ id: place });
      stand.held(place).answerWith(value);
      expect(await read).toEqual(value);
    }
    expect(await cache.peek({ id: 0 })).toMatchObject({ value });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(heard).toHaveLength(3);
    expect(heard[0]).toMatchObject({ cache: "warned", refused: false });
    expect(JSON.stringify([warn.mock.calls, heard])).not.toContain(card);
  });

  test("off: nobody looks", async () => {
    const stand = cacheStand({ policies: { secrets: "off", freeze: false } });
    const heard = stand.hear("cache.secret");
    const cache = stand.cacheAside();
    await cache.put(a, value);
    expect(await cache.peek(a)).toMatchObject({ value });
    expect(heard).toEqual([]);
  });
});

describe("a loader that reads an ambient dimension which is not in its scope", () => {
  const dimensions = { tenant: "shared", user: "personal" } as const;
  const leaks = { code: "REPRISE_SCOPE_LEAK", details: { cache: "workshop", dimension: "user" } };

  test("makes the read fail, and nothing is stored: others would get what was made for one", async () => {
    const stand = cacheStand({ dimensions });
    const { ambient } = stand.caches;
    let loads = 0;
    const cache = stand.readThrough({
      scope: ["id", "tenant"],
      sameForEvery: ["user"],
      load: async () => {
        loads += 1;
        return `for ${ambient.get("user")}`;
      },
    });
    const scope = { id: "a", tenant: "t1" };
    await ambient.run({ user: "alice" }, () => expect(cache.get(scope)).rejects.toMatchObject(leaks));
    await ambient.run({ user: "bob" }, () => expect(cache.get(scope)).rejects.toMatchObject(leaks));
    expect(await cache.peek(scope)).toBeUndefined();
    expect(loads).toBe(1);
    expect(stand.counters()).toMatchObject({ failed: 2, loadsFailed: 1 });
  });

  test("fails it even where the loader swallows what it was told", async () => {
    const stand = cacheStand({ dimensions });
    const { ambient } = stand.caches;
    const cache = stand.readThrough({
      sameForEvery: ["user", "tenant"],
      load: async () => {
        await settle();
        try {
          return ambient.get("user");
        } catch {
          return "anonymous";
        }
      },
    });
    await ambient.run({ user: "alice" }, () => expect(cache.get(a)).rejects.toMatchObject(leaks));
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("a dimension of its scope is the scope's own value, whoever asks", async () => {
    const stand = cacheStand({ dimensions });
    const { ambient } = stand.caches;
    const cache = stand.readThrough({
      scope: ["id", "user"],
      sameForEvery: ["tenant"],
      load: async () => `for ${ambient.get("user")}`,
    });
    const read = () => cache.get({ id: "a", user: "bob" });
    expect(await ambient.run({ user: "alice", tenant: "t" }, read)).toBe("for bob");
  });

  test("a bulk loader that reads any dimension fails all its scopes: it loads for several at once", async () => {
    const stand = cacheStand({ dimensions });
    const { ambient } = stand.caches;
    const cache = stand.readThrough({
      sameForEvery: ["user", "tenant"],
      loadMany: async (scopes) => {
        ambient.get("user");
        return scopes.map(() => "value");
      },
    });
    const settled = await ambient.run({ user: "alice" }, () => cache.getManySettled([a, { id: "b" }]));
    for (const one of settled) expect(one).toMatchObject({ status: "failed", error: leaks });
    expect(await cache.peek(a)).toBeUndefined();
  });

  test("behind a stale value it is not stored either", async () => {
    const stand = cacheStand({ dimensions });
    const { ambient } = stand.caches;
    const cache = stand.readThrough({
      sameForEvery: ["user", "tenant"],
      staleFor: "1h",
      load: async () => ambient.get("user"),
    });
    await cache.put(a, "old");
    await stand.clock.advance(60_000);
    await ambient.run({ user: "alice" }, () => cache.get(a));
    await settle();
    expect(await cache.peek(a)).toMatchObject({ value: "old", state: "stale" });
    expect(stand.counters().loadsFailed).toBe(1);
  });
});
