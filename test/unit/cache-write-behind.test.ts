import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
import type { Scope } from "../../src/cache/key.ts";
import { newestWriteJournal } from "../../src/contract/newest-writes.ts";
import type { WriteJournal } from "../../src/contract/write-journal.ts";
import { createReprise } from "../../src/reprise.ts";
import { memoryLedger } from "../../src/stores/memory/ledger.ts";
import { manualClock } from "../../src/testing/clock.ts";
import { cacheStand, type StandOptions, settle, watch } from "./cache-stand.ts";

/** How a cache and its queue of writes work together; what the queue promises is tested with the queue. */

const a = { id: "a" };
interface Sent {
  readonly scope: Scope;
  readonly value: unknown;
  readonly version: number;
}

function behindStand(options: StandOptions = {}, declaration: Partial<CacheDeclaration> = {}) {
  const stand = cacheStand(options);
  const sent: Sent[] = [];
  const cache = stand.caches.writeBehind({
    name: "behind",
    scope: ["id"],
    freshFor: "60s",
    load: stand.load,
    ifLost: { accept: "10s" },
    writeMany: async (writes) => {
      for (const write of writes as readonly Sent[]) {
        sent.push(write);
        stand.source.set(write.scope["id"], write.value as string);
      }
    },
    ...declaration,
  });
  return { ...stand, cache, sent };
}

