import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createLoadTime, drawEarly } from "../../src/cache/early.ts";
import { cacheStand, settle } from "./cache-stand.ts";

const a = { id: "a" };

/** A generator of its own, so that a failure can be repeated. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** XFetch as its paper has it: each read draws. How long before expiry the first of them begins a load; 0: none did. */
function simulateXFetch(rate: number, scale: number, random: () => number): number {
  // so far out that a read there draws yes once in a hundred million
  let distance = 18 * scale;
  for (;;) {
    distance += Math.log(1 - random()) / rate;
    if (distance <= 0) return 0;
    if (-scale * Math.log(1 - random()) >= distance) return distance;
  }
}

describe("one draw for a value stands for XFetch's draw at each read", () => {
  test("for any rate of reads, load time and beta, the first load begins as far ahead as if each read had drawn", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.002, 0.01, 0.1, 1),
        fc.constantFrom(20, 100, 400),
        fc.constantFrom(0.5, 1, 2),
        fc.nat(),
        (rate, loadMs, beta, seed) => {
          const random = randomOf(seed);
          const draws = 2_000;
          const drawn = Array.from({ length: draws }, () =>
            Math.max(0, drawEarly({ rate, loadMs, beta, uniform: random() })),
          );
          const simulated = Array.from({ length: draws }, () => simulateXFetch(rate, loadMs * beta, random));
          // the largest distance between the two distributions (Kolmogorov and Smirnov), far below chance's 1 in 10,000
          expect(distance(drawn, simulated)).toBeLessThan(2.2 * Math.sqrt(2 / draws));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("the more a value is read and the longer its load takes, the earlier", () => {
    const at = (given: Partial<Parameters<typeof drawEarly>[0]>) =>
      drawEarly({ rate: 0.1, loadMs: 100, beta: 1, uniform: 0.5, ...given });
    expect(at({ rate: 1 })).toBeGreaterThan(at({}));
    expect(at({ loadMs: 200 })).toBeGreaterThan(at({}));
    expect(at({ beta: 2 })).toBeGreaterThan(at({}));
    expect(at({ rate: 0.001 })).toBeLessThan(0);
    for (const nothing of [{ rate: 0 }, { loadMs: 0 }, { beta: 0 }]) expect(at(nothing)).toBe(0);
  });
});

/** Of two samples: the largest difference of the shares that lie below a value. */
function distance(one: readonly number[], two: readonly number[]): number {
  const sorted = [one, two].map((sample) => [...sample].sort((x, y) => x - y)) as [number[], number[]];
  const places = [0, 0];
  let most = 0;
  for (const value of [...one, ...two].sort((x, y) => x - y)) {
    for (const which of [0, 1] as const) {
      while (((sorted[which][places[which] as number] ?? Number.POSITIVE_INFINITY) as number) <= value) {
        places[which] = (places[which] as number) + 1;
      }
    }
    most = Math.max(most, Math.abs((places[0] as number) / one.length - (places[1] as number) / two.length));
  }
  return most;
}

describe("the load time that it is drawn with", () => {
  test("is nothing before the first load, then the mean, recent loads weighing more", () => {
    const time = createLoadTime();
    expect(time.ms()).toBe(0);
    time.observe(100);
    expect(time.ms()).toBe(100);
    for (let load = 0; load < 50; load += 1) time.observe(300);
    expect(time.ms()).toBeGreaterThan(295);
    expect(time.ms()).toBeLessThanOrEqual(300);
  });
});

/** A cache whose loads take a second, with one value that was loaded; `random` is what every draw gives. */
async function earlyStand(declaration = {}, random = 0.5) {
  const stand = cacheStand({ random: () => random });
  const cache = stand.readThrough({ jitter: 0, ...declaration });
  const load = async (place: number) => {
    await stand.clock.advance(1_000);
    stand.held(place).answer();
    await settle();
  };
  void cache.get(a);
  await load(0);
  /** Reads once in so many milliseconds, until the clock says so much. */
  const readUntil = async (until: number, every: number) => {
    while (stand.clock.monotonic() < until) {
      await cache.get(a);
      await stand.clock.advance(every);
    }
  };
  return { ...stand, cache, answer: load, readUntil };
}

describe("a value that is read often is refreshed ahead of its expiry", () => {
  test("one load begins behind a fresh answer, shortly before expiry, and nobody waits", async () => {
    const stand = await earlyStand();
    const refreshes = stand.hear("cache.refresh");
    await stand.readUntil(50_000, 100);
    expect(stand.loads).toHaveLength(1);
    await stand.readUntil(59_900, 100);
    expect(stand.loads).toHaveLength(2);
    expect(stand.counters()).toMatchObject({ early: 1, source: 1, shared: 0, stale: 0, loads: 2 });
    const [refresh] = refreshes;
    // about 1 s * ln(10 reads in it), and no later than that by more than a read
    expect(refresh?.aheadMs).toBeGreaterThan(2_000);
    expect(refresh?.aheadMs).toBeLessThan(3_500);
    expect(refresh).toMatchObject({ cache: "workshop", key: expect.stringMatching(/^[0-9a-f]{8}$/) as string });
    stand.source.set("a", "second");
    stand.held(1).answerWith("second");
    await settle();
    expect(await stand.cache.getEntry(a)).toMatchObject({ value: "second", state: "fresh", origin: "memory" });
  });

  test("how often it is read is seen from the middle of its life on: until then a hit looks at nothing", async () => {
    const stand = await earlyStand();
    await stand.readUntil(29_900, 1_000);
    expect((await stand.cache.explain(a)).entry?.earlyInMs).toBeNull();
    await stand.readUntil(31_100, 1_000);
    const { entry, would } = await stand.cache.explain(a);
    expect(would).toBe("answer-fresh");
    // one read a second, loads of a second: ln(1) - ln(-ln(0.5)) s before the end
    const remaining = 60_000 - stand.clock.monotonic();
    expect(entry?.earlyInMs).toBeGreaterThan(remaining - 700);
    expect(entry?.earlyInMs).toBeLessThan(remaining);
  });

  test("a value that is seldom read is left to expire", async () => {
    const stand = await earlyStand();
    await stand.readUntil(59_000, 20_000);
    expect(stand.loads).toHaveLength(1);
    expect(stand.counters().early).toBe(0);
  });

  test("begins one load alone, however many read meanwhile and whatever comes of it", async () => {
    const stand = await earlyStand();
    await stand.readUntil(58_500, 100);
    expect(stand.loads).toHaveLength(2);
    stand.held(1).fail(new Error("away"));
    await settle();
    await stand.readUntil(59_900, 100);
    expect(stand.loads).toHaveLength(2);
    expect(stand.counters()).toMatchObject({ early: 1, failed: 0 });
    await stand.clock.advance(100);
    const late = stand.cache.get(a);
    stand.held(2).answer();
    expect(await late).toBe("first");
  });

  test("a purge while it runs keeps it out, as any load", async () => {
    const stand = await earlyStand();
    await stand.readUntil(58_500, 100);
    await stand.cache.purge(a);
    stand.held(1).answer();
    await settle();
    expect(await stand.cache.peek(a)).toBeUndefined();
  });

  test("a read that comes long after the middle sees and begins in one, if the time has come", async () => {
    const stand = await earlyStand({}, 0.999_999);
    for (let read = 0; read < 100; read += 1) await stand.cache.get(a);
    await stand.clock.advance(50_000);
    expect(stand.loads).toHaveLength(1);
    await stand.cache.get(a);
    expect(stand.loads).toHaveLength(2);
  });

  test("a greater beta begins earlier", async () => {
    const ahead = async (early: number) => {
      const stand = await earlyStand({ early });
      const refreshes = stand.hear("cache.refresh");
      await stand.readUntil(59_900, 50);
      return refreshes[0]?.aheadMs ?? 0;
    };
    expect(await ahead(3)).toBeGreaterThan(2 * (await ahead(1)));
  });

  for (const [what, declaration] of [
    ["early: never", { early: "never" }],
    ["loads that take no time", {}],
  ] as const) {
    test(`${what}: none begins before it has expired`, async () => {
      const stand = cacheStand({ random: () => 0.5 });
      const cache = stand.readThrough({ jitter: 0, ...declaration });
      void cache.get(a);
      if (what.startsWith("early")) await stand.clock.advance(1_000);
      stand.held(0).answer();
      await settle();
      while (stand.clock.monotonic() < 59_900) {
        await cache.get(a);
        await stand.clock.advance(100);
      }
      expect(stand.loads).toHaveLength(1);
      expect(stand.counters().early).toBe(0);
    });
  }

  test("a value that no loader can bring again is never refreshed: what was put, and what a lookup stored", async () => {
    const stand = cacheStand({ random: () => 0.5 });
    const cache = stand.cacheAside({ jitter: 0 });
    const b = { id: "b" };
    await cache.put(a, "put");
    const found = await cache.lookup(b);
    await stand.clock.advance(1_000);
    expect(found.hit ? undefined : await found.store("stored")).toBe(true);
    while (stand.clock.monotonic() < 59_900) {
      for (const scope of [a, b]) expect((await cache.lookup(scope)).hit).toBe(true);
      for (const scope of [a, b]) await cache.get(scope, stand.load as never);
      await stand.clock.advance(100);
    }
    expect(stand.loads).toHaveLength(0);
  });
});
