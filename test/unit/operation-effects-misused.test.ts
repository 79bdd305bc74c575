import { expect, test } from "vitest";
import { createReprise, type ExternalRun, unchecked } from "../../src/index.ts";
import { type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { gate, lost } from "../support/bookings.ts";

/** An operation on a memory ledger whose run is given. */
function running(run: (run: ExternalRun<object, Record<never, never>, MemoryTransaction>) => Promise<unknown>) {
  const clock = manualClock();
  const reprise = createReprise({ service: "s", undecided: "listed", ledger: memoryLedger({ clock }), clock });
  const operation = reprise.operation({
    name: "odd",
    input: unchecked<object>(),
    principal: "everyone",
    identity: () => [1],
    retention: "1d",
    effects: "external",
    run: run as (run: ExternalRun<object, Record<never, never>, MemoryTransaction>) => Promise<string>,
  });
  return { operation, clock };
}

test("an effect that nobody awaits and that fails is told once, and kills no process", async () => {
  const unhandled: unknown[] = [];
  const seen = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", seen);
  const failing = gate();
  const { operation } = running(async ({ effect }) => {
    void effect("mail", {
      ifUnknown: "retry",
      run: async () => {
        await failing.passed;
        throw new Error("smtp down");
      },
    });
    setImmediate(failing.open);
  });
  await expect(operation.execute({})).rejects.toMatchObject({ code: "REPRISE_EFFECT_NOT_AWAITED" });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", seen);
  expect(unhandled).toEqual([]);
});

test("a swallowed error parks the work under the name of the effect that is open", async () => {
  const { operation } = running(async ({ effect }) => {
    await effect("mail", { ifUnknown: "retry", run: lost }).catch(() => {});
  });
  expect(await operation.execute({})).toMatchObject({ status: "unknown", effect: "mail" });
});

test("an effect after its run has ended is told so, and does nothing", async () => {
  let calls = 0;
  let late: (() => Promise<unknown>) | undefined;
  const { operation } = running(async ({ effect }) => {
    late = () =>
      effect("late", {
        ifUnknown: "retry",
        run: async () => {
          calls += 1;
        },
      });
  });
  await operation.execute({});
  await expect(late?.()).rejects.toMatchObject({ code: "REPRISE_EFFECT_NOT_AWAITED" });
  expect(calls).toBe(0);
});

test.each([
  ["an empty one", ""],
  ["a lone surrogate", "pay \ud83d"],
  ["a null character", "pay\u0000"],
  ["no text", undefined as unknown as string],
])("an effect's name that a store would not keep is refused: %s", async (_, name) => {
  const { operation } = running(async ({ effect }) => effect(name, { ifUnknown: "retry", run: async () => 1 }));
  await expect(operation.execute({})).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
});
