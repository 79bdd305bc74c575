import assert from "node:assert/strict";
import type { Registers } from "../contract/registers.ts";
import type { RegistersScenario, RegistersStage } from "./registers-suite.ts";

const needs = ["transactions"] as const;

function appending<Tx>({ registers, transaction }: RegistersStage<Tx>) {
  assert.ok(transaction !== null, "the stage has no transactions");
  return {
    transaction,
    append: async (tx: Tx, prefix: string, value: string) => {
      assert.ok(registers.appendIn !== undefined, "the store appends nothing");
      await registers.appendIn(tx, prefix, value);
    },
  };
}

async function listed(registers: Registers<unknown>, prefix: string, after: string | null = null) {
  return registers.list({ prefix, after, limit: 1_000 });
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** `appendIn`: an order that is the order of commits. */
export const appendScenarios: readonly RegistersScenario[] = [
  {
    name: "what transactions append under a prefix is listed in the order in which they committed, numbered from one",
    needs,
    run: async (stage) => {
      const { append, transaction } = appending(stage);
      for (const value of ["a", "b", "c"]) await transaction((tx) => append(tx, "log/", value));
      await transaction(async (tx) => {
        await append(tx, "log/", "d");
        await append(tx, "other/", "first");
        await append(tx, "log/", "e");
      });
      const found = await listed(stage.registers, "log/");
      assert.deepEqual(
        found.map(({ name, value }) => [name, value]),
        ["a", "b", "c", "d", "e"].map((value, index) => [`log/${String(index + 1).padStart(16, "0")}`, value]),
      );
      assert.deepEqual(
        (await listed(stage.registers, "other/")).map(({ value }) => value),
        ["first"],
      );
      const [{ name, version, at } = { name: "", version: 0, at: 0 }] = found;
      assert.ok(at > 0);
      const { value } = (await stage.registers.read(name)) ?? {};
      assert.equal(value, "a");
      assert.notEqual(await stage.registers.replace(name, "A", version), null);
    },
  },
  {
    name: "what a transaction does not wait for is kept with it or not at all, and harms no transaction after it",
    needs,
    run: async (stage) => {
      const { append, transaction } = appending(stage);
      const kept: string[] = [];
      for (let round = 0; round < 12; round += 1) {
        let appended: Promise<unknown> = Promise.resolve();
        const hasty = transaction(async (tx) => {
          appended = append(tx, "log/", `hasty ${round}`).catch(() => {});
          if (round % 2 === 1) throw new Error("rolled back");
        });
        const [ended] = await Promise.allSettled([hasty]);
        if (ended.status === "fulfilled") kept.push(`hasty ${round}`);
        await transaction((tx) => append(tx, "log/", `next ${round}`));
        kept.push(`next ${round}`);
        await appended;
      }
      const found = await listed(stage.registers, "log/");
      assert.deepEqual(
        found.map(({ value }) => value),
        kept,
      );
    },
  },
  {
    name: "what a rolled back transaction appended is not there, and numbers of what was removed never come again",
    needs,
    run: async (stage) => {
      const { append, transaction } = appending(stage);
      const rolledBack = transaction(async (tx) => {
        await append(tx, "log/", "lost");
        throw new Error("rolled back");
      });
      await assert.rejects(rolledBack, /rolled back/);
      assert.deepEqual(await listed(stage.registers, "log/"), []);
      await transaction((tx) => append(tx, "log/", "kept"));
      const [kept] = await listed(stage.registers, "log/");
      assert.equal(kept?.value, "kept");
      await stage.passTime(60_000);
      assert.equal(await stage.registers.sweep("log/", 1_000, 10), 1);
      await transaction((tx) => append(tx, "log/", "later"));
      const [later] = await listed(stage.registers, "log/");
      assert.ok(kept.name < (later?.name ?? ""));
    },
  },
  {
    name: "those up to a name are removed at once, and neither what comes later nor what has another prefix",
    needs,
    run: async (stage) => {
      const { append, transaction } = appending(stage);
      const { registers } = stage;
      for (const prefix of ["log/", "log", "a/", "z/"]) await transaction((tx) => append(tx, prefix, `of ${prefix}`));
      for (const value of ["b", "c"]) await transaction((tx) => append(tx, "log/", value));
      const [, second] = await listed(registers, "log/");
      assert.ok(registers.removeThrough !== undefined && second !== undefined);
      await registers.removeThrough("log/", second.name);
      await registers.removeThrough("log/", second.name);
      assert.deepEqual(
        (await listed(registers, "log/")).map(({ value }) => value),
        ["c"],
      );
      for (const prefix of ["log0", "a/", "z/"]) assert.equal((await listed(registers, prefix)).length, 1);
      await transaction((tx) => append(tx, "log/", "d"));
      assert.deepEqual(
        (await listed(registers, "log/")).map(({ value }) => value),
        ["c", "d"],
      );
    },
  },
  {
    name: "a reader that polls misses none of many transactions that overlap, and nothing comes behind what it has seen",
    needs,
    run: async (stage) => {
      const { append, transaction } = appending(stage);
      const kept = new Set<string>();
      const writers = Array.from({ length: 24 }, async (_, index) => {
        // a few at once, each longer or shorter than the one before
        await new Promise((resolve) => setTimeout(resolve, Math.floor(index / 6) * 10));
        try {
          await transaction(async (tx) => {
            for (let left = (index * 7) % 5; left > 0; left -= 1) await turn();
            await append(tx, "log/", `${index} first`);
            for (let left = (index * 5) % 7; left > 0; left -= 1) await turn();
            await append(tx, "log/", `${index} second`);
            if (index % 4 === 3) throw new Error("rolled back");
          });
          kept.add(`${index} first`).add(`${index} second`);
        } catch (error) {
          assert.match(String(error), /rolled back/);
        }
      });
      let ended = false;
      const all = Promise.all(writers).finally(() => {
        ended = true;
      });
      const seen: string[] = [];
      for (let after: string | null = null, last = false; ; ) {
        const more = await listed(stage.registers, "log/", after);
        seen.push(...more.map(({ value }) => value));
        after = more.at(-1)?.name ?? after;
        if (last) break;
        last = ended;
        await turn();
      }
      await all;
      assert.deepEqual(
        seen,
        (await listed(stage.registers, "log/")).map(({ value }) => value),
      );
      assert.deepEqual([...seen].sort(), [...kept].sort());
      for (const value of kept) {
        if (value.endsWith("first")) assert.equal(seen[seen.indexOf(value) + 1], value.replace("first", "second"));
      }
    },
  },
];
