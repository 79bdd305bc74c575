import { expect, test } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { gate } from "../support/bookings.ts";

type Way = "well" | "throws after" | "effect after" | "returns something else" | "unawaited" | "refuses" | "swallows";

function createOrders() {
  const clock = manualClock();
  const store = memoryLedger({ clock });
  const faulty = faultyLedger(store);
  const { ledger } = faulty;
  const reprise = createReprise({ service: "s", undecided: "listed", ledger, clock });
  let charges = 0;
  const hold = gate();
  const charge = {
    ifUnknown: "retry",
    run: async () => {
      charges += 1;
      return charges;
    },
  } as const;
  const order = reprise.operation({
    name: "order",
    input: unchecked<Way>(),
    principal: "everyone",
    identity: (way) => [way],
    retention: "1d",
    effects: "external",
    refusals: { "sold-out": { status: 409, because: "Nothing is left." } },
    run: async ({ input, effect, transaction, refuse }): Promise<{ readonly charge: number }> => {
      if (input === "swallows") {
        await effect("charge", { ifUnknown: "retry", run: () => Promise.reject(new Error("lost")) }).catch(() => {});
      } else await effect("charge", charge);
      if (input === "unawaited") void effect("mail", { ifUnknown: "retry", run: () => hold.passed.then(() => 1) });
      const told = await transaction(
        async (tx) => {
          tx.set(input, 1);
          if (input === "refuses") throw refuse("sold-out");
          return { charge: charges };
        },
        { last: true },
      );
      if (input === "throws after") throw new Error("after it");
      if (input === "effect after") await effect("mail", charge);
      return input === "returns something else" ? { charge: -1 } : told;
    },
  });
  return { order, faulty, store, hold, charges: () => charges };
}

test("the last transaction completes the operation: no completion by itself, and replays tell what it returned", async () => {
  const { order, faulty, store } = createOrders();
  expect(await order.execute("well")).toMatchObject({ status: "done", replayed: false, value: { charge: 1 } });
  expect(faulty.calls("complete")).toBe(0);
  expect(await order.execute("well")).toMatchObject({ status: "done", replayed: true, value: { charge: 1 } });
  expect(store.rows.get("well")).toBe(1);
});

test("a last transaction whose commit was in doubt is found done, and not run again", async () => {
  const { order, faulty, charges } = createOrders();
  faulty.lose("conclude");
  expect(await order.execute("well")).toMatchObject({ status: "done", value: { charge: 1 } });
  expect(faulty.calls("conclude")).toBe(1);
  expect(charges()).toBe(1);
});

test.each([
  ["throws after", { message: "after it" }],
  ["effect after", { code: "REPRISE_BAD_DECLARATION" }],
  ["returns something else", { code: "REPRISE_BAD_DECLARATION" }],
] as const)(
  "a run that goes on after its last transaction (%s) is told so, and the outcome stays what that returned",
  async (way, error) => {
    const { order, charges } = createOrders();
    await expect(order.execute(way)).rejects.toMatchObject(error);
    expect(await order.execute(way)).toMatchObject({ status: "done", replayed: true, value: { charge: 1 } });
    expect(charges()).toBe(1);
  },
);

test("a last transaction waits for nobody: beside an effect under way it is refused, and nothing is written", async () => {
  const { order, store, hold } = createOrders();
  const running = order.execute("unawaited");
  hold.open();
  await expect(running).rejects.toMatchObject({ code: "REPRISE_EFFECT_NOT_AWAITED" });
  expect(store.rows.size).toBe(0);
});

test("a refusal inside the last transaction undoes what it wrote, and is the outcome", async () => {
  const { order, store } = createOrders();
  expect(await order.execute("refuses")).toMatchObject({ status: "refused", code: "sold-out" });
  expect(store.rows.size).toBe(0);
});

test("P7: over an effect whose answer was swallowed the last transaction writes nothing, and the work is a person's", async () => {
  const { order, store } = createOrders();
  expect(await order.execute("swallows")).toMatchObject({ status: "unknown", effect: "charge" });
  expect(store.rows.size).toBe(0);
});
