import assert from "node:assert/strict";
import { isRepriseError } from "../base/errors.ts";
import type { Atomic, Ledger, Piece, WorkRequest } from "../contract/ledger.ts";
import { batchingOf } from "../operation/batching.ts";
import type { LedgerStage } from "./ledger-adapter.ts";
import { claimed, done, type LedgerScenario, pastKeepMs, work } from "./ledger-kit.ts";

const needs = ["transactions"] as const;

/** A booking of `identity`, or what `run` does. */
function piece<Tx>(
  stage: LedgerStage<Tx>,
  request: WorkRequest,
  run = (tx: Tx) => stage.insertBooking(tx, request.about.identity),
): Piece<Tx, string> {
  return {
    request,
    run: async (tx) => {
      await run(tx);
      return request.about.identity;
    },
    finish: (value) => ({ value: String(value), outcome: `outcome ${value}`, refused: false }),
  };
}

function failing<Tx>(stage: LedgerStage<Tx>, identity: string): Piece<Tx, string> {
  return piece(stage, work(identity), async () => {
    throw new Error("sold out");
  });
}

const isSoldOut = (error: unknown) => error instanceof Error && error.message === "sold out";
const kinds = (answers: readonly Atomic<string>[]) => answers.map(({ is }) => is);

/** Until nobody else is at any of it, as callers ask who were told so. */
async function untilKnown<Tx>(ledger: Ledger<Tx>, pieces: readonly Piece<Tx, string>[]): Promise<void> {
  for (;;) {
    const answers = await batchingOf(ledger)
      .atomic(pieces)
      .catch((error: unknown) => {
        if (isRepriseError(error, "REPRISE_RETRY_TRANSACTION")) return null;
        throw error;
      });
    if (answers?.every(({ is }) => is !== "running") === true) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Several pieces of work in one commit, whether the ledger has its own way for that or joins them one after the other. */
export const batchScenarios: readonly LedgerScenario[] = [
  {
    name: "database work of several commits together, in its order, and each is told its own outcome later",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      const order: string[] = [];
      const pieces = ["a", "b", "c"].map((identity) =>
        piece(stage, work(identity, { key: `key ${identity}` }), async (tx) => {
          order.push(identity);
          await stage.insertBooking(tx, identity);
        }),
      );
      const answers = await batchingOf(ledger).atomic(pieces);
      assert.deepEqual(
        answers.map((answer) => (answer.is === "ran" ? answer.value : answer.is)),
        ["a", "b", "c"],
      );
      assert.deepEqual(order, ["a", "b", "c"]);
      assert.deepEqual([...(await stage.bookings())].sort(), ["a", "b", "c"]);
      const [, second] = answers;
      assert.ok(second?.is === "ran");
      assert.deepEqual(await ledger.find(work("b", { key: "key b" })), {
        is: "done",
        outcome: "outcome b",
        at: second.at,
      });
      assert.equal((await ledger.find(work("other", { key: "key b" })))?.is, "mismatch");
    },
  },
  {
    name: "database work of several leaves nothing of any where one throws, and all may run again",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      const pieces = [piece(stage, work("a")), failing(stage, "b"), piece(stage, work("c"))];
      await assert.rejects(batchingOf(ledger).atomic(pieces), isSoldOut);
      assert.deepEqual(await stage.bookings(), []);
      assert.equal(await ledger.find(work("a")), null);
      const again = await batchingOf(ledger).atomic(["a", "b", "c"].map((identity) => piece(stage, work(identity))));
      assert.deepEqual(kinds(again), ["ran", "ran", "ran"]);
      assert.deepEqual([...(await stage.bookings())].sort(), ["a", "b", "c"]);
    },
  },
  {
    name: "database work of several: what is done, is another's or runs elsewhere is told so, and the rest runs",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      await done(ledger, "done", { key: "k" });
      await claimed(ledger, "running");
      const answers = await batchingOf(ledger).atomic([
        piece(stage, work("done")),
        piece(stage, work("a")),
        piece(stage, work("running")),
        piece(stage, work("b", { key: "k" })),
        piece(stage, work("c", { key: "k2" })),
      ]);
      assert.deepEqual(kinds(answers), ["done", "ran", "running", "mismatch", "ran"]);
      const [told] = answers;
      assert.ok(told?.is === "done" && told.outcome === "outcome");
      assert.deepEqual([...(await stage.bookings())].sort(), ["a", "c"]);
    },
  },
  {
    name: "database work of several binds a further key of what is done, and runs what is past its keep",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      await done(ledger, "old", { key: "k" });
      await stage.passTime(pastKeepMs);
      await done(ledger, "done");
      const answers = await batchingOf(ledger).atomic([
        piece(stage, work("done", { key: "further" })),
        piece(stage, work("old", { key: "k" })),
      ]);
      assert.deepEqual(kinds(answers), ["done", "ran"]);
      assert.equal((await ledger.find(work("x", { key: "further" })))?.is, "mismatch");
      assert.deepEqual(await stage.bookings(), ["old"]);
    },
  },
  {
    name: "runs in one plain transaction commit what they wrote, or nothing of it, and tell their values in order",
    needs,
    run: async (stage) => {
      const book = (identity: string) => async (tx: Parameters<typeof stage.insertBooking>[0]) => {
        await stage.insertBooking(tx, identity);
        return identity;
      };
      const { transaction } = batchingOf(stage.ledger);
      assert.deepEqual(await transaction([book("a"), book("b")]), ["a", "b"]);
      const refused = transaction([book("c"), () => Promise.reject(new Error("sold out")), book("d")]);
      await assert.rejects(refused, isSoldOut);
      assert.deepEqual([...(await stage.bookings())].sort(), ["a", "b"]);
    },
  },
  {
    name: "database work that two instances have among several, at once, runs once",
    needs: ["transactions", "severalInstances"],
    run: async (stage) => {
      const other = await stage.another();
      const pieces = (identities: readonly string[]) => identities.map((identity) => piece(stage, work(identity)));
      await Promise.all([
        untilKnown(stage.ledger, pieces(["a", "b", "c"])),
        untilKnown(other, pieces(["c", "b", "d"])),
        untilKnown(stage.ledger, pieces(["d", "a"])),
      ]);
      assert.deepEqual([...(await stage.bookings())].sort(), ["a", "b", "c", "d"]);
    },
  },
];
