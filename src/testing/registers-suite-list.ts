import assert from "node:assert/strict";
import type { Registers } from "../contract/registers.ts";
import type { RegistersScenario } from "./registers-suite.ts";

async function create(registers: Registers<unknown>, ...names: readonly string[]): Promise<void> {
  for (const name of names) assert.notEqual(await registers.replace(name, `of ${name}`, null), null);
}

async function namesOf(registers: Registers<unknown>, prefix: string, after: string | null = null, limit = 100) {
  return (await registers.list({ prefix, after, limit })).map(({ name }) => name);
}

/** Many registers: listed by prefix, and swept. */
export const listScenarios: readonly RegistersScenario[] = [
  {
    name: "listed are those of the prefix, whole, in the order of the bytes of their names",
    run: async ({ registers }) => {
      // by UTF-16, as JavaScript compares, the last two change places; by a language's rules case and accents do
      const names = ["p/", "p/A", "p/B", "p/a", "p/a ", "p/ab", "p/b", "p/é", "p/\uffee", "p/😀"];
      await create(registers, ...names.toReversed(), "o", "q", "P/a", "p");
      assert.deepEqual(await namesOf(registers, "p/"), names);
      const [first] = await registers.list({ prefix: "p/A", after: null, limit: 1 });
      assert.deepEqual(first, await registers.read("p/A"));
      assert.equal(first?.value, "of p/A");
      assert.deepEqual(await namesOf(registers, "none"), []);
      assert.equal((await namesOf(registers, "")).length, names.length + 4);
    },
  },
  {
    name: "a list goes on after the name where the page before ended",
    run: async ({ registers }) => {
      const names = ["p1", "p2", "p3", "p4", "p5"];
      await create(registers, ...names, "q");
      const pages: (readonly string[])[] = [];
      for (let after: string | null = null; ; ) {
        const page: readonly string[] = await namesOf(registers, "p", after, 2);
        if (page.length === 0) break;
        pages.push(page);
        after = page.at(-1) ?? null;
      }
      assert.deepEqual(pages, [["p1", "p2"], ["p3", "p4"], ["p5"]]);
      assert.deepEqual(await namesOf(registers, "p", "p2x"), ["p3", "p4", "p5"]);
      assert.deepEqual(await namesOf(registers, "p", "a"), names);
    },
  },
  {
    name: "a prefix is text, whatever stands in it: percent, underscore, backslash, star, brackets, quotes, accents",
    run: async ({ registers }) => {
      const prefixes = ["%", "_", "\\", "a%", "a_", "a\\", "*", "?", "[a]", "'", '"', "é", "😀", "\u{10ffff}"];
      await create(registers, "a1", "b", "aa", "ab", ...prefixes.map((prefix) => `${prefix}x`));
      for (const prefix of prefixes) assert.deepEqual(await namesOf(registers, prefix), [`${prefix}x`]);
    },
  },
  {
    name: "swept are those of the prefix that nobody wrote for so long, at most so many",
    run: async ({ registers, passTime }) => {
      await create(registers, "p1", "p2", "p3", "p4", "q1");
      const version = (await registers.read("p4"))?.version ?? 0;
      await passTime(60_000);
      await registers.replace("p4", "again", version);
      await create(registers, "p5");
      assert.equal(await registers.sweep("p", 120_000, 100), 0);
      assert.equal(await registers.sweep("p", 60_000, 2), 2);
      assert.equal(await registers.sweep("p", 60_000, 2), 1);
      assert.equal(await registers.sweep("p", 60_000, 2), 0);
      assert.deepEqual(await namesOf(registers, ""), ["p4", "p5", "q1"]);
    },
  },
  {
    name: "the prefix of a sweep is text too",
    run: async ({ registers, passTime }) => {
      await create(registers, "a_1", "ab1", "a%1", "A_1");
      await passTime(60_000);
      assert.equal(await registers.sweep("a_", 1_000, 100), 1);
      assert.equal(await registers.sweep("a%", 1_000, 100), 1);
      assert.deepEqual(await namesOf(registers, ""), ["A_1", "ab1"]);
    },
  },
  {
    name: "what was swept is created anew, and a version of before does not replace it",
    run: async ({ registers, passTime }) => {
      await create(registers, "a");
      const version = (await registers.read("a"))?.version ?? 0;
      await passTime(60_000);
      await registers.sweep("a", 1_000, 100);
      assert.equal(await registers.read("a"), null);
      assert.equal(await registers.replace("a", "late", version), null);
      // of many that begin anew none is at the old version, nor at one that is counted from a fixed start
      const begun = new Set([version]);
      for (let round = 1; round <= 5; round++) {
        const anew = await registers.replace("a", "anew", null);
        assert.ok(anew !== null && Number.isSafeInteger(anew + 1_000));
        assert.equal(await registers.replace("a", "late", version), null);
        begun.add(anew);
        await passTime(60_000);
        await registers.sweep("a", 1_000, 100);
      }
      assert.equal(begun.size, 6);
    },
  },
];
