import assert from "node:assert/strict";
import { claimed, completed, effect, keepMs, type LedgerScenario, pastLeaseMs, takenOver, work } from "./ledger-kit.ts";

export const effectScenarios: readonly LedgerScenario[] = [
  {
    name: "starting an effect twice tells the first record and writes nothing",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      assert.deepEqual(await ledger.start(fence, effect("charge")), { is: "started" });
      const again = await ledger.start(fence, effect("charge", 99_000));
      assert.ok(again.is === "present");
      const { record } = again;
      assert.deepEqual([record.kind, record.state, record.answer, record.token], ["effect", "started", null, 1]);
      assert.ok(record.settlesInMs <= 1_000);
    },
  },
  {
    name: "an effect settles after its time, and restarting it moves that time on",
    run: async ({ ledger, passTime }) => {
      const { fence } = await claimed(ledger, "a");
      await ledger.start(fence, effect("charge", 5_000));
      await passTime(6_000);
      const settled = await ledger.start(fence, effect("charge"));
      assert.ok(settled.is === "present" && settled.record.settlesInMs <= 0);
      assert.equal(await ledger.restart(fence, effect("charge", 5_000)), true);
      const again = await ledger.start(fence, effect("charge"));
      assert.ok(again.is === "present" && again.record.settlesInMs > 0);
      await ledger.pin(fence.id, "charge", "a");
      assert.equal(await ledger.restart(fence, effect("charge", 5_000)), false, "it is answered");
      assert.equal(await ledger.restart(fence, effect("mail", 5_000)), false, "it was never started");
    },
  },
  {
    name: "a pin without an effect, or for work that is gone, says so",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      assert.deepEqual(await ledger.pin(fence.id, "charge", "a"), { is: "gone" });
      await ledger.release(fence, { keep: false, notBeforeMs: 0, error: null });
      assert.deepEqual(await ledger.pin(fence.id, "charge", "a"), { is: "gone" });
    },
  },
  {
    name: "a pin needs no fence: the late answer of an earlier owner counts, and the new owner finds it",
    run: async (stage) => {
      const zombie = await claimed(stage.ledger, "a");
      await stage.ledger.start(zombie.fence, effect("charge"));
      await stage.passTime(pastLeaseMs);
      const owner = await claimed(stage.ledger, "a");
      assert.equal(owner.effects[0]?.state, "started");
      assert.deepEqual(await stage.ledger.pin(zombie.fence.id, "charge", "late"), { is: "pinned" });
      const seen = await stage.ledger.start(owner.fence, effect("charge"));
      assert.ok(seen.is === "present" && seen.record.answer === "late" && seen.record.token === 1);
      await completed(stage.ledger, owner.fence, "outcome", ["charge"]);
    },
  },
  {
    name: "work is not parked for an answer that came meanwhile, and a person who parks it for another reason may",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      await ledger.start(fence, effect("charge"));
      await ledger.pin(fence.id, "charge", "1");
      const parking = { effect: "charge", why: "lost" };
      assert.equal(await ledger.park(fence, { ...parking, unlessAnswered: true }), "answered");
      assert.equal((await ledger.find(work("a")))?.is, "running");
      assert.equal(await ledger.park(fence, { ...parking, unlessAnswered: false }), "parked");
      assert.equal((await ledger.find(work("a")))?.is, "unknown");
    },
  },
  {
    name: "parked work whose last open effect is pinned becomes open, not before, and can be taken",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      await ledger.start(fence, effect("charge"));
      await ledger.start(fence, effect("mail"));
      await ledger.park(fence, { effect: "charge", why: "lost", unlessAnswered: true });
      await ledger.pin(fence.id, "charge", "1");
      assert.equal((await ledger.claim(work("a"))).is, "unknown", "another answer is missing");
      await ledger.pin(fence.id, "mail", "2");
      assert.equal((await ledger.find(work("a")))?.is, "open");
      const next = await claimed(ledger, "a");
      assert.deepEqual(next.effects.map((record) => record.answer).sort(), ["1", "2"]);
      const history = await ledger.history(fence.id);
      assert.deepEqual(
        history?.attempts.map((attempt) => attempt.what),
        ["parked", "reopened"],
      );
    },
  },
  {
    name: "completion in doubt: repeated after it happened it is fenced, and a claim replays; before, it completes",
    run: async ({ ledger }) => {
      const request = work("a");
      const first = await ledger.claim(request);
      assert.ok(first.is === "won");
      const completion = { outcome: "o", refused: false, keepMs, visited: [] };
      assert.equal((await ledger.claim(request)).is, "won", "not stored: it is still mine");
      assert.equal(await ledger.complete(first.fence, completion), "done");
      assert.equal(await ledger.complete(first.fence, completion), "fenced");
      const again = await ledger.claim(request);
      assert.ok(again.is === "done" && again.outcome === "o");
    },
  },
  {
    name: "a crash after the start leaves a started effect for the next owner, after the lease",
    run: async (stage) => {
      const first = await claimed(stage.ledger, "a");
      await stage.ledger.start(first.fence, effect("charge"));
      assert.equal((await stage.ledger.claim(work("a"))).is, "running");
      await stage.passTime(pastLeaseMs);
      const next = await claimed(stage.ledger, "a");
      assert.deepEqual(
        next.effects.map(({ effect: name, state, token }) => [name, state, token]),
        [["charge", "started", 1]],
      );
    },
  },
  {
    name: "a crash after the pin leaves the answer for the next owner",
    run: async (stage) => {
      const { zombie } = await takenOver(stage, "other");
      const first = await claimed(stage.ledger, "a");
      await stage.ledger.start(first.fence, effect("charge"));
      await stage.ledger.pin(first.fence.id, "charge", "answer");
      await stage.passTime(pastLeaseMs);
      const next = await claimed(stage.ledger, "a");
      assert.deepEqual([next.effects.length, next.effects[0]?.answer], [1, "answer"]);
      assert.notEqual(next.fence.id, zombie.id, "effects hang on their own work");
    },
  },
];
