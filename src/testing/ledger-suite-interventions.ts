import assert from "node:assert/strict";
import type { Fence, Intervention, Ledger } from "../contract/ledger.ts";
import {
  claimed,
  completed,
  done,
  effect,
  keepMs,
  type LedgerScenario,
  leaseMs,
  pastKeepMs,
  tally,
  work,
} from "./ledger-kit.ts";

const note = { who: "ann", why: "the gateway's own records say so" };
const settlement: Intervention = { does: "settle", outcome: "by a person", refused: false, keepMs };

/** Parked work with one effect whose answer is lost. */
async function parked(ledger: Ledger<unknown>, identity: string, input?: string): Promise<Fence> {
  const { fence } = await claimed(ledger, identity, input === undefined ? {} : { input });
  await ledger.start(fence, effect("charge"));
  assert.equal(await ledger.park(fence, { effect: "charge", why: "lost", unlessAnswered: true }), "parked");
  return fence;
}

/** What was noted of the work's past, the newest last. */
async function noted(
  ledger: Ledger<unknown>,
  { id }: Fence,
): Promise<readonly (readonly [string, string, string | null])[]> {
  const history = await ledger.history(id);
  return (history?.attempts ?? []).map(({ what, owner, why }) => [what, owner, why] as const);
}

export const interventionScenarios: readonly LedgerScenario[] = [
  {
    name: "P2 parked work that a person settles tells everybody that outcome, and who settled it and why stays with it",
    run: async ({ ledger }) => {
      const fence = await parked(ledger, "a", "input");
      assert.equal(await ledger.intervene(fence.id, settlement, note), true);
      const again = await ledger.claim(work("a"));
      assert.ok(again.is === "done" && again.outcome === "by a person");
      assert.deepEqual((await noted(ledger, fence)).at(-1), ["settled", note.who, note.why]);
      assert.equal((await ledger.history(fence.id))?.run.refused, false);
    },
  },
  {
    name: "P12 settled work is kept for as long as it says, from the settling",
    run: async ({ ledger, passTime }) => {
      const fence = await parked(ledger, "a");
      await passTime(keepMs / 2);
      await ledger.intervene(fence.id, { ...settlement, refused: true }, note);
      await passTime(keepMs * 0.9);
      assert.equal((await ledger.find(work("a")))?.is, "done");
      assert.equal((await ledger.history(fence.id))?.run.refused, true);
      await passTime(pastKeepMs);
      assert.equal(await ledger.find(work("a")), null);
    },
  },
  {
    name: "the answer that a person knows is pinned, and the work goes on from it",
    run: async ({ ledger }) => {
      const fence = await parked(ledger, "a");
      assert.equal(await ledger.intervene(fence.id, { does: "answer", effect: "charge", answer: "known" }, note), true);
      const next = await claimed(ledger, "a");
      assert.deepEqual(
        next.effects.map(({ effect, state, answer }) => [effect, state, answer]),
        [["charge", "pinned", "known"]],
      );
      assert.deepEqual(
        (await noted(ledger, fence)).map(([what]) => what),
        ["parked", "answered", "reopened"],
      );
      assert.equal(
        await ledger.intervene(fence.id, { does: "answer", effect: "charge", answer: "other" }, note),
        false,
      );
    },
  },
  {
    name: "an effect that never happened, a person says, is started anew by the next attempt",
    run: async ({ ledger }) => {
      const fence = await parked(ledger, "a");
      assert.equal(await ledger.intervene(fence.id, { does: "forget", effect: "mail" }, note), false);
      assert.equal(await ledger.intervene(fence.id, { does: "forget", effect: "charge" }, note), true);
      const next = await claimed(ledger, "a");
      assert.deepEqual(next.effects, []);
      assert.deepEqual(await ledger.start(next.fence, effect("charge")), { is: "started" });
    },
  },
  {
    name: "with two lost answers, work stays parked until a person knows both",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      await ledger.start(fence, effect("charge"));
      await ledger.start(fence, effect("mail"));
      await ledger.park(fence, { effect: "charge", why: "lost", unlessAnswered: true });
      await ledger.intervene(fence.id, { does: "answer", effect: "charge", answer: "1" }, note);
      assert.equal((await ledger.find(work("a")))?.is, "unknown");
      await ledger.intervene(fence.id, { does: "forget", effect: "mail" }, note);
      assert.equal((await ledger.find(work("a")))?.is, "open");
    },
  },
  {
    name: "work that a person reopens is taken by the next attempt, with its effects as they are",
    run: async ({ ledger }) => {
      const fence = await parked(ledger, "a", "input");
      assert.equal(await ledger.intervene(fence.id, { does: "reopen" }, note), true);
      const found = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 9 });
      assert.deepEqual(
        found.map(({ id, input }) => [id, input]),
        [[fence.id, "input"]],
      );
      assert.equal((await claimed(ledger, "a")).effects[0]?.state, "started");
    },
  },
  {
    name: "P10 a released owner is fenced at once, and another takes the work before the lease would have ended",
    run: async ({ ledger }) => {
      const owner = await claimed(ledger, "a");
      assert.equal(await ledger.intervene(owner.fence.id, { does: "release", token: owner.token + 1 }, note), false);
      assert.equal(await ledger.intervene(owner.fence.id, { does: "release", token: owner.token }, note), true);
      assert.equal(await ledger.renew(owner.fence, leaseMs, null), "fenced");
      assert.deepEqual(await ledger.start(owner.fence, effect("charge")), { is: "fenced" });
      const completion = { outcome: "late", refused: false, keepMs, visited: [] };
      assert.equal(await ledger.complete(owner.fence, completion), "fenced");
      const next = await claimed(ledger, "a");
      assert.equal(next.token, owner.token + 1);
      await completed(ledger, next.fence);
    },
  },
  {
    name: "no decision changes work of another state than it is for",
    run: async ({ ledger }) => {
      const running = (await claimed(ledger, "running")).fence;
      const finished = (await done(ledger, "done")).fence;
      const forParked: readonly Intervention[] = [
        settlement,
        { does: "answer", effect: "charge", answer: "1" },
        { does: "forget", effect: "charge" },
        { does: "reopen" },
      ];
      await ledger.start(running, effect("charge"));
      for (const intervention of forParked) {
        assert.equal(await ledger.intervene(running.id, intervention, note), false);
        assert.equal(await ledger.intervene(finished.id, intervention, note), false);
      }
      assert.equal(await ledger.intervene(finished.id, { does: "release", token: 1 }, note), false);
      const stalled = await parked(ledger, "parked");
      assert.equal(await ledger.intervene(stalled.id, { does: "release", token: 1 }, note), false);
      await ledger.intervene(stalled.id, settlement, note);
      assert.equal(await ledger.intervene(stalled.id, { ...settlement, outcome: "second" }, note), false);
      assert.equal((await ledger.find(work("running")))?.is, "running");
    },
  },
  {
    name: "of ten persons who settle the same work at once, one does",
    run: async ({ ledger }) => {
      const fence = await parked(ledger, "a");
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, person) =>
          ledger.intervene(fence.id, { ...settlement, outcome: `by ${person}` }, { ...note, who: `person ${person}` }),
        ),
      );
      assert.deepEqual(tally(answers.map((is) => ({ is: String(is) }))), { true: 1, false: 9 });
      const told = await ledger.claim(work("a"));
      assert.ok(told.is === "done" && told.outcome === `by ${answers.indexOf(true)}`);
      assert.equal((await noted(ledger, fence)).filter(([what]) => what === "settled").length, 1);
    },
  },
];
