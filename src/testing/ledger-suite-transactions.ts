import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { isRepriseError } from "../base/errors.ts";
import type { Claim, Ledger } from "../contract/ledger.ts";
import type { LedgerStage } from "./ledger-adapter.ts";
import {
  claimed,
  completed,
  keepMs,
  type LedgerScenario,
  pastKeepMs,
  pastLeaseMs,
  takenOver,
  work,
} from "./ledger-kit.ts";

const needs = ["transactions"] as const;

/** Runs work in the asynchronous context that loaded this module: no transaction's, as another request would. */
const outside = AsyncResource.bind((run: () => void) => run());

/** The user's work: one booking, and its outcome. */
export function booking<Tx>(stage: LedgerStage<Tx>, identity: string, outcome = "outcome") {
  return async (tx: Tx) => {
    await stage.insertBooking(tx, identity);
    return { value: identity, outcome, answer: outcome, refused: false };
  };
}

async function refuses(promise: Promise<unknown>, message: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => error instanceof Error && error.message === message);
}

/** Runs database work that may be told `running` while another attempt's transaction is open. */
export async function atomicUntilKnown<Tx>(
  ledger: Ledger<Tx>,
  request: ReturnType<typeof work>,
  run: (tx: Tx) => Promise<{ value: string; outcome: string; refused: boolean }>,
) {
  for (;;) {
    const answer = await ledger.atomic(request, run).catch((error: unknown) => {
      if (error instanceof Error && error.message === "rolled back") return null;
      throw error;
    });
    if (answer !== null && answer.is !== "running") return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const transactionScenarios: readonly LedgerScenario[] = [
  {
    name: "a plain transaction commits what it wrote, or nothing of it, and rethrows",
    needs,
    run: async (stage) => {
      assert.equal(await stage.ledger.transaction(async (tx) => (await booking(stage, "a")(tx)).value), "a");
      await refuses(
        stage.ledger.transaction(async (tx) => {
          await stage.insertBooking(tx, "b");
          throw new Error("no");
        }),
        "no",
      );
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "database work and its outcome commit together, and a later attempt is told the outcome",
    needs,
    run: async (stage) => {
      const first = await stage.ledger.atomic(work("a", { key: "k" }), booking(stage, "a"));
      assert.ok(first.is === "ran" && first.value === "a");
      const second = await stage.ledger.atomic(work("a", { key: "k" }), booking(stage, "a", "other"));
      assert.deepEqual(second, { is: "done", outcome: "outcome", at: first.at });
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "database work that throws leaves no booking and no record, and the next attempt runs",
    needs,
    run: async (stage) => {
      const failing = stage.ledger.atomic(work("a", { key: "k" }), async (tx) => {
        await stage.insertBooking(tx, "a");
        throw new Error("sold out");
      });
      await refuses(failing, "sold out");
      assert.deepEqual(await stage.bookings(), []);
      assert.equal(await stage.ledger.find(work("a", { key: "k" })), null);
      assert.equal((await stage.ledger.recent({ limit: 1 })).length, 0);
      assert.equal((await stage.ledger.atomic(work("b", { key: "k" }), booking(stage, "b"))).is, "ran");
      assert.equal((await stage.ledger.atomic(work("a"), booking(stage, "a"))).is, "ran");
    },
  },
  {
    name: "database work: other input is a mismatch, another work's key too, and neither runs",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      await ledger.atomic(work("a", { key: "k" }), booking(stage, "a"));
      assert.equal((await ledger.atomic(work("a", { payload: "other" }), booking(stage, "x"))).is, "mismatch");
      assert.deepEqual(await ledger.atomic(work("b", { key: "k" }), booking(stage, "x")), {
        is: "mismatch",
        firstSeen: null,
      });
      assert.equal((await ledger.atomic(work("a", { key: "k2" }), booking(stage, "x"))).is, "done");
      assert.equal((await ledger.atomic(work("b", { key: "k2" }), booking(stage, "x"))).is, "mismatch");
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "while database work is open, a second attempt runs nothing: it is told running, or waits and is replayed",
    needs,
    run: async (stage) => {
      let open = () => {};
      const opened = new Promise<void>((resolve) => {
        open = resolve;
      });
      let enter = () => {};
      const entered = new Promise<void>((resolve) => {
        enter = resolve;
      });
      const first = stage.ledger.atomic(work("a"), async (tx) => {
        enter();
        await opened;
        return booking(stage, "a")(tx);
      });
      await entered;
      const second = stage.ledger.atomic(work("a"), booking(stage, "a", "other"));
      await new Promise((resolve) => setImmediate(resolve));
      open();
      assert.equal((await first).is, "ran");
      const answer = await second;
      assert.ok(answer.is === "running" || (answer.is === "done" && answer.outcome === "outcome"));
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "database work in doubt: claiming again replays it when it committed and runs it when it did not",
    needs,
    run: async (stage) => {
      await stage.ledger.atomic(work("committed"), booking(stage, "committed"));
      await stage.ledger.atomic(work("lost"), async () => Promise.reject(new Error("cut"))).catch(() => undefined);
      assert.equal((await stage.ledger.atomic(work("committed"), booking(stage, "committed"))).is, "done");
      assert.equal((await stage.ledger.atomic(work("lost"), booking(stage, "lost"))).is, "ran");
      assert.deepEqual([...(await stage.bookings())].sort(), ["committed", "lost"]);
    },
  },
  {
    name: "past its keep, database work runs again",
    needs,
    run: async (stage) => {
      await stage.ledger.atomic(work("a", { key: "k" }), booking(stage, "a"));
      await stage.passTime(pastKeepMs);
      assert.equal((await stage.ledger.atomic(work("a", { key: "k" }), booking(stage, "a"))).is, "ran");
    },
  },
  {
    name: "a transaction of external work commits its writes with its record, and is adopted afterwards",
    needs,
    run: async (stage) => {
      const { fence } = await claimed(stage.ledger, "a");
      assert.deepEqual(await stage.ledger.transact(fence, "seat", booking(stage, "a", "answer")), {
        is: "committed",
        value: "a",
      });
      assert.deepEqual(await stage.ledger.transact(fence, "seat", booking(stage, "a", "again")), {
        is: "present",
        answer: "answer",
      });
      await stage.passTime(pastLeaseMs);
      const next = await claimed(stage.ledger, "a");
      assert.deepEqual(
        next.effects.map(({ effect, kind, state, answer }) => [effect, kind, state, answer]),
        [["seat", "transaction", "pinned", "answer"]],
      );
      assert.equal((await stage.ledger.transact(next.fence, "seat", booking(stage, "a"))).is, "present");
      await completed(stage.ledger, next.fence, "outcome", ["seat"]);
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "the last transaction of external work commits its writes with the outcome, and keeps no record of its own",
    needs,
    run: async (stage) => {
      const { fence } = await claimed(stage.ledger, "a");
      const concluding = { keepMs, visited: [] };
      assert.deepEqual(await stage.ledger.conclude(fence, concluding, booking(stage, "a", "told")), {
        is: "done",
        value: "a",
      });
      const again = await stage.ledger.claim(work("a"));
      assert.equal(again.is === "done" && again.outcome, "told");
      assert.deepEqual((await stage.ledger.history(fence.id))?.effects, []);
      assert.deepEqual(await stage.ledger.conclude(fence, concluding, booking(stage, "b")), { is: "fenced" });
      assert.deepEqual(await stage.bookings(), ["a"]);
      await stage.passTime(pastKeepMs);
      assert.equal((await stage.ledger.claim(work("a"))).is, "won");
    },
  },
  {
    name: "a last transaction that throws leaves the work running and nothing written, and may be repeated",
    needs,
    run: async (stage) => {
      const { fence } = await claimed(stage.ledger, "a");
      const concluding = { keepMs, visited: [] };
      const failing = stage.ledger.conclude(fence, concluding, async (tx) => {
        await stage.insertBooking(tx, "a");
        throw new Error("the work failed");
      });
      await refuses(failing, "the work failed");
      assert.deepEqual(await stage.bookings(), []);
      assert.equal((await stage.ledger.claim(work("a"))).is, "running");
      assert.equal((await stage.ledger.conclude(fence, concluding, booking(stage, "a"))).is, "done");
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "P6, P7, P10: a last transaction begins over no open and no unvisited effect, and not for a zombie",
    needs,
    run: async (stage) => {
      const { zombie, owner } = await takenOver(stage, "a");
      await stage.ledger.start(owner, { effect: "charge", settleMs: 1_000 });
      const concluding = { keepMs, visited: ["charge"] };
      assert.deepEqual(await stage.ledger.conclude(zombie, concluding, booking(stage, "z")), { is: "fenced" });
      assert.deepEqual(await stage.ledger.conclude(owner, concluding, booking(stage, "a")), { is: "effects-differ" });
      await stage.ledger.pin(owner.id, "charge", "answer");
      assert.deepEqual(await stage.ledger.conclude(owner, { keepMs, visited: [] }, booking(stage, "a")), {
        is: "effects-differ",
      });
      assert.deepEqual(await stage.bookings(), []);
      assert.equal((await stage.ledger.conclude(owner, concluding, booking(stage, "a"))).is, "done");
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "a transaction of external work that throws leaves nothing, and may be repeated",
    needs,
    run: async (stage) => {
      const { fence } = await claimed(stage.ledger, "a");
      const failing = stage.ledger.transact(fence, "seat", async (tx) => {
        await stage.insertBooking(tx, "a");
        throw new Error("deadlock");
      });
      await refuses(failing, "deadlock");
      assert.deepEqual(await stage.bookings(), []);
      assert.equal((await stage.ledger.transact(fence, "seat", booking(stage, "a"))).is, "committed");
    },
  },
  {
    name: "nobody takes work over while its transaction is open, though its lease ends meanwhile",
    needs,
    run: async (stage) => {
      const { fence } = await claimed(stage.ledger, "a");
      let next: Promise<Claim> | undefined;
      const transaction = await stage.ledger.transact(fence, "seat", async (tx) => {
        await stage.passTime(pastLeaseMs);
        outside(() => {
          next = stage.ledger.claim(work("a"));
        });
        return booking(stage, "a", "answer")(tx);
      });
      assert.equal(transaction.is, "committed");
      const claim = await next;
      assert.ok(claim !== undefined);
      // told running meanwhile, or taken over after the commit, which it then sees
      if (claim.is === "won") assert.equal(claim.effects.length, 1);
      else assert.equal(claim.is, "running");
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "joined work lives and dies with the caller's transaction",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      await refuses(
        ledger.transaction(async (tx) => {
          assert.equal((await ledger.join(tx, work("a", { key: "k" }), booking(stage, "a"))).is, "ran");
          throw new Error("caller rolls back");
        }),
        "caller rolls back",
      );
      assert.deepEqual([await stage.bookings(), await ledger.find(work("a", { key: "k" }))], [[], null]);
      await ledger.transaction(async (tx) => {
        assert.equal((await ledger.join(tx, work("a", { key: "k" }), booking(stage, "a"))).is, "ran");
        const again = await ledger.join(tx, work("a", { key: "k" }), booking(stage, "a"));
        assert.ok(again.is === "done" && again.outcome === "outcome", "its own transaction sees it");
        assert.equal((await ledger.join(tx, work("b", { key: "k" }), booking(stage, "b"))).is, "mismatch");
      });
      assert.equal((await ledger.atomic(work("a", { key: "k" }), booking(stage, "a"))).is, "done");
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "joined work that throws undoes itself alone: the caller's transaction goes on",
    needs,
    run: async (stage) => {
      const { ledger } = stage;
      await ledger.transaction(async (tx) => {
        await stage.insertBooking(tx, "caller");
        const failing = ledger.join(tx, work("a"), async (own) => {
          await stage.insertBooking(own, "a");
          throw new Error("refused");
        });
        await refuses(failing, "refused");
        assert.equal((await ledger.join(tx, work("b"), booking(stage, "b"))).is, "ran");
      });
      assert.deepEqual([...(await stage.bookings())].sort(), ["b", "caller"]);
      assert.equal(await ledger.find(work("a")), null);
    },
  },
  {
    name: "a transaction that has ended cannot be joined",
    needs,
    run: async (stage) => {
      let kept: { readonly tx: unknown } | undefined;
      await stage.ledger.transaction(async (tx) => {
        kept = { tx };
      });
      const { ledger } = stage;
      const late = ledger.join(kept?.tx as never, work("a"), booking(stage, "a"));
      await assert.rejects(late, (error: unknown) => isRepriseError(error));
      assert.deepEqual(await stage.bookings(), []);
    },
  },
  {
    name: "P10: an earlier owner's transaction is fenced and runs nothing, before and after the new owner completes",
    needs,
    run: async (stage) => {
      const { zombie, owner } = await takenOver(stage, "a");
      assert.equal((await stage.ledger.transact(zombie, "seat", booking(stage, "zombie"))).is, "fenced");
      await completed(stage.ledger, owner);
      assert.equal((await stage.ledger.transact(zombie, "seat", booking(stage, "zombie"))).is, "fenced");
      assert.deepEqual(await stage.bookings(), []);
    },
  },
];
