import { describe, expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";

const answers = {
  ...({ ifRunsAgain: "replays", costIfTwice: "money", principal: "everyone", retention: "1d" } as const),
  effects: "external",
} as const;

function stand() {
  const clock = manualClock();
  const faulty = faultyLedger(memoryLedger({ clock }));
  const reprise = createReprise({ service: "shop", owner: "team", ledger: faulty.ledger, clock });
  return { clock, faulty, reprise };
}

describe("what a run pins", () => {
  test("is the same in every attempt, though it would be another each time", async () => {
    const { reprise } = stand();
    let asked = 0;
    const written: string[] = [];
    const enrich = reprise.operation({
      ...{ ...answers, name: "enrich", input: unchecked<string>() },
      identity: (id) => [id],
      run: async ({ pinned }) => {
        const price = await pinned("price", async (key, signal) => {
          expect([key.length, signal.aborted]).toEqual([48, false]);
          asked += 1;
          return asked;
        });
        const drawn = await pinned("drawn", () => Math.random());
        const at = await pinned("at", new Date(written.length));
        written.push(JSON.stringify({ price, drawn, at }));
        if (written.length === 1) throw new Error("before the mark");
      },
    });
    await expect(enrich.run("a")).rejects.toThrow("before the mark");
    await enrich.run("a");
    expect(written).toHaveLength(2);
    expect(written[1]).toBe(written[0]);
    expect(asked).toBe(1);
    await reprise.close();
  });

  test("by a call without an answer is unknown, and is not asked again", async () => {
    const { reprise } = stand();
    let asked = 0;
    const enrich = reprise.operation({
      ...{ ...answers, name: "enrich", input: unchecked<string>() },
      identity: (id) => [id],
      run: async ({ pinned }) => {
        await pinned("price", async () => {
          asked += 1;
          throw new Error("the line went dead");
        });
      },
    });
    expect(await enrich.execute("a")).toMatchObject({ status: "unknown", effect: "price" });
    expect(await enrich.execute("a")).toMatchObject({ status: "unknown", effect: "price" });
    expect(asked).toBe(1);
    await reprise.close();
  });

  test("by a call that the other side knows by its key is asked again with that key", async () => {
    const { reprise } = stand();
    const keys: string[] = [];
    const enrich = reprise.operation({
      ...{ ...answers, name: "enrich", input: unchecked<string>() },
      identity: (id) => [id],
      run: async ({ pinned }) =>
        pinned(
          "price",
          async (key) => {
            if (keys.push(key) === 1) throw new Error("the line went dead");
            return 7;
          },
          { ifUnknown: "retry" },
        ),
    });
    await expect(enrich.run("a")).rejects.toThrow("dead");
    expect(await enrich.run("a")).toBe(7);
    expect(new Set(keys).size).toBe(1);
    await reprise.close();
  });

  test("as a value at hand is never unknown: a crash before its pin pins the next one's", async () => {
    const { clock, faulty, reprise } = stand();
    const seen: number[] = [];
    let value = 1;
    const enrich = reprise.operation({
      ...{ ...answers, name: "enrich", input: unchecked<string>(), lease: "1s" },
      identity: (id) => [id],
      run: async ({ pinned }) => {
        const mine = value;
        value += 1;
        seen.push(await pinned("now", mine));
      },
    });
    const gate = faulty.block("pin");
    const first = enrich.execute("a").catch((error: unknown) => error);
    await gate.reached;
    // a pause of the process: no timer runs, and the lease is over
    clock.jump(1_500);
    expect(await enrich.execute("a")).toMatchObject({ status: "done" });
    gate.open();
    await clock.advance(1);
    await first;
    // the one that was paused learns what stands, and its own value raises no alarm
    expect(seen).toEqual([2, 2]);
    const counters = reprise["~inside"].operations()[0]?.counters;
    expect(counters?.answeredTwice).toBe(0);
    await reprise.close();
  });
});
