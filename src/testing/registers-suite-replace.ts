import assert from "node:assert/strict";
import type { Registers } from "../contract/registers.ts";
import { pick } from "./ledger-kit.ts";
import type { RegistersScenario, RegistersStage } from "./registers-suite.ts";

const writers = Array.from({ length: 20 }, (_, index) => index);

/** Counts one up, until nobody came between. */
async function increment(registers: Registers<unknown>, name: string): Promise<void> {
  for (;;) {
    const found = await registers.read(name);
    const next = String(Number(found?.value ?? "0") + 1);
    if ((await registers.replace(name, next, found?.version ?? null)) !== null) return;
  }
}

function races(several: boolean): readonly RegistersScenario[] {
  const needs = several ? (["severalInstances"] as const) : ([] as const);
  const where = several ? "two instances" : "one instance";
  const instances = async <Tx>(stage: RegistersStage<Tx>): Promise<readonly Registers<Tx>[]> =>
    several ? [stage.registers, await stage.another()] : [stage.registers];

  return [
    {
      name: `of twenty that create a register one does (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        for (const name of ["a", "b", "c"]) {
          const versions = await Promise.all(
            writers.map((index) => pick(stores, index).replace(name, `value ${index}`, null)),
          );
          const winners = writers.filter((index) => versions[index] !== null);
          assert.equal(winners.length, 1);
          const found = await stage.registers.read(name);
          assert.equal(found?.value, `value ${winners[0]}`);
          assert.equal(found.version, versions[winners[0] ?? 0]);
        }
      },
    },
    {
      name: `of twenty that replace a version one does (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        const version = await stage.registers.replace("a", "first", null);
        const versions = await Promise.all(
          writers.map((index) => pick(stores, index).replace("a", `value ${index}`, version)),
        );
        const winners = writers.filter((index) => versions[index] !== null);
        assert.equal(winners.length, 1);
        assert.equal((await stage.registers.read("a"))?.value, `value ${winners[0]}`);
      },
    },
    {
      name: `no increment of several writers is lost (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        await Promise.all(
          writers.slice(0, 8).map(async (index) => {
            for (let round = 0; round < 5; round++) await increment(pick(stores, index), "sum");
          }),
        );
        assert.equal((await stage.registers.read("sum"))?.value, "40");
      },
    },
  ];
}

/** One register: what is read, what is replaced, and who wins. */
export const replaceScenarios: readonly RegistersScenario[] = [
  {
    name: "a register that nobody wrote reads as null, and is not replaced at a version",
    run: async ({ registers }) => {
      assert.equal(await registers.read("a"), null);
      assert.equal(await registers.replace("a", "value", 1), null);
      assert.equal(await registers.read("a"), null);
    },
  },
  {
    name: "a register is created once, and read with its version and instant",
    run: async ({ registers }) => {
      const version = await registers.replace("a", "first", null);
      assert.ok(version !== null && Number.isSafeInteger(version));
      assert.equal(await registers.replace("a", "second", null), null);
      const { at, ...found } = (await registers.read("a")) ?? { at: 0 };
      assert.deepEqual(found, { name: "a", value: "first", version });
      assert.ok(Number.isFinite(at) && at > 0);
    },
  },
  {
    name: "it is replaced at its version only, each version greater than the one before",
    run: async ({ registers }) => {
      const first = (await registers.replace("a", "1", null)) ?? 0;
      const second = (await registers.replace("a", "2", first)) ?? 0;
      assert.ok(second > first);
      assert.equal(await registers.replace("a", "3", first), null);
      assert.equal(await registers.replace("a", "3", second + 1), null);
      assert.equal(await registers.replace("a", "3", null), null);
      assert.equal((await registers.read("a"))?.value, "2");
      // the same value is a version too: whoever read the one before must not win
      const third = (await registers.replace("a", "2", second)) ?? 0;
      assert.ok(third > second);
      assert.equal(await registers.replace("a", "4", second), null);
    },
  },
  {
    name: "the instant is the store's, of the last write",
    run: async ({ registers, passTime }) => {
      const version = await registers.replace("a", "1", null);
      await registers.replace("b", "1", null);
      await passTime(60_000);
      await registers.replace("a", "2", version);
      const [a, b] = [await registers.read("a"), await registers.read("b")];
      const apart = (a?.at ?? 0) - (b?.at ?? 0);
      assert.ok(apart >= 60_000 && apart < 90_000, `${apart} ms apart`);
    },
  },
  {
    name: "values come back as they were: empty, quotes, line breaks, and what is long",
    run: async ({ registers }) => {
      for (const [index, value] of ["", "'\"\\\n\t\r", "é😀\u{10ffff}", "x".repeat(200_000)].entries()) {
        await registers.replace(`value ${index}`, value, null);
        assert.equal((await registers.read(`value ${index}`))?.value, value);
      }
    },
  },
  {
    name: "names are compared by their bytes: case, spaces, accents and length tell them apart",
    run: async ({ registers }) => {
      const names = ["a", "A", "a ", " a", "é", "e\u0301", "ß", "ss", "😀", "x".repeat(255), `${"x".repeat(254)}y`];
      for (const name of names) assert.notEqual(await registers.replace(name, `of ${name}`, null), null);
      for (const name of names) assert.equal((await registers.read(name))?.value, `of ${name}`);
      const widest = "é".repeat(255);
      assert.notEqual(await registers.replace(widest, "wide", null), null);
      assert.equal((await registers.read(widest))?.value, "wide");
    },
  },
  {
    name: "what one instance wrote the other reads and replaces",
    needs: ["severalInstances"],
    run: async ({ registers, another }) => {
      const other = await another();
      const version = await registers.replace("a", "1", null);
      const next = await other.replace("a", "2", version);
      assert.equal(await registers.replace("a", "3", version), null);
      assert.equal((await registers.read("a"))?.version, next);
    },
  },
  ...races(false),
  ...races(true),
];
