import assert from "node:assert/strict";
import type { BlobStore } from "../contract/blob-store.ts";
import { assertHolds, filled, put, text } from "./blob-store-kit.ts";
import type { BlobScenario, BlobStoreStage } from "./blob-store-suite.ts";
import { pick, tally } from "./ledger-kit.ts";

const writers = Array.from({ length: 20 }, (_, index) => index);

/** Concurrent calls that count winners; `several`: over three instances of one store. */
function races(several: boolean): readonly BlobScenario[] {
  const needs = several ? (["severalInstances"] as const) : ([] as const);
  const where = several ? "three instances" : "one instance";
  const instances = async (stage: BlobStoreStage): Promise<readonly BlobStore[]> =>
    several ? [stage.blobs, await stage.another(), await stage.another()] : [stage.blobs];

  return [
    {
      name: `of twenty that put differing bytes one does, and what it put is there (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        for (const name of ["a", "b/c", "b/d"]) {
          const answers = await Promise.all(
            writers.map((index) => pick(stores, index).putIfAbsent(name, text(`${name} by ${index}`))),
          );
          assert.deepEqual(tally(answers), { put: 1, differs: 19 });
          const winner = answers.findIndex(({ is }) => is === "put");
          const { token } = pick(answers, winner);
          await assertHolds(stage.blobs, name, text(`${name} by ${winner}`), token);
          assert.deepEqual(new Set(answers.map((answer) => answer.token)), new Set([token]));
        }
      },
    },
    {
      name: `of twenty that put the same bytes one does, and to nineteen they are the same (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        for (const name of ["a", "b/c", "b/d"]) {
          const answers = await Promise.all(
            writers.map((index) => pick(stores, index).putIfAbsent(name, text("pinned"))),
          );
          assert.deepEqual(tally(answers), { put: 1, same: 19 });
          assert.equal(new Set(answers.map(({ token }) => token)).size, 1);
        }
      },
    },
    {
      name: `of twenty that replace by one token one does, and what it wrote is there (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        let token = await put(stage.blobs, "a", text("first"));
        for (let round = 0; round < 5; round++) {
          const answers = await Promise.all(
            writers.map((index) => pick(stores, index).putIfToken("a", text(`${round} by ${index}`), token)),
          );
          assert.deepEqual(tally(answers), { put: 1, differs: 19 });
          const winner = answers.findIndex(({ is }) => is === "put");
          token = pick(answers, winner).token ?? "";
          await assertHolds(stage.blobs, "a", text(`${round} by ${winner}`), token);
        }
      },
    },
    {
      name: `of twenty that replace by one token with the same bytes one does, and to nineteen they are the same (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        const token = await put(stage.blobs, "a", text("first"));
        const answers = await Promise.all(
          writers.map((index) => pick(stores, index).putIfToken("a", text("second"), token)),
        );
        assert.deepEqual(tally(answers), { put: 1, same: 19 });
      },
    },
    {
      name: `what ten writers add to one blob by reading and replacing is all there (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        await put(stage.blobs, "list", text(""));
        const add = async (blobs: BlobStore, line: string): Promise<void> => {
          const there = await blobs.read("list");
          assert.ok(there !== null);
          const longer = new Uint8Array([...there.bytes, ...text(`${line}\n`)]);
          if ((await blobs.putIfToken("list", longer, there.token)).is !== "put") await add(blobs, line);
        };
        const lines = (index: number) => ["x", "y", "z"].map((letter) => `${letter}${index}`);
        const adding = async (index: number) => {
          for (const line of lines(index)) await add(pick(stores, index), line);
        };
        await Promise.all(writers.slice(0, 10).map(adding));
        const list = new TextDecoder().decode((await stage.blobs.read("list"))?.bytes);
        assert.deepEqual(list.trim().split("\n").toSorted(), writers.slice(0, 10).flatMap(lines).toSorted());
      },
    },
    {
      name: `readers see a whole blob, the old or the new one, never none and never half of one (${where})`,
      needs,
      run: async (stage) => {
        const stores = await instances(stage);
        const versions = [filled(300_000, 1), filled(200_000, 2), filled(300_000, 3)];
        let token = await put(stage.blobs, "a", pick(versions, 0));
        let isWritten = false;
        let reads = 0;
        const read = async (blobs: BlobStore) => {
          while (!isWritten) {
            const there = await blobs.read("a");
            assert.ok(there !== null, "there was none");
            const whole = versions.find(([first]) => first === there.bytes[0]);
            assert.ok(whole !== undefined && Buffer.compare(there.bytes, whole) === 0, "it was no whole version");
            reads += 1;
          }
        };
        const write = async () => {
          try {
            for (let round = 1; round <= 40; round++) {
              const answer = await stage.blobs.putIfToken("a", pick(versions, round), token);
              assert.ok(answer.is === "put");
              token = answer.token;
            }
          } finally {
            isWritten = true;
          }
        };
        await Promise.all([write(), ...writers.slice(0, 4).map((index) => read(pick(stores, index)))]);
        assert.ok(reads > 20, `only ${reads} reads`);
      },
    },
  ];
}

export const raceScenarios: readonly BlobScenario[] = [...races(false), ...races(true)];
