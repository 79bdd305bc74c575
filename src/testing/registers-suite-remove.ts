import assert from "node:assert/strict";
import { pick } from "./ledger-kit.ts";
import type { RegistersScenario } from "./registers-suite.ts";

/** What is removed, by whom, and what begins anew after it. */
export const removeScenarios: readonly RegistersScenario[] = [
  {
    name: "a register is removed at its version only, once, and is neither read nor listed nor swept any more",
    run: async ({ registers, passTime }) => {
      const first = (await registers.replace("a", "1", null)) ?? 0;
      const second = (await registers.replace("a", "2", first)) ?? 0;
      await registers.replace("A", "of another name", null);
      assert.equal(await registers.remove("a", first), false);
      assert.equal(await registers.remove("a", second + 1), false);
      assert.equal((await registers.read("a"))?.value, "2");
      assert.equal(await registers.remove("a", second), true);
      assert.equal(await registers.remove("a", second), false);
      assert.equal(await registers.remove("none", 1), false);
      assert.equal(await registers.read("a"), null);
      assert.deepEqual(await registers.list({ prefix: "a", after: null, limit: 10 }), []);
      await passTime(60_000);
      assert.equal(await registers.sweep("a", 1_000, 10), 0);
      assert.equal((await registers.read("A"))?.value, "of another name");
    },
  },
  {
    name: "what was removed is created anew, and whoever read the one before neither replaces nor removes it",
    run: async ({ registers }) => {
      const before = (await registers.replace("a", "1", null)) ?? 0;
      await registers.remove("a", before);
      assert.equal(await registers.replace("a", "late", before), null);
      const anew = await registers.replace("a", "2", null);
      assert.ok(anew !== null && anew !== before);
      assert.equal(await registers.replace("a", "late", before), null);
      assert.equal(await registers.remove("a", before), false);
      assert.equal((await registers.read("a"))?.version, anew);
    },
  },
  {
    name: "of twenty that remove or replace a version one does (two instances)",
    needs: ["severalInstances"],
    run: async ({ registers, another }) => {
      const stores = [registers, await another()];
      for (const name of ["a", "b", "c"]) {
        const version = (await registers.replace(name, "first", null)) ?? 0;
        const told = await Promise.all(
          Array.from({ length: 20 }, async (_, index) => {
            const store = pick(stores, index);
            if (index % 4 < 2) return store.remove(name, version);
            return (await store.replace(name, `value ${index}`, version)) !== null;
          }),
        );
        const winners = told.flatMap((won, index) => (won ? [index] : []));
        assert.equal(winners.length, 1);
        const [winner = 0] = winners;
        const left = winner % 4 < 2 ? undefined : `value ${winner}`;
        assert.equal((await registers.read(name))?.value, left);
      }
    },
  },
];
