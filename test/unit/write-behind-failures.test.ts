import { describe, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import { writeBehindStand } from "./write-behind-stand.ts";

const { attempts, failingMs, gatherMs, most } = defaults.writeBehind;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Writes on another key that arrive, so that whoever fails does so by itself. */
async function passWithTraffic(stand: ReturnType<typeof writeBehindStand>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await stand.write("traffic", passed);
    await stand.clock.advance(1_000);
  }
}

describe("a write that its source refuses", () => {
  test("is found by halving, and the others of its batch arrive in the same round", async () => {
    const stand = writeBehindStand();
    stand.poison(({ value }) => value === "bad");
    await Promise.all(range(64).map((i) => stand.write(`k${i}`, i === 37 ? "bad" : i)));
    stand.queue.start();
    await stand.clock.advance(0);
    expect(stand.source.values.size).toBe(63);
    expect(stand.source.batches.length).toBeLessThanOrEqual(1 + 2 * 6);
    expect(await stand.queue.pending("k37")).toEqual({ value: "bad" });
  });

  test("is dead after so many failures of its own, told with its error's class and without its text", async () => {
    const stand = writeBehindStand();
    stand.poison(({ value }) => value === "bad");
    stand.queue.start();
    await stand.write("a", "bad");
    await passWithTraffic(stand, 300_000);
    const dead = await stand.queue.dead();
    expect(dead).toMatchObject([{ scope: { id: "a" }, attempts, error: "RangeError" }]);
    expect(JSON.stringify(dead)).not.toContain("SECRET");
    expect(await stand.queue.pending("a")).toBeUndefined();
    expect(stand.queue.counters.died).toBe(1);
    await stand.queue.flush();
  });

  test("does not hold up a later write of its key", async () => {
    const stand = writeBehindStand();
    stand.poison(({ value }) => value === "bad");
    stand.queue.start();
    await stand.write("a", "bad");
    await passWithTraffic(stand, 5_000);
    await stand.write("a", "good");
    await passWithTraffic(stand, 60_000);
    expect(stand.source.values.get("a")).toBe("good");
    expect(await stand.queue.dead()).toEqual([]);
  });

  test("once dead can be sent again, or discarded; a newer write has taken its place for ever", async () => {
    const stand = writeBehindStand();
    stand.poison(({ value }) => value === "bad");
    stand.queue.start();
    for (const id of ["a", "b", "c"]) await stand.write(id, "bad");
    await passWithTraffic(stand, 400_000);
    const ids = Object.fromEntries(
      (await stand.queue.dead()).map(({ id, scope }) => [(scope as { id: string }).id, id]),
    ) as Record<"a" | "b" | "c", string>;
    expect(Object.keys(ids).toSorted()).toEqual(["a", "b", "c"]);
    stand.poison(() => false);
    expect(await stand.queue.requeue(ids.a)).toBe(true);
    expect(await stand.queue.discard(ids.b)).toBe(true);
    await stand.write("c", "newer");
    expect(await stand.queue.requeue(ids.c)).toBe(false);
    expect(await stand.queue.requeue("no version")).toBe(false);
    await stand.queue.flush();
    expect(Object.fromEntries(stand.source.values)).toMatchObject({ a: "bad", c: "newer" });
    expect(stand.source.values.has("b")).toBe(false);
  });

  test("alone, with nothing else arriving, is dead after a day", async () => {
    const stand = writeBehindStand();
    stand.poison(() => true);
    stand.queue.start();
    await stand.write("a", "bad");
    await stand.clock.advance(3_600_000);
    expect((await stand.queue.dead()).length).toBe(0);
    // the clock alone: a day of looks is long
    stand.clock.jump(failingMs);
    await stand.clock.advance(120_000);
    expect((await stand.queue.dead()).length).toBe(1);
  });
});

