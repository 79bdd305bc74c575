import { afterEach, describe, expect, test, vi } from "vitest";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
import { createReprise } from "../../src/index.ts";
import { cacheStand, type Declaration } from "./cache-stand.ts";

type Code = "REPRISE_BAD_DECLARATION" | "REPRISE_BAD_DURATION" | "REPRISE_NAME_TWICE";
const refused = (code: Code, text: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(text) as string }) as Error;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a declaration is refused where it is written", () => {
  const cases: readonly (readonly [string, Declaration, Code, RegExp])[] = [
    ["an empty name", { name: "" }, "REPRISE_BAD_DECLARATION", /name is empty/],
    ["an empty scope", { scope: [] }, "REPRISE_BAD_DECLARATION", /'workshop', scope: it names nothing/],
    ["an empty part of a scope", { scope: ["id", ""] }, "REPRISE_BAD_DECLARATION", /scope: it names nothing/],
    ["a part named twice", { scope: ["id", "id"] }, "REPRISE_BAD_DECLARATION", /'id' stands in it twice/],
    ["a life of nothing", { freshFor: "0s" }, "REPRISE_BAD_DURATION", /'workshop', freshFor: '0s'/],
    ["a stale window of nothing", { staleFor: "0s" }, "REPRISE_BAD_DURATION", /staleFor/],
    ["a deadline of nothing", { deadline: { hard: "0ms" } }, "REPRISE_BAD_DURATION", /deadline.hard/],
    ["a jitter of a whole life", { jitter: 1 }, "REPRISE_BAD_DECLARATION", /jitter/],
    ["a jitter below nothing", { jitter: -0.1 }, "REPRISE_BAD_DECLARATION", /jitter/],
    ["a jitter that is no number", { jitter: Number.NaN }, "REPRISE_BAD_DECLARATION", /jitter/],
    ["an owner without a name", { owner: "" }, "REPRISE_BAD_DECLARATION", /owner: it names nobody/],
    ["copies of a kind", { clone: "yes" as never }, "REPRISE_BAD_DECLARATION", /clone: it is neither true nor false/],
    ["a bulk loader that is none", { loadMany: 5 as never }, "REPRISE_BAD_DECLARATION", /loadMany: it is no function/],
    ["changes that are none", { changedBy: 5 as never }, "REPRISE_BAD_DECLARATION", /changedBy: it is no function/],
    ["financial data", { holds: "financial" }, "REPRISE_BAD_DECLARATION", /'financial' data is never cached. Read it/],
    ["refreshes of no key", { refresh: { hottest: 0, every: "9s" } }, "REPRISE_BAD_DECLARATION", /refresh.hottest/],
    [
      "refreshes of half a key",
      { refresh: { hottest: 1.5, every: "9s" } },
      "REPRISE_BAD_DECLARATION",
      /refresh.hottest/,
    ],
    ["refreshes without a pause", { refresh: { hottest: 1, every: "0s" } }, "REPRISE_BAD_DURATION", /refresh.every/],
    [
      "refreshes that come after the shortest life has ended",
      { refresh: { hottest: 1, every: "54s" } },
      "REPRISE_BAD_DECLARATION",
      /refresh.every: .* every 54000 ms/,
    ],
    [
      "a dimension that is in no list",
      { scope: ["id"] },
      "REPRISE_BAD_DECLARATION",
      /'user' is neither in scope nor in sameForEvery/,
    ],
    [
      "a dimension that is in both lists",
      { scope: ["id", "user"], sameForEvery: ["user"] },
      "REPRISE_BAD_DECLARATION",
      /'user' is in scope as well/,
    ],
    [
      "an unknown dimension",
      { sameForEvery: ["user", "language", "weather"] },
      "REPRISE_BAD_DECLARATION",
      /'weather' is no dimension/,
    ],
    [
      "personal data without the person",
      { scope: ["id", "language"], sameForEvery: ["user"], holds: "personal" },
      "REPRISE_BAD_DECLARATION",
      /personal data needs a personal dimension/,
    ],
  ];
  for (const [what, declaration, code, text] of cases) {
    test(what, () => {
      const withDimensions = /dimension|sameForEvery|as well/.test(text.source);
      const stand = cacheStand(withDimensions ? { dimensions: { user: "personal", language: "shared" } } : {});
      expect(() => stand.readThrough(declaration)).toThrow(refused(code, text));
      expect(stand.caches.list()).toEqual([]);
    });
  }

  const stale = { staleFor: "60s" } as const;
  // biome-ignore lint/suspicious/noThenProperty: a word, no function
  const queue = (most: number, then: string): Declaration => ({ ...stale, queue: { most, then: then as "stale" } });
  const measures: readonly (readonly [string, Declaration, Code, RegExp])[] = [
    ["an absence of nothing", { absentFor: "0s" }, "REPRISE_BAD_DURATION", /'workshop', absentFor: '0s'/],
    ["a soft deadline of nothing", { ...stale, deadline: { soft: "0ms" } }, "REPRISE_BAD_DURATION", /deadline.soft/],
    [
      "a soft deadline with nothing stale to serve after it",
      { deadline: { soft: "1s" } },
      "REPRISE_BAD_DECLARATION",
      /'workshop', deadline.soft: there is nothing stale to serve after it. Set staleFor as well./,
    ],
    [
      "a soft deadline that is not before the hard one",
      { ...stale, deadline: { soft: "5s", hard: "5s" } },
      "REPRISE_BAD_DECLARATION",
      /deadline.soft: it is not before the hard one. Make it shorter than 5000 ms./,
    ],
    [
      "a soft deadline that is not before the hard one of the defaults",
      { ...stale, deadline: { soft: "30s" } },
      "REPRISE_BAD_DECLARATION",
      /Make it shorter than 30000 ms./,
    ],
    [
      "a queue of no read",
      queue(0, "reject"),
      "REPRISE_BAD_DECLARATION",
      /'workshop', queue.most: it is no whole number above zero. Say how many reads may wait for loads./,
    ],
    ["a queue of half a read", queue(0.5, "stale"), "REPRISE_BAD_DECLARATION", /queue.most/],
    [
      "a queue that does not say what becomes of a read too many",
      queue(1, "wait"),
      "REPRISE_BAD_DECLARATION",
      /queue.then: it is neither 'stale' nor 'reject'. Say what becomes of a read too many./,
    ],
    [
      "a queue that serves stale what nothing keeps stale",
      { ...queue(1, "stale"), staleFor: undefined },
      "REPRISE_BAD_DECLARATION",
      /queue.then: there is nothing stale to serve. Set staleFor, or reject./,
    ],
    ...[0, -1, 11, Number.NaN, Number.POSITIVE_INFINITY, "always"].map(
      (early) =>
        [
          `an eagerness of ${early}`,
          { early: early as number },
          "REPRISE_BAD_DECLARATION",
          /'workshop', early: it is no number above 0 and up to 10. 1 is proven optimal; "never" switches it off./,
        ] as const,
    ),
    [
      "a class of protection that there is not",
      { protect: "low" as "high" },
      "REPRISE_BAD_DECLARATION",
      /'workshop', protect: 'low' is no class. 'high' is the one there is beside the ordinary one./,
    ],
    [
      "a source that is not declared",
      { source: "db" },
      "REPRISE_BAD_DECLARATION",
      /Cache 'workshop', source: there is no source 'db'. Declare it in createReprise: sources:/,
    ],
    [
      "what a cache of one pattern holds that no cache may hold",
      { holds: "secret" },
      "REPRISE_BAD_DECLARATION",
      /'workshop', holds: 'secret' data is never cached. Read it from the source./,
    ],
  ];
  for (const [what, declaration, code, text] of measures) {
    test(what, () => {
      for (const pattern of ["readThrough", "cacheAside", "writeThrough"] as const) {
        const stand = cacheStand();
        expect(() => stand[pattern](declaration)).toThrow(refused(code, text));
        expect(stand.caches.list()).toEqual([]);
      }
    });
  }

  test("a source that lets no load begin", () => {
    for (const loadsAtOnce of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => cacheStand({ sources: { db: { loadsAtOnce } } })).toThrow(
        refused(
          "REPRISE_BAD_DECLARATION",
          /sources.db.loadsAtOnce: it is no whole number above zero. Say how many loads/,
        ),
      );
    }
  });

  test("a write-through cache without a loader or a writer", () => {
    const { caches, load } = cacheStand();
    const bare = { name: "bare", scope: ["id"], freshFor: "60s" } as const;
    expect(() => caches.writeThrough({ ...bare, write: async () => {} })).toThrow(
      refused("REPRISE_BAD_DECLARATION", /'bare', load: it is no function. Say how a value is read from the source./),
    );
    expect(() => caches.writeThrough({ ...bare, load })).toThrow(
      refused("REPRISE_BAD_DECLARATION", /'bare', write: it is no function. Say how a value is written to the source./),
    );
  });

  test("a write-behind cache without a writer, and one that does not say what a crash may lose", () => {
    const { caches, load } = cacheStand();
    const bare = { name: "bare", scope: ["id"], freshFor: "60s", load } as const;
    expect(() => caches.writeBehind({ ...bare, ifLost: "never" })).toThrow(
      refused("REPRISE_BAD_DECLARATION", /'bare', writeMany: it is no function. Say how values are written/),
    );
    const writeMany = async () => {};
    for (const ifLost of [undefined, "sometimes", {}, null, 5]) {
      expect(() => caches.writeBehind({ ...bare, writeMany, ifLost: ifLost as never })).toThrow(
        refused(
          "REPRISE_BAD_DECLARATION",
          /'bare', ifLost: it is not said what a crash may lose. Say "never", or { accept: "5s" }./,
        ),
      );
    }
    expect(() => caches.writeBehind({ ...bare, writeMany, ifLost: { accept: "0s" } })).toThrow(
      refused("REPRISE_BAD_DURATION", /'bare', ifLost.accept: '0s'/),
    );
    expect(caches.list()).toEqual([]);
  });

  test("a memory without a bound: no entries, no bytes, and a size that is none", () => {
    for (const maxBytes of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => cacheStand({ maxBytes })).toThrow(refused("REPRISE_BAD_DECLARATION", /memory/));
    }
    expect(() => cacheStand({ maxEntries: 0 })).toThrow(
      refused("REPRISE_BAD_DECLARATION", /memory.maxEntries: it is no whole number above zero./),
    );
    const memory = { maxBytes: "64 megabytes" as "64mb", eviction: "lru" } as const;
    expect(() => createReprise({ service: "shop", memory })).toThrow(
      expect.objectContaining({
        code: "REPRISE_BAD_SIZE",
        message: expect.stringContaining("memory.maxBytes") as string,
      }),
    );
  });

  test("a read-through cache without a loader, and a cache-aside one with a plan that needs one", () => {
    const { caches } = cacheStand();
    const bare: Omit<CacheDeclaration, "pattern"> = { name: "bare", scope: ["id"], freshFor: "60s" };
    expect(() => caches.readThrough(bare)).toThrow(refused("REPRISE_BAD_DECLARATION", /load: it is no function/));
    expect(() => caches.cacheAside({ ...bare, refresh: { hottest: 1, every: "9s" } })).toThrow(
      refused("REPRISE_BAD_DECLARATION", /no loader to refresh with/),
    );
  });

  test("what decides about every dimension is taken", () => {
    const stand = cacheStand({ dimensions: { user: "personal", language: "shared" } });
    stand.readThrough({ scope: ["id", "user"], sameForEvery: ["language"], holds: "personal" });
    stand.readThrough({ name: "other", sameForEvery: ["user", "language"], holds: "public" });
    expect(stand.caches.list()).toHaveLength(2);
  });
});

describe("a name is declared once", () => {
  test("the second declaration of a name is refused", () => {
    const stand = cacheStand();
    stand.readThrough();
    expect(() => stand.cacheAside()).toThrow(refused("REPRISE_NAME_TWICE", /cache named 'workshop'/));
  });

  test("in development the later one replaces the earlier, with its values and refreshes", async () => {
    vi.stubEnv("NODE_ENV", "development");
    const stand = cacheStand();
    stand.caches.start();
    const earlier = stand.readThrough({ refresh: { hottest: 1, every: "30s" } });
    await earlier.put({ id: "a" }, "old");
    await earlier.get({ id: "a" });
    const later = stand.readThrough({ freshFor: "10s" });
    expect(stand.caches.memory.entries()).toBe(0);
    expect(await later.peek({ id: "a" })).toBeUndefined();
    expect(stand.caches.list().map(({ declaration }) => declaration.freshFor)).toEqual(["10s"]);
    // the look for expired entries alone
    expect(stand.clock.pending()).toBe(1);
  });
});
