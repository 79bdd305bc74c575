import assert from "node:assert/strict";
import {
  claimed,
  done,
  effect,
  keepMs,
  type LedgerScenario,
  leaseMs,
  pastKeepMs,
  pastLeaseMs,
  takenOver,
  won,
  work,
} from "./ledger-kit.ts";

export const claimScenarios: readonly LedgerScenario[] = [
  {
    name: "a first claim wins with token 1 and no effects, a second is told that it runs and how long",
    run: async ({ ledger }) => {
      const first = await claimed(ledger, "a");
      assert.deepEqual([first.token, first.effects], [1, []]);
      const second = await ledger.claim(work("a"));
      assert.ok(second.is === "running");
      assert.ok(second.retryAfterMs > 0 && second.retryAfterMs <= leaseMs);
    },
  },
  {
    name: "repeating a claim with the same attempt wins again with the same fence: its answer may have been lost",
    run: async ({ ledger, passTime }) => {
      const request = work("a", { key: "k" });
      const first = won(await ledger.claim(request));
      await passTime(pastLeaseMs);
      const again = won(await ledger.claim(request));
      assert.deepEqual(again, first);
      assert.equal((await ledger.claim(work("a"))).is, "running", "the lease counts from the repeated claim");
    },
  },
  {
    name: "a renewed lease keeps the work; an ended one gives it to the next attempt with the next token",
    run: async ({ ledger, passTime }) => {
      const first = await claimed(ledger, "a");
      await passTime(leaseMs - 1_000);
      assert.equal(await ledger.renew(first.fence, leaseMs, null), "renewed");
      await passTime(leaseMs - 1_000);
      assert.equal((await ledger.claim(work("a"))).is, "running");
      await passTime(2_000);
      const second = await claimed(ledger, "a");
      assert.deepEqual([second.token, second.fence.id], [2, first.fence.id]);
      assert.notEqual(second.fence.attempt, first.fence.attempt);
    },
  },
  {
    name: "other input under the same identity is a mismatch before running, and tells when the first was seen",
    run: async ({ ledger }) => {
      await claimed(ledger, "a");
      const before = await ledger.recent({ limit: 1 });
      const claim = await ledger.claim(work("a", { payload: "other" }));
      assert.deepEqual(claim, { is: "mismatch", firstSeen: before[0]?.createdAt });
    },
  },
  {
    name: "another work's key is a mismatch that tells nothing of that work",
    run: async ({ ledger }) => {
      await claimed(ledger, "a", { key: "k" });
      assert.deepEqual(await ledger.claim(work("b", { key: "k" })), { is: "mismatch", firstSeen: null });
    },
  },
  {
    name: "a further key is bound by a replay and by a running answer, and then belongs to the work",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a", { key: "k1" });
      assert.equal((await ledger.claim(work("a", { key: "k2" }))).is, "running");
      assert.equal(await ledger.complete(fence, { outcome: "o", refused: false, keepMs, visited: [] }), "done");
      assert.equal((await ledger.claim(work("a", { key: "k3" }))).is, "done");
      for (const key of ["k1", "k2", "k3"]) {
        assert.equal((await ledger.claim(work("a", { key }))).is, "done");
        assert.equal((await ledger.claim(work("b", { key }))).is, "mismatch");
      }
    },
  },
  {
    name: "a mismatch binds no key",
    run: async ({ ledger }) => {
      await claimed(ledger, "a", { key: "k1" });
      assert.equal((await ledger.claim(work("a", { key: "k2", payload: "other" }))).is, "mismatch");
      assert.equal((await ledger.claim(work("b", { key: "k2" }))).is, "won");
    },
  },
  {
    name: "a replay under a new key lengthens the record, so that the key's promise holds",
    run: async ({ ledger, passTime }) => {
      await done(ledger, "a", { key: "k1" });
      await passTime(keepMs * 0.9);
      assert.equal((await ledger.claim(work("a", { key: "k2" }))).is, "done");
      await passTime(keepMs * 0.9);
      assert.equal(await ledger.sweep(10), 0);
      assert.equal((await ledger.claim(work("a", { key: "k2" }))).is, "done");
      assert.equal((await ledger.claim(work("b", { key: "k1" }))).is, "mismatch", "keys live as long as their work");
    },
  },
  {
    name: "past its keep work is gone with its keys: they serve other work, and it runs anew under a new id",
    run: async ({ ledger, passTime }) => {
      const first = await done(ledger, "a", { key: "k1" });
      await ledger.claim(work("a", { key: "k2" }));
      await passTime(pastKeepMs);
      assert.equal((await ledger.claim(work("b", { key: "k2" }))).is, "won");
      assert.equal((await ledger.claim(work("c", { key: "k1" }))).is, "won");
      const again = await claimed(ledger, "a", { key: "k3" });
      assert.deepEqual([again.token, again.effects], [1, []]);
      assert.notEqual(again.fence.id, first.fence.id);
    },
  },
  {
    name: "a further key of an earlier incarnation, swept or claimed over, does not pass to the next",
    run: async ({ ledger, passTime }) => {
      for (const [identity, sweep] of [
        ["claimed over", false],
        ["swept", true],
      ] as const) {
        await done(ledger, identity);
        await ledger.claim(work(identity, { key: `${identity} further` }));
        await passTime(pastKeepMs);
        if (sweep) await ledger.sweep(10);
        await claimed(ledger, identity);
        assert.equal((await ledger.claim(work(`other ${identity}`, { key: `${identity} further` }))).is, "won");
      }
    },
  },
  {
    name: "keep counts from completion, not from the claim",
    run: async ({ ledger, passTime }) => {
      const { fence } = await claimed(ledger, "a");
      await passTime(keepMs);
      assert.equal(await ledger.complete(fence, { outcome: "o", refused: false, keepMs, visited: [] }), "done");
      await passTime(keepMs - 1_000);
      assert.equal((await ledger.claim(work("a"))).is, "done");
    },
  },
  {
    name: "released without an effect, work is gone: the same identity starts anew, its key is free",
    run: async ({ ledger }) => {
      const first = await claimed(ledger, "a", { key: "k" });
      assert.equal(await ledger.release(first.fence, { keep: false, notBeforeMs: 0, error: "Error" }), "released");
      assert.equal(await ledger.history(first.fence.id), null);
      assert.equal((await ledger.claim(work("b", { key: "k" }))).is, "won");
      assert.equal((await claimed(ledger, "a")).token, 1);
    },
  },
  {
    name: "released with an effect, work waits until it is due, and the next attempt sees what happened",
    run: async ({ ledger, passTime }) => {
      const first = await claimed(ledger, "a");
      await ledger.start(first.fence, effect("charge"));
      assert.equal(await ledger.release(first.fence, { keep: false, notBeforeMs: 5_000, error: "TypeError" }), "open");
      const early = await ledger.claim(work("a"));
      assert.ok(early.is === "running" && early.retryAfterMs > 0 && early.retryAfterMs <= 5_000);
      assert.equal((await ledger.find(work("a")))?.is, "running");
      await passTime(5_001);
      assert.equal((await ledger.find(work("a")))?.is, "open");
      const second = await claimed(ledger, "a");
      assert.deepEqual([second.token, second.effects.length, second.effects[0]?.state], [2, 1, "started"]);
    },
  },
  {
    name: "parked work is told as unknown, to later claims with the same input only",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      await ledger.start(fence, effect("charge"));
      const parking = { effect: "charge", why: "answer lost", unlessAnswered: true };
      assert.equal(await ledger.park(fence, parking), "parked");
      const later = await ledger.claim(work("a"));
      assert.ok(later.is === "unknown" && later.effect === "charge");
      assert.equal((await ledger.claim(work("a", { payload: "other" }))).is, "mismatch");
    },
  },
  {
    name: "find tells what a claim would, and writes nothing",
    run: async (stage) => {
      const { ledger } = stage;
      assert.equal(await ledger.find(work("a", { key: "k" })), null);
      assert.equal((await ledger.recent({ limit: 10 })).length, 0);
      const { fence } = await claimed(ledger, "a", { key: "k" });
      assert.equal((await ledger.find(work("a")))?.is, "running");
      assert.equal((await ledger.find(work("a", { payload: "other" })))?.is, "mismatch");
      assert.deepEqual(await ledger.find(work("b", { key: "k" })), { is: "mismatch", firstSeen: null });
      await stage.passTime(pastLeaseMs);
      assert.equal((await ledger.find(work("a", { key: "unbound" })))?.is, "open");
      assert.equal((await ledger.claim(work("b", { key: "unbound" }))).is, "won", "find bound no key");
      await ledger.complete(fence, { outcome: "o", refused: true, keepMs, visited: [] });
      const kept = await ledger.find(work("a"));
      assert.ok(kept?.is === "done" && kept.outcome === "o");
      await stage.passTime(pastKeepMs);
      assert.equal(await ledger.find(work("a")), null);
    },
  },
  {
    name: "an outcome, an answer and an input come back as they were, whatever text they hold",
    run: async (stage) => {
      const text = `{"a":"\\u0000 'quoted' \\"twice\\" \u{1f39f} \u2028","b":"${"x".repeat(70_000)}"}`;
      const { owner, claim } = await takenOver(stage, "a", { input: text });
      assert.deepEqual(claim.effects, []);
      await stage.ledger.start(owner, effect("naïve 'name'"));
      await stage.ledger.pin(owner.id, "naïve 'name'", text);
      await stage.passTime(pastLeaseMs);
      const [waiting] = await stage.ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 1 });
      assert.equal(waiting?.input, text);
      const next = await claimed(stage.ledger, "a");
      assert.deepEqual([next.effects[0]?.effect, next.effects[0]?.answer], ["naïve 'name'", text]);
      await stage.ledger.complete(next.fence, { outcome: text, refused: false, keepMs, visited: ["naïve 'name'"] });
      const kept = await stage.ledger.claim(work("a"));
      assert.ok(kept.is === "done" && kept.outcome === text);
    },
  },
];