describe("a source that is away", () => {
  test("is asked seldom, however much is pending, and nothing dies of it", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    stand.away(true);
    await Promise.all(range(1_000).map((i) => stand.write(`k${i}`, i)));
    await stand.clock.advance(600_000);
    expect(stand.source.batches.length).toBeLessThan(10 * 300);
    expect(await stand.queue.dead()).toEqual([]);
    expect(stand.queue.pendingCount()).toBe(1_000);
    stand.away(false);
    await stand.clock.advance(60_000);
    expect(stand.source.values.size).toBe(1_000);
    expect(stand.source.outOfOrder).toEqual([]);
  });

  test("is asked again after pauses that grow, and soon after the first failure", async () => {
    const stand = writeBehindStand();
    stand.queue.start();
    stand.away(true);
    await Promise.all([stand.write("a", 1), stand.write("b", 1)]);
    const roundsIn = async (ms: number) => {
      const before = stand.source.batches.length;
      await stand.clock.advance(ms);
      return stand.source.batches.length - before;
    };
    expect(await roundsIn(gatherMs + 500)).toBeGreaterThanOrEqual(3);
    await stand.clock.advance(60_000);
    expect(await roundsIn(10_000)).toBeLessThanOrEqual(10);
  });
});

describe("a call of the source that hangs", () => {
  test("is aborted at its deadline, and what heeds that is sent again", async () => {
    const stand = writeBehindStand({ hardMs: 1_000 });
    stand.queue.start();
    stand.hold(true);
    await stand.write("a", 1);
    await stand.clock.advance(gatherMs + 1_000);
    expect(stand.call(0).signal.reason).toMatchObject({ code: "REPRISE_WRITE_TIMEOUT" });
    stand.call(0).fail(stand.call(0).signal.reason);
    stand.hold(false);
    await stand.clock.advance(5_000);
    expect(stand.source.values.get("a")).toBe(1);
  });

  test("holds its own keys until it ends, since it may still arrive, and no others", async () => {
    const stand = writeBehindStand({ hardMs: 1_000 });
    stand.queue.start();
    stand.hold(true);
    await stand.write("a", "older");
    await stand.clock.advance(gatherMs + 2_001);
    stand.hold(false);
    await stand.write("a", "newer");
    await stand.write("b", 1);
    await stand.clock.advance(60_000);
    expect(stand.source.values.get("b")).toBe(1);
    expect(stand.source.values.has("a")).toBe(false);
    expect(await stand.queue.pending("a")).toEqual({ value: "newer" });
    stand.call(0).arrive();
    await stand.clock.advance(5_000);
    expect(stand.source.values.get("a")).toBe("newer");
    expect(stand.source.outOfOrder).toEqual([]);
  });

  test("holds its keys in this process even if the journal has given them to nobody", async () => {
    const stand = writeBehindStand({ hardMs: 1_000 });
    stand.queue.start();
    stand.hold(true);
    await stand.write("a", "older");
    await stand.clock.advance(gatherMs + 2_001);
    stand.hold(false);
    await stand.write("a", "newer");
    // the lease is over by the store's clock before it could be renewed
    stand.clock.jump(60_000);
    await stand.clock.advance(10_000);
    expect(stand.source.values.has("a")).toBe(false);
    stand.call(0).arrive();
    await stand.clock.advance(10_000);
    expect(stand.source.values.get("a")).toBe("newer");
  });
});

describe("a journal that fails", () => {
  test("for a while in settling costs no second call of the source", async () => {
    const stand = writeBehindStand();
    let failures = 3;
    stand.journal.current = {
      ...stand.inMemory,
      settle: (...args) => (failures-- > 0 ? Promise.reject(new Error("busy")) : stand.inMemory.settle(...args)),
    };
    stand.queue.start();
    await stand.write("a", 1);
    await stand.clock.advance(10_000);
    expect(stand.source.batches).toEqual([["a=1"]]);
    expect(await stand.queue.pending("a")).toBeUndefined();
  });

  test("in looking is looked at again", async () => {
    const stand = writeBehindStand();
    let failures = 3;
    stand.journal.current = {
      ...stand.inMemory,
      standing: (...args) => (failures-- > 0 ? Promise.reject(new Error("away")) : stand.inMemory.standing(...args)),
    };
    stand.queue.start();
    await stand.write("a", 1);
    await stand.clock.advance(10_000);
    expect(stand.source.values.get("a")).toBe(1);
  });
});

test("ten thousand keys may be pending by default", () => {
  expect(most).toBe(10_000);
});
