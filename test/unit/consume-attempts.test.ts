import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Attempts, decodeTried, encodeTried, type Tried } from "../../src/consume/attempts.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";

const golden = JSON.parse(readFileSync(new URL("../golden/consume/v1.json", import.meta.url), "utf8")) as readonly {
  readonly name: string;
  readonly tried: Tried;
  readonly kept: string;
}[];

describe("what is kept of a message's attempts", () => {
  test.each(golden)("is written and read as ever: $name", ({ tried, kept }) => {
    expect(encodeTried(tried)).toBe(kept);
    expect(decodeTried(kept)).toEqual(tried);
  });

  test("is nothing known where a newer version wrote it", () => {
    expect(decodeTried('{"form":2,"attempts":3}')).toBeNull();
  });

  test("belongs to one consumer, and to all messages of the same content", async () => {
    const clock = manualClock();
    const ledger = memoryLedger({ clock });
    await ledger.open();
    if (ledger.registers === undefined) throw new Error("it keeps none");
    const [one, other] = ["a/", "b/"].map((prefix) => new Attempts(ledger.registers as never, clock, prefix));
    const tried = { attempts: 1, atWork: false };
    await one?.of({ reference: "A", seat: 1 }).write(tried);
    expect(await one?.of({ seat: 1, reference: "A" }).read()).toEqual(tried);
    expect(await one?.of({ reference: "B", seat: 1 }).read()).toBeNull();
    expect(await other?.of({ reference: "A", seat: 1 }).read()).toBeNull();
    await ledger.close();
  });

  test("is gone once it ended: another of the same content begins anew", async () => {
    const clock = manualClock();
    const ledger = memoryLedger({ clock });
    await ledger.open();
    const message = new Attempts(ledger.registers as never, clock, "a/").of({ reference: "A" });
    await message.forget();
    await message.write({ attempts: 1, atWork: false });
    await message.forget();
    expect(await message.read()).toBeNull();
    expect(await ledger.registers?.list({ prefix: "", after: null, limit: 1 })).toEqual([]);
    await ledger.close();
  });

  test("is swept now and then, when nobody has counted it for a month", async () => {
    const clock = manualClock();
    const ledger = memoryLedger({ clock });
    await ledger.open();
    if (ledger.registers === undefined) throw new Error("it keeps none");
    const attempts = new Attempts(ledger.registers as never, clock, "a/");
    const message = attempts.of({ reference: "A" });
    await message.write({ attempts: 1, atWork: false });
    attempts.sweep();
    await clock.advance(31 * 86_400_000);
    expect(await message.read()).not.toBeNull();
    attempts.sweep();
    await clock.advance(1);
    expect(await message.read()).toBeNull();
    await ledger.close();
  });
});
