import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkExports } from "../../scripts/check-exports.mjs";
import { checkImports } from "../../scripts/check-imports.mjs";
import { root } from "./installed.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "reprise-checks-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plant(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

describe("the direction of imports", () => {
  test("holds in the sources", () => {
    expect(checkImports(join(root, "src"))).toEqual([]);
  });

  test.each([
    ["base/a.ts", "../contract/b.ts", "base must not name contract"],
    ["contract/a.ts", "../cache/b.ts", "contract must not name cache"],
    ["cache/a.ts", "../operation/b.ts", "cache must not name operation"],
    ["operation/a.ts", "../cache/b.ts", "operation must not name cache"],
    ["stores/sqlite/a.ts", "../../operation/b.ts", "stores must not name operation"],
    ["observe/a.ts", "../reprise.ts", "observe must not name reprise.ts"],
    ["reprise.ts", "./stores/b.ts", "reprise.ts must not name stores"],
    ["index.ts", "./stores/b.ts", "index.ts must not name stores"],
    ["index.ts", "./testing/b.ts", "index.ts must not name testing"],
    ["page/a.ts", "../stores/b.ts", "page must not name stores"],
  ])("a planted import of %s from %s is found", (from, specifier, sentence) => {
    const target = join(dirname(from), specifier);
    for (const statement of [
      `import { b } from "${specifier}"; b;`,
      `import type { b } from "${specifier}";`,
      `export * from "${specifier}";`,
      `void import("${specifier}");`,
      `type B = import("${specifier}").b;`,
    ]) {
      plant({ [from]: statement, [target]: "export const b = 1;" });
      expect(checkImports(folder), statement).toEqual([expect.stringContaining(sentence)]);
    }
  });

  test("a planted cycle is found, and one of types alone is none", () => {
    plant({
      "base/a.ts": 'import { b } from "./b.ts"; export const a = () => b;',
      "base/b.ts": 'import { a } from "./a.ts"; export const b = () => a;',
    });
    expect(checkImports(folder)).toEqual(["cycle: base/a.ts → base/b.ts → base/a.ts"]);
    plant({ "base/b.ts": 'import type { a } from "./a.ts"; export const b = (): typeof a | undefined => undefined;' });
    expect(checkImports(folder)).toEqual([]);
  });

  test("a package that no room may name, and a room that nobody knows, are found", () => {
    plant({ "cache/a.ts": 'import "lru-cache";', "misc/a.ts": "export {};" });
    expect(checkImports(folder)).toEqual([
      "cache/a.ts imports the package 'lru-cache'",
      expect.stringContaining("misc/a.ts stands in no known room"),
    ]);
  });
});

describe("the export map", () => {
  const manifest = JSON.stringify({
    exports: { ".": "./dist/index.mjs", "./web": "./dist/web.mjs", "./package.json": "./package.json" },
  });
  const built = {
    "dist/index.mjs": "",
    "dist/index.d.mts": "",
    "dist/web.mjs": "",
    "dist/web.d.mts": "",
    "dist/core-B1.mjs": "",
  };

  test("is what was built", () => {
    expect(checkExports(root)).toEqual([]);
    plant({ "package.json": manifest, ...built });
    expect(checkExports(folder)).toEqual([]);
  });

  test("an entry without its file, and a file without its entry, are found", () => {
    const { "dist/web.d.mts": _, ...rest } = built;
    plant({ "package.json": manifest, ...rest, "dist/extra.mjs": "" });
    expect(checkExports(folder)).toEqual([
      "./web: ./dist/web.d.mts was not built",
      "dist/extra.mjs was built, and the export map does not name it",
    ]);
  });
});
