import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isRepriseError } from "../../src/base/errors.ts";
import { fileKeys } from "../../src/client/file-keys.ts";
import { type IdempotencyKeys, type KeptKey, memoryKeys } from "../../src/client/keys.ts";

let directory: string;
let folder: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "reprise-keys-"));
  folder = join(directory, "keys");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const kept = (key: string): KeptKey => ({ key, print: `1:${key}`, madeAt: 1_767_225_600_000 });
const memory = memoryKeys();

/** `open` gives what another process would have. */
const implementations: readonly (readonly [string, () => IdempotencyKeys])[] = [
  ["memoryKeys", () => memory],
  ["fileKeys", () => fileKeys({ folder })],
];

describe.each(implementations)("%s", (name, open) => {
  const intents = Array.from({ length: 20 }, (_, at) => `${name}/../intent ${at} ü`);
  const [intent = ""] = intents;

  test("keep the first key of an intent, and tell it to all who come later", async () => {
    const keys = open();
    expect(await keys.get(intent)).toBeNull();
    expect(await keys.put(intent, kept("a"))).toEqual(kept("a"));
    expect(await open().put(intent, kept("b"))).toEqual(kept("a"));
    expect(await open().get(intent)).toEqual(kept("a"));
    await keys.delete(intent);
    expect(await keys.get(intent)).toBeNull();
  });

  test("forget a key only while it is the one that is meant", async () => {
    const keys = open();
    await keys.put(intent, kept("b"));
    await keys.delete(intent, "a");
    expect(await keys.get(intent)).toEqual(kept("b"));
    await keys.delete(intent, "b");
    await keys.delete(intent, "b");
    await keys.delete(intent);
    expect(await keys.put(intent, kept("c"))).toEqual(kept("c"));
    await keys.delete(intent);
  });

  test("of many at once keep one for each intent", async () => {
    const told = await Promise.all(
      intents.map(async (one) => {
        const keys = await Promise.all(Array.from({ length: 8 }, (_, at) => open().put(one, kept(`${one}-${at}`))));
        return new Set(keys.map(({ key }) => key)).size;
      }),
    );
    expect(told).toEqual(intents.map(() => 1));
    await Promise.all(intents.map((one) => open().delete(one)));
  });

  test("never lose the key of new work to those whose work is over", async () => {
    for (let round = 0; round < 30; round += 1) {
      await open().put(intent, kept(`old-${round}`));
      const [told] = await Promise.all([
        open().put(intent, kept(`new-${round}`)),
        ...Array.from({ length: 4 }, () => open().delete(intent, `old-${round}`)),
      ]);
      const left = await open().get(intent);
      // whoever was told the new key finds it kept; whoever was told the old one came before it was forgotten
      expect(left).toEqual(told?.key === `new-${round}` ? kept(`new-${round}`) : null);
      await open().delete(intent);
    }
  });
});

describe("fileKeys", () => {
  const codeOf = (work: unknown) =>
    Promise.resolve(work).then(
      () => "no error",
      (error: unknown) => (isRepriseError(error, "REPRISE_KEYS_UNUSABLE") ? error.details.why : error),
    );

  const slot = () => join(folder, readdirSync(folder).find((name) => name !== "new") ?? "");
  const record = () => join(slot(), readdirSync(slot())[0] ?? "");

  test("leave nothing behind for an intent that is over, and let nobody else read what they keep", async () => {
    const keys = fileKeys({ folder });
    await keys.put("a", kept("a"));
    expect(statSync(folder).mode & 0o077).toBe(0);
    expect(statSync(record()).mode & 0o077).toBe(0);
    await keys.delete("a", "a");
    expect(readdirSync(folder)).toEqual(["new"]);
    expect(readdirSync(join(folder, "new"))).toEqual([]);
  });

  test.each([
    ["cut short", () => writeFileSync(record(), '{"kept":1,"intent":"a","key":"a"')],
    ["empty", () => writeFileSync(record(), "")],
    ["of zeros", () => writeFileSync(record(), Buffer.alloc(64))],
    ["of another form", () => writeFileSync(record(), '{"kept":2}')],
    ["another intent's", () => writeFileSync(record(), JSON.stringify({ kept: 1, intent: "b", ...kept("a") }))],
    ["another key's", () => writeFileSync(record(), JSON.stringify({ kept: 1, intent: "a", ...kept("b") }))],
    ["beside a stranger", () => writeFileSync(join(slot(), "stranger"), "")],
  ])("refuse a record that is %s: a new key might repeat what has happened", async (_, damage) => {
    const keys = fileKeys({ folder });
    await keys.put("a", kept("a"));
    damage();
    expect(await codeOf(fileKeys({ folder }).put("a", kept("c")))).toMatch(/is damaged/);
    expect(await codeOf(keys.get("a"))).toMatch(/is damaged/);
    // the others are not
    expect(await keys.put("b", kept("b"))).toEqual(kept("b"));
  });

  test("make a folder whose parents are not there either", async () => {
    const deep = join(directory, "a", "b", "c");
    await fileKeys({ folder: deep }).put("a", kept("a"));
    expect(await fileKeys({ folder: `${deep}/` }).get("a")).toEqual(kept("a"));
  });

  test("take the slot that a kill left empty, and clear what a kill left half made an hour ago", async () => {
    const keys = fileKeys({ folder });
    await keys.put("a", kept("a"));
    const taken = slot();
    await keys.delete("a");
    mkdirSync(taken);
    const [old, young] = [join(folder, "new", "slot-old"), join(folder, "new", "slot-young")];
    for (const path of [old, young]) {
      mkdirSync(path);
      writeFileSync(join(path, "half.json"), "{");
    }
    const past = new Date(Date.now() - 7_200_000);
    utimesSync(old, past, past);
    expect(await keys.get("a")).toBeNull();
    expect(await fileKeys({ folder }).put("a", kept("b"))).toEqual(kept("b"));
    expect(readdirSync(join(folder, "new"))).toEqual(["slot-young"]);
  });

  test("refuse a folder that is a file, and go on once it is mended", async () => {
    writeFileSync(folder, "");
    const keys = fileKeys({ folder });
    expect(await codeOf(keys.put("a", kept("a")))).toMatch(/cannot be used \((ENOTDIR|EEXIST)\)/);
    rmSync(folder);
    expect(await keys.put("a", kept("a"))).toEqual(kept("a"));
  });
});
