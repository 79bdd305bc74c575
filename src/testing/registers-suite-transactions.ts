import assert from "node:assert/strict";
import { isRepriseError } from "../base/errors.ts";
import type { Registers } from "../contract/registers.ts";
import type { RegistersScenario, RegistersStage } from "./registers-suite.ts";

const needs = ["transactions"] as const;

function transactionOf<Tx>({ transaction }: RegistersStage<Tx>) {
  assert.ok(transaction !== null, "the stage has no transactions");
  return transaction;
}

async function replaceIn<Tx>(registers: Registers<Tx>, tx: Tx, name: string, value: string, version: number | null) {
  assert.ok(registers.replaceIn !== undefined, "the store replaces nothing in transactions");
  return registers.replaceIn(tx, name, value, version);
}

/** `replaceIn`: part of the caller's transaction. */
export const transactionScenarios: readonly RegistersScenario[] = [
  {
    name: "what a transaction replaced is there when it has committed, with the version that it was told",
    needs,
    run: async (stage) => {
      const { registers } = stage;
      const first = await transactionOf(stage)((tx) => replaceIn(registers, tx, "a", "1", null));
      assert.equal((await registers.read("a"))?.version, first);
      const told = await transactionOf(stage)(async (tx) => [
        await replaceIn(registers, tx, "a", "2", first),
        await replaceIn(registers, tx, "a", "3", first),
        await replaceIn(registers, tx, "b", "1", 7),
        await replaceIn(registers, tx, "a", "x", null),
      ]);
      assert.deepEqual(told.slice(1), [null, null, null]);
      const { value, version } = (await registers.read("a")) ?? {};
      assert.deepEqual([value, version], ["2", told[0]]);
      assert.equal(await registers.read("b"), null);
    },
  },
  {
    name: "what a rolled back transaction replaced is as it was, or not there",
    needs,
    run: async (stage) => {
      const { registers } = stage;
      const version = await registers.replace("a", "1", null);
      const rolledBack = transactionOf(stage)(async (tx) => {
        assert.notEqual(await replaceIn(registers, tx, "a", "2", version), null);
        assert.notEqual(await replaceIn(registers, tx, "b", "1", null), null);
        throw new Error("rolled back");
      });
      await assert.rejects(rolledBack, /rolled back/);
      const found = await registers.read("a");
      assert.deepEqual([found?.value, found?.version], ["1", version]);
      assert.equal(await registers.read("b"), null);
      assert.notEqual(await registers.replace("a", "3", version), null);
      assert.notEqual(await registers.replace("b", "1", null), null);
    },
  },
  {
    name: "a transaction replaces what it replaced before, at the version that it was told",
    needs,
    run: async (stage) => {
      const { registers } = stage;
      const last = await transactionOf(stage)(async (tx) => {
        const first = await replaceIn(registers, tx, "a", "1", null);
        return replaceIn(registers, tx, "a", "2", first);
      });
      const found = await registers.read("a");
      assert.deepEqual([found?.value, found?.version], ["2", last]);
    },
  },
  {
    name: "what an open transaction replaced nobody sees, and nobody replaces over it",
    needs,
    run: async (stage) => {
      const { registers } = stage;
      const version = await registers.replace("a", "1", null);
      let end = () => {};
      const ending = new Promise<void>((resolve) => {
        end = resolve;
      });
      let replaced = () => {};
      const written = new Promise<void>((resolve) => {
        replaced = resolve;
      });
      const committed = transactionOf(stage)(async (tx) => {
        assert.notEqual(await replaceIn(registers, tx, "a", "2", version), null);
        replaced();
        await ending;
      });
      await Promise.race([written, committed]);
      assert.equal((await registers.read("a"))?.value, "1");
      assert.deepEqual(
        (await registers.list({ prefix: "a", after: null, limit: 1 })).map(({ value }) => value),
        ["1"],
      );
      const late = registers.replace("a", "late", version).catch((error: unknown) => {
        if (isRepriseError(error) && error.code === "REPRISE_LEDGER_BUSY") return null;
        throw error;
      });
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      end();
      await committed;
      assert.equal(await late, null);
      assert.equal((await registers.read("a"))?.value, "2");
    },
  },
  {
    name: "what an open transaction replaced nobody removes over it",
    needs,
    run: async (stage) => {
      const { registers } = stage;
      const version = (await registers.replace("a", "1", null)) ?? 0;
      let end = () => {};
      const ending = new Promise<void>((resolve) => {
        end = resolve;
      });
      let replaced = () => {};
      const written = new Promise<void>((resolve) => {
        replaced = resolve;
      });
      const committed = transactionOf(stage)(async (tx) => {
        await replaceIn(registers, tx, "a", "2", version);
        replaced();
        await ending;
      });
      await Promise.race([written, committed]);
      const late = registers.remove("a", version).catch((error: unknown) => {
        if (isRepriseError(error) && error.code === "REPRISE_LEDGER_BUSY") return false;
        throw error;
      });
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      end();
      await committed;
      assert.equal(await late, false);
      assert.equal((await registers.read("a"))?.value, "2");
    },
  },
  {
    name: "of transactions that replace one version one does; the others are told null, or rejected",
    needs,
    run: async (stage) => {
      const { registers } = stage;
      for (const [name, version] of [
        ["new", null],
        ["there", await registers.replace("there", "first", null)],
      ] as const) {
        const told = await Promise.allSettled(
          Array.from({ length: 6 }, (_, index) =>
            transactionOf(stage)((tx) => replaceIn(registers, tx, name, `value ${index}`, version)),
          ),
        );
        const winners = told.flatMap((answer, index) =>
          answer.status === "fulfilled" && answer.value !== null ? [{ index, version: answer.value }] : [],
        );
        assert.equal(winners.length, 1);
        const found = await registers.read(name);
        assert.deepEqual([found?.value, found?.version], [`value ${winners[0]?.index}`, winners[0]?.version]);
      }
    },
  },
];