describe("a write-behind write", () => {
  test("is seen by every read at once, and reaches the source later", async () => {
    const stand = behindStand();
    stand.caches.start();
    await stand.cache.put(a, "old");
    await stand.cache.write(a, "new");
    expect(await stand.cache.get(a)).toBe("new");
    expect(stand.sent).toEqual([]);
    expect(stand.caches.list()[0]?.pendingWrites()).toBe(1);
    await stand.clock.advance(10_000);
    expect(stand.sent).toEqual([{ scope: a, value: "new", version: expect.any(Number) as number }]);
    expect(stand.caches.list()[0]?.pendingWrites()).toBe(0);
    expect(stand.counters()).toMatchObject({ written: 1, put: 1 });
    expect(stand.loads).toHaveLength(0);
  });

  test("where memory forgot it, a load takes it from the queue and does not ask the source", async () => {
    const stand = behindStand();
    stand.caches.start();
    await stand.cache.write(a, "new");
    await stand.cache.purge(a);
    expect(await stand.cache.get(a)).toBe("new");
    expect(stand.loads).toHaveLength(0);
    await stand.clock.advance(10_000);
    await stand.cache.purge(a);
    const read = stand.cache.get(a);
    await settle();
    stand.held(0).answer();
    expect(await read).toBe("new");
  });

  test("a load that asked the queue before it, and the source after, is not stored", async () => {
    const stand = behindStand();
    stand.caches.start();
    const before = stand.cache.get(a);
    await settle();
    expect(stand.loads).toHaveLength(1);
    await stand.cache.write(a, "new");
    stand.held(0).answer();
    expect(await before).toBe("first");
    expect(await stand.cache.get(a)).toBe("new");
  });

  test("a load takes its permission before it asks the journal: a write between the two keeps it out", async () => {
    let release = () => {};
    const inner = newestWriteJournal(
      () => 0,
      async (_, work) => work(),
    );
    const journal: WriteJournal = {
      ...inner,
      pending: async (queue, key) => {
        const found = await inner.pending(queue, key);
        await new Promise<void>((resolve) => {
          release = resolve;
        });
        return found;
      },
    };
    const stand = behindStand({ journal: async () => journal }, { ifLost: "never" });
    const before = stand.cache.get(a);
    await settle();
    const write = stand.cache.write(a, "new");
    await settle();
    await stand.clock.advance(0);
    await write;
    release();
    await settle();
    stand.held(0).answer();
    expect(await before).toBe("first");
    expect(await stand.cache.get(a)).toBe("new");
  });

  test("that the journal did not take rejects, and no read sees it", async () => {
    const away = new Error("away");
    const inner = newestWriteJournal(
      () => 0,
      async (_, work) => work(),
    );
    const journal: WriteJournal = { ...inner, append: () => Promise.reject(away) };
    const stand = behindStand({ journal: async () => journal }, { ifLost: "never" });
    const seen = watch(stand.cache.write(a, "new"));
    await stand.clock.advance(1_000);
    expect(seen).toMatchObject({ state: "rejected", result: away });
    expect(await stand.cache.peek(a)).toBeUndefined();
    expect(stand.counters().written).toBe(0);
  });

  test("is of the scope it was called with, also if the caller's object names another one meanwhile", async () => {
    const stand = behindStand();
    stand.source.set("b", "of b");
    const scope = { id: "a" };
    const written = stand.cache.write(scope, "of a");
    scope.id = "b";
    await written;
    expect(await stand.cache.peek({ id: "b" })).toBeUndefined();
    expect((await stand.cache.peek(a))?.value).toBe("of a");
  });

  test("of what no cache may hold is refused before it is journalled", async () => {
    const stand = behindStand({ policies: { secrets: "refuse", freeze: false } });
    await expect(stand.cache.write(a, { card: "4242424242424242" })).rejects.toMatchObject({
      code: "REPRISE_SECRET_FOUND",
    });
    expect(stand.caches.list()[0]?.pendingWrites()).toBe(0);
  });

  test("without a ledger and without an accepted loss is refused where it is declared, with what to do", () => {
    const refused = {
      code: "REPRISE_BAD_DECLARATION",
      message: expect.stringMatching(/Cache 'behind', ifLost: there is no ledger\. Give createReprise/) as string,
    };
    expect(() => behindStand({}, { ifLost: "never" })).toThrow(expect.objectContaining(refused) as Error);
  });

  test("that may not be lost is refused at start by a ledger without a journal of writes", async () => {
    const clock = manualClock();
    const ledger = { ...memoryLedger({ clock }), writes: undefined };
    const reprise = createReprise({ service: "s", undecided: "listed", ledger, clock });
    reprise.cache.writeBehind({
      ...{ name: "behind", scope: ["id"], freshFor: "60s", ifLost: "never" },
      load: async () => 1,
      writeMany: async () => {},
    });
    await expect(reprise.start()).rejects.toMatchObject({
      code: "REPRISE_BAD_DECLARATION",
      message: expect.stringMatching(/ledger 'memory' keeps no journal of writes/) as string,
    });
    await reprise.close();
  });

  test("that died is not served on, and one that is sent once more is served from then on", async () => {
    const clock = manualClock();
    const source = new Map([["a", "old"]]);
    let up = false;
    const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
    const cache = reprise.cache.writeBehind({
      ...{ name: "behind", scope: ["id"], freshFor: "10d", ifLost: "never" },
      load: async ({ id }: { readonly id: string }) => source.get(id),
      writeMany: async (writes) => {
        if (!up && writes.some(({ scope }) => scope.id === "a")) throw new Error("refused");
        for (const { scope, value } of writes) source.set(scope.id, value as string);
      },
    });
    await cache.write(a, "new");
    expect(await cache.get(a)).toBe("new");
    // others arrive meanwhile: it fails by its own fault
    while ((await cache.dead()).length === 0) {
      await cache.write({ id: "b" }, "other");
      await clock.advance(30_000);
    }
    expect(await cache.get(a)).toBe("old");
    up = true;
    expect(await cache.requeue((await cache.dead())[0]?.id ?? "")).toBe(true);
    expect(await cache.get(a)).toBe("new");
    for (let second = 0; second < 10; second += 1) await clock.advance(1_000);
    await cache.flush();
    expect([source.get("a"), await cache.get(a)]).toEqual(["new", "new"]);
    expect(await cache.requeue("17")).toBe(false);
    await reprise.close();
  });

  test("is found by a bulk load too, which asks the source for the others alone", async () => {
    const asked: unknown[] = [];
    const stand = behindStand(
      {},
      {
        loadMany: async (scopes) => {
          asked.push(...scopes);
          return scopes.map(() => "source");
        },
      },
    );
    await stand.cache.write(a, "new");
    await stand.cache.purge(a);
    expect(await stand.cache.getMany([{ id: "b" }, a, { id: "c" }])).toEqual(["source", "new", "source"]);
    expect(asked).toEqual([{ id: "b" }, { id: "c" }]);
  });

  test("of a cache that is declared again, as a development server does, is sent all the same, and close waits", async () => {
    vi.stubEnv("NODE_ENV", "development");
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const stand = behindStand();
    stand.caches.start();
    await stand.cache.write(a, "new");
    stand.caches.writeBehind({
      ...{ name: "behind", scope: ["id"], freshFor: "60s", load: stand.load, ifLost: { accept: "10s" } },
      writeMany: async () => {},
    });
    const closed = watch(stand.caches.close({ drainMs: 10_000 }));
    await stand.clock.advance(0);
    expect(closed.state).toBe("resolved");
    expect(stand.sent.map(({ value }) => value)).toEqual(["new"]);
  });

  test("flush brings it to the source, and close does", async () => {
    for (const end of ["flush", "close"] as const) {
      const stand = behindStand();
      stand.caches.start();
      await stand.cache.write(a, "new");
      const ended = watch(end === "flush" ? stand.cache.flush() : stand.caches.close({ drainMs: 10_000 }));
      await stand.clock.advance(0);
      expect(ended.state).toBe("resolved");
      expect(stand.sent.map(({ value }) => value)).toEqual(["new"]);
    }
  });

  test("close of an instance brings it from its ledger's journal to the source", async () => {
    const sent: unknown[] = [];
    const clock = manualClock();
    const reprise = createReprise({ service: "close", undecided: "listed", ledger: memoryLedger({ clock }), clock });
    const cache = reprise.cache.writeBehind({
      name: "behind",
      scope: ["id"],
      freshFor: "60s",
      load: async () => "old",
      ifLost: "never",
      writeMany: async (writes) => {
        sent.push(...writes.map(({ value }) => value));
      },
    });
    await cache.write(a, "new");
    const closed = watch(reprise.close());
    await clock.advance(100);
    await settle();
    expect(sent).toEqual(["new"]);
    expect(closed.state).toBe("resolved");
    await expect(cache.write(a, "late")).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
    await expect(cache.dead()).rejects.toMatchObject({ code: "REPRISE_CLOSED" });
  });
});
