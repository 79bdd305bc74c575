import { expect, test } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import { insist } from "../../src/base/insist.ts";
import { pause } from "../../src/base/promise.ts";
import { manualClock } from "../../src/testing/index.ts";

const away = () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "postgres", doing: "claim" });

/** A write that fails after `ms` each time. */
function failing(ms: number) {
  const clock = manualClock();
  let calls = 0;
  const write = async (): Promise<never> => {
    calls += 1;
    await pause(clock, ms);
    throw away();
  };
  return { clock, write, calls: () => calls };
}

test("a ledger that fails at once is asked again, a few times", async () => {
  const { clock, write, calls } = failing(1);
  const told = expect(insist(clock, write)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  await clock.advance(60_000);
  await told;
  expect(calls()).toBe(4);
});

test("whoever has nothing to lose is told after one deadline that a silent ledger is away", async () => {
  const { clock, write, calls } = failing(5_000);
  const told = expect(insist(clock, write)).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  await clock.advance(5_000);
  await told;
  expect(calls()).toBe(1);
});

test("what only this process knows is written again all the same", async () => {
  const { clock, write, calls } = failing(5_000);
  const told = expect(insist(clock, write, "while-busy")).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  await clock.advance(60_000);
  await told;
  expect(calls()).toBe(4);
});
