import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";
import { sizeOf } from "../../src/cache/memory/size.ts";

test("what a value is said to cost is within a fifth of what V8's heap grows by", () => {
  const folder = mkdtempSync(join(tmpdir(), "reprise-size-"));
  try {
    const source = readFileSync(new URL("../../src/cache/memory/size.ts", import.meta.url), "utf8");
    const { outputText } = ts.transpileModule(source, { compilerOptions: { module: ts.ModuleKind.ESNext } });
    const module = join(folder, "size.mjs");
    writeFileSync(module, outputText);
    const kinds = new URL("../support/value-kinds.mjs", import.meta.url);
    const told = execFileSync(process.execPath, ["--expose-gc", kinds.pathname, pathToFileURL(module).href]);
    const results: Record<string, { measured: number; estimated: number }> = JSON.parse(told.toString());
    if (process.env["PRINT_SIZES"] !== undefined) console.table(results);
    expect(Object.keys(results).length).toBeGreaterThan(8);
    const off = Object.entries(results).filter(([, { measured, estimated }]) => !within(estimated / measured, 0.2));
    expect(off).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
  // it collects garbage a hundred times, on a machine that may have other work
}, 120_000);

const within = (ratio: number, part: number) => ratio >= 1 - part && ratio <= 1 + part;

test("primitives that V8 shares cost nothing, numbers too large for a small integer a box", () => {
  expect([null, undefined, true, "", "a", 7, -7].map(sizeOf)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  expect([0.5, -0, 2 ** 31, Number.NaN].map(sizeOf)).toEqual([16, 16, 16, 16]);
  expect(sizeOf({ left: 3, names: ["Ann", "Bo"] })).toBe(152);
});

test("what is referred to twice counts once, and cycles end", () => {
  const shared = { text: "x".repeat(1_000) };
  expect(sizeOf([shared, shared])).toBe(sizeOf([shared, 1]));
  expect(sizeOf(Array(10_000).fill(shared))).toBeLessThan(10_000 * 8 + 2_000);
  const cycle: Record<string, unknown> = { text: "x".repeat(1_000) };
  cycle["self"] = cycle;
  cycle["list"] = [cycle, new Map([[cycle, cycle]])];
  expect(sizeOf(cycle)).toBeLessThan(2_000);
});

test("work is bounded: a hundred times the value takes no hundred times as long", () => {
  const rows = (length: number) => Array.from({ length }, (_, n) => ({ n, tags: ["ab", "cd"], at: { x: n, y: [n] } }));
  let reads = 0;
  const counting = (value: object): object =>
    new Proxy(value, {
      get: (target, name, receiver) => {
        reads += 1;
        const found: unknown = Reflect.get(target, name, receiver);
        return typeof found === "object" && found !== null ? counting(found) : found;
      },
    });
  const large = rows(100_000);
  const estimated = sizeOf(counting(large));
  expect(reads).toBeLessThan(6_000);
  expect(estimated / sizeOf(rows(100)) / 1_000).toBeCloseTo(1, 1);
  let deep: unknown = null;
  for (let n = 0; n < 100_000; n += 1) deep = { deep };
  expect(sizeOf(deep)).toBeGreaterThan(0);
});

test("a value that throws when it is looked at does not fail its store", () => {
  const hostile = {
    get seats(): number {
      throw new Error("away");
    },
  };
  expect(sizeOf(hostile)).toBeGreaterThan(0);
});
