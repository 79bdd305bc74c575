import assert from "node:assert/strict";
import { isRepriseError } from "../base/errors.ts";
import { assertHolds, everyPair, filled, put, text } from "./blob-store-kit.ts";
import type { BlobScenario } from "./blob-store-suite.ts";

/** Names that an address, an encoding or a trim would take for one another, or for something else. */
const names = [
  "a",
  "a b",
  " a",
  "a%20b",
  "a+b",
  "deep/er/and deeper/a.json",
  "ü/é/日本/😀.txt",
  "e\u0301",
  "é",
  "#?&=;:@!$'()*,[]~^`{}",
  'quote"d',
  ".hidden",
  "a..b",
  "x".repeat(255),
];

/** Names that would mean another place, or that some store cannot keep. */
const badNames = [
  "",
  "/a",
  ".reprise",
  ".Reprise/a",
  "a/",
  "a//b",
  ".",
  "..",
  "../a",
  "a/../b",
  "a/..",
  "./a",
  "a.",
  "a\\b",
  "a\0b",
  "a\nb",
  "\ud800",
  "é".repeat(128),
  "abc/".repeat(300),
];

/** What is there after one caller's calls. */
export const keepScenarios: readonly BlobScenario[] = [
  {
    name: "what is not there is read as null, and not replaced",
    run: async ({ blobs }) => {
      assert.equal(await blobs.read("none"), null);
      assert.equal(await blobs.read("none/below"), null);
      const there = await put(blobs, "other", text("1"));
      assert.deepEqual(await blobs.putIfToken("none", text("1"), there), { is: "differs", token: null });
      assert.equal(await blobs.read("none"), null);
    },
  },
  {
    name: "what was put is read with the token that was told",
    run: async ({ blobs }) => {
      const token = await put(blobs, "a", text("one"));
      await assertHolds(blobs, "a", text("one"), token);
    },
  },
  {
    name: "the same bytes again are told to be the same, and write nothing",
    run: async ({ blobs }) => {
      const token = await put(blobs, "a", text("one"));
      assert.deepEqual(await blobs.putIfAbsent("a", text("one")), { is: "same", token });
      await assertHolds(blobs, "a", text("one"), token);
    },
  },
  {
    name: "other bytes for a blob that is there are told to differ, and write nothing",
    run: async ({ blobs }) => {
      const token = await put(blobs, "a", text("one"));
      for (const other of ["two", "on", "one ", ""]) {
        assert.deepEqual(await blobs.putIfAbsent("a", text(other)), { is: "differs", token });
      }
      await assertHolds(blobs, "a", text("one"), token);
    },
  },
  {
    name: "a blob is replaced by who saw it last, and by nobody with an older token",
    run: async ({ blobs }) => {
      const first = await put(blobs, "a", text("one"));
      const second = await blobs.putIfToken("a", text("two"), first);
      assert.equal(second.is, "put");
      assert.notEqual(second.token, first);
      assert.deepEqual(await blobs.putIfToken("a", text("zombie"), first), { is: "differs", token: second.token });
      await assertHolds(blobs, "a", text("two"), second.token ?? "");
    },
  },
  {
    name: "a replacement whose answer was lost is told to be the same when it is repeated, and writes nothing",
    run: async ({ blobs }) => {
      const first = await put(blobs, "a", text("one"));
      const { token } = await blobs.putIfToken("a", text("two"), first);
      assert.deepEqual(await blobs.putIfToken("a", text("two"), first), { is: "same", token });
      await assertHolds(blobs, "a", text("two"), token ?? "");
    },
  },
  {
    name: "each write has a token of its own, also of bytes that were there before",
    run: async ({ blobs }) => {
      const tokens = [await put(blobs, "a", text("0"))];
      for (let write = 1; write < 50; write++) {
        const answer = await blobs.putIfToken("a", text(`${write % 2}`), tokens.at(-1) ?? "");
        assert.ok(answer.is === "put");
        tokens.push(answer.token);
      }
      assert.equal(new Set(tokens).size, 50);
      for (const old of tokens.slice(0, -1)) {
        assert.equal((await blobs.putIfToken("a", text("zombie"), old)).is, "differs");
      }
    },
  },
  {
    name: "an empty blob is a blob",
    run: async ({ blobs }) => {
      const empty = new Uint8Array(0);
      const token = await put(blobs, "a", empty);
      await assertHolds(blobs, "a", empty, token);
      assert.equal((await blobs.putIfAbsent("a", empty)).is, "same");
      const full = await blobs.putIfToken("a", text("full"), token);
      assert.equal(full.is, "put");
      assert.equal((await blobs.putIfToken("a", empty, full.token ?? "")).is, "put");
      await assertHolds(blobs, "a", empty);
    },
  },
  {
    name: "bytes come back as they were: every value, part of a larger array, and no view of the caller's",
    run: async ({ blobs }) => {
      const bytes = everyPair();
      const part = bytes.subarray(1_001, 99_999);
      await put(blobs, "all", bytes);
      await put(blobs, "part", part);
      await put(blobs, "buffer", Buffer.from(part));
      const kept = Uint8Array.from(part);
      part.fill(0);
      await assertHolds(blobs, "part", kept);
      await assertHolds(blobs, "buffer", kept);
      const read = await blobs.read("all");
      assert.equal(read?.bytes.constructor, Uint8Array);
      assert.deepEqual(read.bytes, everyPair());
      read.bytes.fill(0);
      await assertHolds(blobs, "all", everyPair());
    },
  },
  {
    name: "a blob of 8 MB is put, compared, replaced and read whole",
    run: async ({ blobs }) => {
      const bytes = filled(8 * 1_048_576, 1);
      const token = await put(blobs, "large", bytes);
      assert.equal((await blobs.putIfAbsent("large", bytes)).is, "same");
      bytes[bytes.length - 1] = 2;
      assert.equal((await blobs.putIfAbsent("large", bytes)).is, "differs");
      assert.equal((await blobs.putIfToken("large", bytes, token)).is, "put");
      await assertHolds(blobs, "large", bytes);
    },
  },
  {
    name: "names are kept as they are: slashes, spaces, signs and accents tell them apart",
    run: async ({ blobs }) => {
      for (const name of names) await put(blobs, name, text(name));
      for (const name of names) await assertHolds(blobs, name, text(name));
    },
  },
  {
    name: "a name that would lead elsewhere, or that some store cannot keep, is refused for every call",
    run: async ({ blobs }) => {
      const isRefusal = (error: unknown) => isRepriseError(error, "REPRISE_BAD_DECLARATION");
      for (const name of badNames) {
        await assert.rejects(blobs.read(name), isRefusal, JSON.stringify(name));
        await assert.rejects(blobs.putIfAbsent(name, text("1")), isRefusal, JSON.stringify(name));
        await assert.rejects(blobs.putIfToken(name, text("1"), "t"), isRefusal, JSON.stringify(name));
      }
    },
  },
  {
    name: "a call whose signal has aborted rejects with its reason, and writes nothing",
    run: async ({ blobs }) => {
      const reason = new Error("no longer wanted");
      const signal = AbortSignal.abort(reason);
      await assert.rejects(blobs.putIfAbsent("a", text("1"), signal), reason);
      assert.equal(await blobs.read("a"), null);
      const token = await put(blobs, "a", text("1"));
      await assert.rejects(blobs.putIfToken("a", text("2"), token, signal), reason);
      await assert.rejects(blobs.read("a", signal), reason);
      await assertHolds(blobs, "a", text("1"), token);
    },
  },
];
