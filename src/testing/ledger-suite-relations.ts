import assert from "node:assert/strict";
import type { Ledger } from "../contract/ledger.ts";
import { claimed, completed, done, intentOf, keepMs, type LedgerScenario, pastKeepMs, work } from "./ledger-kit.ts";

const withinMs = 60_000;

/** The identities of what succeeded twice. */
async function twice(ledger: Ledger<unknown>, query: { readonly intent?: string; readonly limit?: number } = {}) {
  const { intent, limit = 10 } = query;
  const asked = { operation: "book", withinMs, limit, ...(intent === undefined ? {} : { intent: intentOf(intent) }) };
  return (await ledger.twice(asked)).map(({ first, second }) => [first.identity, second.identity]);
}

export const relationScenarios: readonly LedgerScenario[] = [
  {
    name: "two successes with one intent under different identities are found, newest first, bounded",
    run: async (stage) => {
      const { ledger } = stage;
      for (const [identity, intent] of [
        ["1", "seat 7 for ann"],
        ["2", "seat 8 for ann"],
        ["3", "seat 7 for ann"],
        ["4", "seat 8 for ann"],
        ["5", "seat 9 for ann"],
      ] as const) {
        await done(ledger, identity, { intent });
        await stage.passTime(10);
      }
      await done(ledger, "6");
      await done(ledger, "7", { intent: "seat 7 for ann", operation: "cancel" });
      assert.deepEqual(await twice(ledger), [
        ["2", "4"],
        ["1", "3"],
      ]);
      assert.deepEqual(await twice(ledger, { limit: 1 }), [["2", "4"]]);
      assert.deepEqual(await twice(ledger, { intent: "seat 7 for ann" }), [["1", "3"]]);
      assert.deepEqual(await twice(ledger, { intent: "seat 9 for ann" }), []);
    },
  },
  {
    name: "a refusal, work that still runs, and a success long before are no second success",
    run: async (stage) => {
      const { ledger } = stage;
      const intent = "seat 7 for ann";
      await done(ledger, "1", { intent });
      await stage.passTime(withinMs + 1);
      await done(ledger, "2", { intent });
      const { fence } = await claimed(ledger, "3", { intent });
      await ledger.complete(fence, { outcome: "sold out", refused: true, keepMs, visited: [] });
      await claimed(ledger, "4", { intent });
      assert.deepEqual(await twice(ledger), []);
    },
  },
  {
    name: "database work that succeeded twice with one intent is found as well",
    needs: ["transactions"],
    run: async ({ ledger }) => {
      const finished = async () => ({ value: 1, outcome: "outcome", refused: false });
      for (const identity of ["1", "2"]) await ledger.atomic(work(identity, { intent: "seat 7" }), finished);
      assert.deepEqual(await twice(ledger), [["1", "2"]]);
      const [found] = await ledger.twice({ operation: "book", withinMs, limit: 10 });
      assert.equal(found?.first.principal, "ann");
      assert.equal(found?.name, work("2").name);
    },
  },
  {
    name: "P12 a child past its keep stays until its parent is done",
    run: async (stage) => {
      const { ledger } = stage;
      const parent = work("parent");
      await claimed(ledger, "parent");
      await done(ledger, "child", { parent: parent.name });
      await done(ledger, "orphan", { parent: work("never there").name });
      await stage.passTime(pastKeepMs);
      await ledger.sweep(10);
      assert.equal((await ledger.find(work("child")))?.is, "done");
      assert.equal(await ledger.find(work("orphan")), null);
      const again = await ledger.claim(work("child", { parent: parent.name }));
      assert.equal(again.is, "done", "a claim that meets it clears it no more than the sweep");
      await completed(ledger, (await claimed(ledger, "parent")).fence);
      await ledger.sweep(10);
      assert.equal(await ledger.find(work("child")), null);
    },
  },
];
