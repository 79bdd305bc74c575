import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { sha256 } from "../../src/base/names.ts";
import { fileBlobs } from "../../src/stores/files/index.ts";

const made: string[] = [];
afterEach(() => {
  for (const one of made.splice(0)) rmSync(one, { recursive: true, force: true });
});

function stand() {
  const directory = mkdtempSync(join(tmpdir(), "reprise-files-"));
  made.push(directory);
  const own = join(directory, ".reprise");
  return {
    directory,
    blobs: fileBlobs({ directory }),
    making: join(own, "new"),
    slotOf: (name: string) => join(own, "slots", sha256(`/${name}`).slice(0, 32)),
  };
}

const bytes = (content: string) => new TextEncoder().encode(content);

test("a blob is a file at the path that is its name, and nothing is left beside it", async () => {
  const { directory, blobs, making, slotOf } = stand();
  const { token } = await blobs.putIfAbsent("customers/42.json", bytes("{}"));
  await blobs.putIfToken("customers/42.json", bytes("[]"), token);
  await blobs.putIfAbsent("customers/42.json", bytes("other"));
  await blobs.putIfToken("customers/42.json", bytes("other"), token);
  expect(readFileSync(join(directory, "customers/42.json"), "utf8")).toBe("[]");
  expect(readdirSync(join(directory, "customers"))).toEqual(["42.json"]);
  expect(readdirSync(making)).toEqual([]);
  expect(existsSync(slotOf("customers/42.json"))).toBe(false);
});

test("a name below another blob, and one that other blobs lie below, are refused, and nothing is written", async () => {
  const { directory, blobs } = stand();
  const { token } = await blobs.putIfAbsent("a", bytes("1"));
  await blobs.putIfAbsent("b/c", bytes("1"));
  const refusal = { code: "REPRISE_BAD_DECLARATION" };
  await expect(blobs.putIfAbsent("a/below", bytes("2"))).rejects.toMatchObject(refusal);
  await expect(blobs.putIfAbsent("b", bytes("2"))).rejects.toMatchObject(refusal);
  expect(await blobs.putIfToken("a/below", bytes("2"), token)).toEqual({ is: "differs", token: null });
  expect(await blobs.putIfToken("b", bytes("2"), token)).toEqual({ is: "differs", token: null });
  expect([await blobs.read("a/below"), await blobs.read("b")]).toEqual([null, null]);
  expect(readdirSync(directory).toSorted()).toEqual([".reprise", "a", "b"]);
});

test("no blob lies where the store makes its files", async () => {
  const { blobs } = stand();
  for (const name of [".reprise", ".reprise/new/a", ".REPRISE/a"]) {
    await expect(blobs.putIfAbsent(name, bytes("1"))).rejects.toMatchObject({ code: "REPRISE_BAD_DECLARATION" });
  }
});

test("a slot that a killed owner left is taken over", async () => {
  const { blobs, slotOf } = stand();
  const { token } = await blobs.putIfAbsent("a", bytes("1"));
  mkdirSync(slotOf("a"), { recursive: true });
  writeFileSync(join(slotOf("a"), "of the killed"), "never written");
  const before = performance.now();
  expect((await blobs.putIfToken("a", bytes("2"), token)).is).toBe("put");
  expect(performance.now() - before).toBeGreaterThan(990);
  expect((await blobs.read("a"))?.bytes).toEqual(bytes("2"));
  expect(existsSync(slotOf("a"))).toBe(false);
});

test("who waits for a slot is told as soon as the blob is another", async () => {
  const { directory, blobs, slotOf } = stand();
  const { token } = await blobs.putIfAbsent("a", bytes("1"));
  mkdirSync(slotOf("a"), { recursive: true });
  writeFileSync(join(slotOf("a"), "of another"), "2");
  const waiting = blobs.putIfToken("a", bytes("3"), token);
  await rename(join(slotOf("a"), "of another"), join(directory, "a"));
  expect((await waiting).is).toBe("differs");
  expect((await blobs.read("a"))?.bytes).toEqual(bytes("2"));
});

test("versions of one instant have tokens of their own: the clock may stand still, or be set back", async () => {
  const { directory, blobs } = stand();
  await blobs.putIfAbsent("a", bytes("1"));
  const future = Date.now() / 1_000 + 86_400;
  utimesSync(join(directory, "a"), future, future);
  const tokens = new Set<string>();
  for (let write = 0; write < 100; write++) {
    const there = await blobs.read("a");
    tokens.add(there?.token ?? "");
    expect((await blobs.putIfToken("a", bytes(`${write % 2}`), there?.token ?? "")).is).toBe("put");
  }
  expect(tokens.size).toBe(100);
  const instants = [...tokens].map((token) => Number.parseInt(token, 36));
  expect(instants).toEqual(instants.toSorted((a, b) => a - b));
});

test("what a kill left unfinished is removed after an hour, and not before", async () => {
  const { directory, making } = stand();
  mkdirSync(join(making, "slot-old"), { recursive: true });
  writeFileSync(join(making, "old"), "half");
  writeFileSync(join(making, "new"), "half");
  const before = Date.now() / 1_000 - 3_601;
  for (const name of ["slot-old", "old"]) utimesSync(join(making, name), before, before);
  await fileBlobs({ directory }).putIfAbsent("a", bytes("1"));
  expect(readdirSync(making)).toEqual(["new"]);
});

test("a directory that is taken away under the store is made again", async () => {
  const { directory, blobs } = stand();
  const { token } = await blobs.putIfAbsent("a", bytes("1"));
  rmSync(join(directory, ".reprise"), { recursive: true });
  expect((await blobs.putIfToken("a", bytes("2"), token)).is).toBe("put");
  rmSync(directory, { recursive: true });
  await expect(blobs.putIfAbsent("b", bytes("1"))).rejects.toMatchObject({ code: "REPRISE_BLOBS_AWAY" });
  expect((await blobs.putIfAbsent("b", bytes("1"))).is).toBe("put");
});

test("a directory that cannot be used is told with the system's code and no name", async () => {
  const { directory } = stand();
  writeFileSync(join(directory, "file"), "");
  const blobs = fileBlobs({ directory: join(directory, "file", "below") });
  await expect(blobs.putIfAbsent("secret-name", bytes("1"))).rejects.toMatchObject({
    code: "REPRISE_BLOBS_AWAY",
    details: { store: "files", doing: expect.stringMatching(/^putIfAbsent, E[A-Z]+$/) },
  });
});

test("a call that cannot get a slot by its deadline rejects, and writes nothing later", async () => {
  const { directory, blobs, slotOf, making } = stand();
  const { token } = await blobs.putIfAbsent("a", bytes("1"));
  mkdirSync(slotOf("a"), { recursive: true });
  writeFileSync(join(slotOf("a"), "of another"), "2");
  const hasty = fileBlobs({ directory, deadline: "300ms" });
  await expect(hasty.putIfToken("a", bytes("2"), token)).rejects.toMatchObject({
    code: "REPRISE_BLOBS_AWAY",
    details: { doing: "putIfToken, no answer in 300 ms" },
  });
  await expect.poll(() => readdirSync(making)).toEqual([]);
  expect(await blobs.read("a")).toEqual({ bytes: bytes("1"), token });
  expect(readdirSync(slotOf("a"))).toEqual(["of another"]);
});
