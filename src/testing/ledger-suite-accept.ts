import assert from "node:assert/strict";
import { newWorkId } from "../base/names.ts";
import type { Acceptance, Ledger, Standing } from "../contract/ledger.ts";
import {
  accepted,
  claimed,
  completed,
  done,
  effect,
  keepMs,
  type LedgerScenario,
  later,
  leaseMs,
  pastLeaseMs,
  tally,
  work,
} from "./ledger-kit.ts";

const note = { who: "ann", why: "asked for by mistake" };

/** What a worker finds to do. */
async function due(ledger: Ledger<unknown>, idleMs = 0): Promise<readonly string[]> {
  return (await ledger.abandoned({ operations: ["book"], idleMs, limit: 10 })).map(({ id }) => id);
}

/** As an instance goes on with it. */
const resuming = { input: "input", resuming: true } as const;

function isOf<I extends Acceptance["is"]>(answer: Acceptance, is: I): asserts answer is Extract<Acceptance, { is: I }> {
  assert.equal(answer.is, is);
}

async function going(ledger: Ledger<unknown>, id: Parameters<typeof ledger.standing>[0]) {
  const standing = await ledger.standing(id);
  assert.ok(standing?.is === "going");
  return standing satisfies Standing;
}

export const acceptScenarios: readonly LedgerScenario[] = [
  {
    name: "accepted work is open and due, oldest first, and its claim hands over what it was accepted with",
    run: async (stage) => {
      const { ledger } = stage;
      const first = await accepted(ledger, "1", { input: "one" });
      await stage.passTime(10);
      const second = await accepted(ledger, "2", { input: "two" });
      const found = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 });
      assert.deepEqual(
        found.map(({ id, name, input, resumes, operation }) => ({ id, name, input, resumes, operation })),
        [
          { id: first, name: work("1").name, input: "one", resumes: 0, operation: "book" },
          { id: second, name: work("2").name, input: "two", resumes: 0, operation: "book" },
        ],
      );
      const claim = await claimed(ledger, "1", resuming);
      assert.deepEqual([claim.fence.id, claim.resumes, claim.tookOver, claim.cancelled], [first, 1, false, false]);
      assert.deepEqual(await due(ledger), [second]);
    },
  },
  {
    name: "of many acceptances of one work at once one is new, and all are told the same id",
    needs: ["severalInstances"],
    run: async (stage) => {
      const ledgers = [stage.ledger, await stage.another()];
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, place) => (ledgers[place % 2] ?? stage.ledger).accept(later("a", { key: "k" }))),
      );
      assert.deepEqual(tally(answers), { accepted: 20 });
      assert.equal(new Set(answers.map((answer) => (answer.is === "accepted" ? answer.id : answer.is))).size, 1);
      assert.equal(answers.filter((answer) => answer.is === "accepted" && answer.isNew).length, 1);
    },
  },
  {
    name: "an acceptance whose answer was lost is new again under the same id, and old under another",
    run: async ({ ledger }) => {
      const request = later("a");
      await ledger.accept(request);
      const repeated = await ledger.accept(request);
      isOf(repeated, "accepted");
      assert.deepEqual([repeated.id, repeated.isNew], [request.id, true]);
      const other = await ledger.accept(later("a"));
      isOf(other, "accepted");
      assert.deepEqual([other.id, other.isNew], [request.id, false]);
    },
  },
  {
    name: "P3 accepting other input under a kept identity or key is a mismatch and binds nothing",
    run: async ({ ledger }) => {
      await accepted(ledger, "a", { key: "k" });
      assert.equal((await ledger.accept(later("a", { key: "k2", payload: "other" }))).is, "mismatch");
      const foreign = await ledger.accept(later("b", { key: "k", payload: "other" }));
      isOf(foreign, "mismatch");
      assert.equal(foreign.firstSeen, null);
      assert.equal((await ledger.accept(later("c", { key: "k2" }))).is, "accepted");
      assert.equal(await ledger.find(work("b")), null);
    },
  },
  {
    name: "P2 accepting work that is done or parked tells how it stands, and work that keeps no input that it runs",
    run: async ({ ledger }) => {
      await done(ledger, "done");
      const told = await ledger.accept(later("done"));
      isOf(told, "done");
      assert.equal(told.outcome, "outcome");
      const parked = await claimed(ledger, "parked");
      await ledger.park(parked.fence, { effect: "charge", why: "lost", unlessAnswered: false });
      assert.equal((await ledger.accept(later("parked"))).is, "unknown");
      await claimed(ledger, "running");
      assert.equal((await ledger.accept(later("running"))).is, "running");
    },
  },
  {
    name: "who knows the id of accepted work is told how it stands, from waiting to its outcome",
    run: async (stage) => {
      const { ledger } = stage;
      assert.equal(await ledger.standing(newWorkId()), null);
      const id = await accepted(ledger, "a");
      const waiting = await going(ledger, id);
      assert.deepEqual(
        { ...waiting, since: 0 },
        { operation: "book", is: "going", since: 0, running: false, cancelled: false, progress: null },
      );
      const { fence } = await claimed(ledger, "a", resuming);
      assert.equal(await ledger.renew(fence, leaseMs, { done: 3, total: null }), "renewed");
      assert.deepEqual((await going(ledger, id)).progress, { done: 3, total: null });
      await ledger.renew(fence, leaseMs, { done: 4.5, total: 10 });
      await ledger.renew(fence, leaseMs, null);
      const running = await going(ledger, id);
      assert.deepEqual([running.running, running.progress], [true, { done: 4.5, total: 10 }]);
      assert.deepEqual((await ledger.history(id))?.run.progress, { done: 4.5, total: 10 });
      await completed(ledger, fence);
      const ended = await ledger.standing(id);
      assert.ok(ended?.is === "done" && ended.outcome === "outcome" && ended.operation === "book");
      assert.equal((await ledger.accept(later("a"))).is, "done");
    },
  },
  {
    name: "P10 a fenced owner reports no progress",
    run: async (stage) => {
      const { ledger } = stage;
      const id = await accepted(ledger, "a");
      const zombie = await claimed(ledger, "a", resuming);
      await stage.passTime(pastLeaseMs);
      await claimed(ledger, "a", resuming);
      assert.equal(await ledger.renew(zombie.fence, leaseMs, { done: 9, total: 9 }), "fenced");
      assert.equal((await going(ledger, id)).progress, null);
    },
  },
  {
    name: "cancelled work that waits is due at once, and its next claim is told so",
    run: async (stage) => {
      const { ledger } = stage;
      const id = await accepted(ledger, "a");
      const { fence } = await claimed(ledger, "a", resuming);
      await ledger.release(fence, { keep: true, notBeforeMs: leaseMs * 10, error: "Error" });
      assert.deepEqual(await due(ledger), []);
      assert.equal(await ledger.intervene(id, { does: "cancel" }, note), true);
      assert.equal(await ledger.intervene(id, { does: "cancel" }, note), false, "once");
      assert.equal((await going(ledger, id)).cancelled, true);
      assert.deepEqual(await due(ledger), [id]);
      assert.equal((await claimed(ledger, "a", resuming)).cancelled, true);
      const history = await ledger.history(id);
      assert.deepEqual([history?.attempts.at(-1)?.what, history?.attempts.at(-1)?.owner], ["cancelled", note.who]);
      assert.equal(history?.run.cancelled, true);
    },
  },
  {
    name: "the owner of cancelled running work hears of it when it renews, keeps its lease, and may end the work",
    run: async (stage) => {
      const { ledger } = stage;
      const id = await accepted(ledger, "a");
      const { fence } = await claimed(ledger, "a", resuming);
      assert.equal(await ledger.intervene(id, { does: "cancel" }, note), true);
      assert.equal(await ledger.renew(fence, leaseMs * 2, null), "cancelled");
      await stage.passTime(pastLeaseMs);
      assert.deepEqual(await due(ledger), []);
      const completion = { outcome: "cancelled", refused: true, keepMs, visited: [] };
      assert.equal(await ledger.complete(fence, completion), "done");
      assert.equal(await ledger.intervene(id, { does: "cancel" }, note), false, "over");
    },
  },
  {
    name: "work that keeps no input, or waits for a person, is not cancelled",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      assert.equal(await ledger.intervene(fence.id, { does: "cancel" }, note), false);
      const parked = await claimed(ledger, "b", { input: "input" });
      await ledger.park(parked.fence, { effect: "charge", why: "lost", unlessAnswered: false });
      assert.equal(await ledger.intervene(parked.fence.id, { does: "cancel" }, note), false);
    },
  },
  {
    name: "work is looked for by its id alone, and, for whoever asks so, only after it was left for a while",
    run: async (stage) => {
      const { ledger } = stage;
      const id = await accepted(ledger, "a");
      await accepted(ledger, "b");
      const one = (only: typeof id) =>
        ledger
          .abandoned({ operations: ["book"], idleMs: 0, limit: 10, id: only })
          .then((found) => found.map((w) => w.id));
      assert.deepEqual(await one(id), [id]);
      assert.deepEqual(await one(newWorkId()), []);
      assert.deepEqual(await due(ledger, leaseMs), []);
      await stage.passTime(pastLeaseMs);
      assert.equal((await due(ledger, leaseMs)).length, 2);
      const { fence } = await claimed(ledger, "a", resuming);
      assert.deepEqual(await one(id), []);
      await ledger.start(fence, effect("charge"));
      await stage.passTime(pastLeaseMs);
      assert.deepEqual(await due(ledger, leaseMs), [await ledger.accept(later("b")).then(idOf)]);
      assert.deepEqual(await one(id), [id]);
    },
  },
  {
    name: "work that was parked after many resumes counts them from 0 when a person opens it again",
    run: async ({ ledger }) => {
      const id = await accepted(ledger, "a");
      for (let resume = 1; resume <= 3; resume += 1) {
        const claim = await claimed(ledger, "a", resuming);
        assert.equal(claim.resumes, resume);
        if (resume < 3) await ledger.release(claim.fence, { keep: true, notBeforeMs: 0, error: "Error" });
        else await ledger.park(claim.fence, { effect: "(run)", why: "Error", unlessAnswered: false });
      }
      assert.equal(await ledger.intervene(id, { does: "reopen" }, note), true);
      const [open] = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 });
      assert.deepEqual([open?.id, open?.resumes], [id, 0]);
    },
  },
  {
    name: "work accepted in a caller's transaction is there with its commit, and never after its rollback",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      const request = later("a", { key: "k" });
      await ledger.transaction(async (tx) => {
        await stage.insertBooking(tx, "a");
        const answer = await ledger.acceptIn(tx, request);
        isOf(answer, "accepted");
        assert.deepEqual([answer.id, answer.isNew], [request.id, true]);
      });
      assert.deepEqual(await due(ledger), [request.id]);
      await assert.rejects(
        ledger.transaction(async (tx) => {
          isOf(await ledger.acceptIn(tx, later("b", { key: "k2" })), "accepted");
          throw new Error("rolled back");
        }),
        /rolled back/,
      );
      assert.deepEqual(await due(ledger), [request.id]);
      assert.equal(await ledger.find(work("b", { key: "k2" })), null);
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "in a caller's transaction, work that stands already is told as it stands, and that transaction goes on",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      const id = await accepted(ledger, "a");
      await done(ledger, "b");
      await ledger.transaction(async (tx) => {
        const again = await ledger.acceptIn(tx, later("a", { key: "further" }));
        isOf(again, "accepted");
        assert.deepEqual([again.id, again.isNew], [id, false]);
        isOf(await ledger.acceptIn(tx, later("b")), "done");
        isOf(await ledger.acceptIn(tx, later("a", { payload: "other" })), "mismatch");
        await stage.insertBooking(tx, "after");
      });
      assert.deepEqual(await stage.bookings(), ["after"]);
      assert.equal((await ledger.find(work("c", { key: "further" })))?.is, "mismatch", "the further key is bound");
    },
  },
];

function idOf(answer: Acceptance): string {
  return answer.is === "accepted" ? answer.id : answer.is;
}
