import { afterEach, describe, expect, test, vi } from "vitest";
import type { CacheDeclaration } from "../../src/cache/declaration.ts";
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
    expect(stand.caches.memory().entries).toBe(0);
    expect(await later.peek({ id: "a" })).toBeUndefined();
    expect(stand.caches.list().map(({ declaration }) => declaration.freshFor)).toEqual(["10s"]);
    expect(stand.clock.pending()).toBe(0);
  });
});
