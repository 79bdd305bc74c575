import assert from "node:assert/strict";
import { nameOf } from "../base/names.ts";
import {
  claimed,
  completed,
  done,
  effect,
  keepMs,
  type LedgerScenario,
  leaseMs,
  pastKeepMs,
  pastLeaseMs,
  takenOver,
  tally,
  work,
} from "./ledger-kit.ts";
import { atomicUntilKnown, booking } from "./ledger-suite-transactions.ts";

/** The protocols' invariants by their numbers. */
/** Asks until no transaction that only looked is in the way: a replay is answered before its own has ended. */
async function untilKnown<A extends { readonly is: string }>(ask: () => Promise<A>): Promise<A> {
  for (;;) {
    const answer = await ask();
    if (answer.is !== "running") return answer;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export const invariantScenarios: readonly LedgerScenario[] = [
  {
    name: "P1: per name and retention there is one completed run, with one print",
    run: async (stage) => {
      const { ledger } = stage;
      const { zombie, owner } = await takenOver(stage, "a", { key: "k" });
      await completed(ledger, owner, "first");
      assert.equal(await ledger.complete(zombie, { outcome: "second", refused: false, keepMs, visited: [] }), "fenced");
      assert.equal((await ledger.claim(work("a", { payload: "other" }))).is, "mismatch");
      const kept = await ledger.claim(work("a"));
      assert.ok(kept.is === "done" && kept.outcome === "first");
      await stage.passTime(pastKeepMs);
      const next = await claimed(ledger, "a", { payload: "other" });
      assert.notEqual(next.fence.id, owner.id);
      assert.equal((await ledger.claim(work("a"))).is, "mismatch", "the new retention has its own print");
    },
  },
  {
    name: "P1: of database work that is attempted with two payloads at once, one run completes, under its print",
    needs: ["transactions"],
    run: async (stage) => {
      const answers = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const payload = `payload ${i % 2}`;
          const answer = await atomicUntilKnown(
            stage.ledger,
            work("a", { key: "k", payload }),
            booking(stage, payload),
          );
          return { payload, is: answer.is };
        }),
      );
      assert.deepEqual(tally(answers), { ran: 1, done: 3, mismatch: 4 });
      const [completedWith] = await stage.bookings();
      for (const { payload, is } of answers) assert.equal(is === "mismatch", payload !== completedWith);
      assert.equal((await stage.bookings()).length, 1);
    },
  },
  {
    name: "P2: everybody is told the one stored outcome",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a", { key: "k" });
      await completed(ledger, fence, "the one");
      const told = await Promise.all(
        Array.from({ length: 10 }, (_, i) => ledger.claim(work("a", i % 2 === 0 ? { key: `k${i}` } : {}))),
      );
      assert.deepEqual(
        new Set(told.map((answer) => (answer.is === "done" ? answer.outcome : answer.is))),
        new Set(["the one"]),
      );
    },
  },
  {
    name: "P2: everybody is told the one stored outcome of database work, whichever way is asked",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      assert.equal((await ledger.atomic(work("a", { key: "k" }), booking(stage, "a", "the one"))).is, "ran");
      const told = [
        await untilKnown(() => ledger.atomic(work("a"), booking(stage, "a", "other"))),
        await untilKnown(() => ledger.atomic(work("a", { key: "k2" }), booking(stage, "a", "other"))),
        await untilKnown(() => ledger.claim(work("a", { key: "k3" }))),
        await ledger.find(work("a", { key: "k" })),
      ];
      for (const answer of told) assert.ok(answer?.is === "done" && answer.outcome === "the one");
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "P3: a kept key has one print, while its work runs, waits, is parked or is done, by first or further key",
    run: async (stage) => {
      const { ledger } = stage;
      const refused = async (when: string) => {
        for (const key of ["k1", "k2"]) {
          assert.equal((await ledger.claim(work("b", { key, payload: "other" }))).is, "mismatch", when);
          assert.equal((await ledger.claim(work("a", { key, payload: "other" }))).is, "mismatch", when);
        }
      };
      const { fence } = await claimed(ledger, "a", { key: "k1" });
      await ledger.claim(work("a", { key: "k2" }));
      await refused("running");
      // its keep is over long before its end
      await stage.passTime(pastKeepMs);
      await refused("running past its keep");
      await ledger.start(fence, effect("charge"));
      await ledger.release(fence, { keep: false, notBeforeMs: 0, error: null });
      await refused("open");
      const next = await claimed(ledger, "a");
      await ledger.park(next.fence, { effect: "charge", why: "lost", unlessAnswered: true });
      await stage.passTime(pastKeepMs);
      await refused("parked");
      await ledger.pin(fence.id, "charge", "answer");
      await completed(ledger, (await claimed(ledger, "a")).fence, "outcome", ["charge"]);
      await refused("done");
    },
  },
  {
    name: "P3: a kept key of database work has one print and one work, by first or further key",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      await ledger.atomic(work("a", { key: "k1" }), booking(stage, "a"));
      await ledger.atomic(work("a", { key: "k2" }), booking(stage, "a"));
      for (const key of ["k1", "k2"]) {
        for (const request of [work("a", { key, payload: "other" }), work("b", { key })]) {
          assert.equal((await ledger.atomic(request, booking(stage, "x"))).is, "mismatch");
          assert.equal((await ledger.claim(request)).is, "mismatch");
        }
      }
      assert.deepEqual(await stage.bookings(), ["a"]);
    },
  },
  {
    name: "P4: a claim that is refused leaves nothing that anybody could run",
    run: async (stage) => {
      const { ledger } = stage;
      await claimed(ledger, "a", { key: "k", input: "a" });
      assert.equal((await ledger.claim(work("b", { key: "k", input: "b" }))).is, "mismatch");
      assert.equal((await ledger.claim(work("a", { payload: "other", input: "c" }))).is, "mismatch");
      assert.equal(await ledger.find(work("b")), null);
      assert.equal((await ledger.recent({ limit: 10 })).length, 1);
      await stage.passTime(pastLeaseMs);
      const waiting = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 });
      assert.deepEqual(
        waiting.map((one) => one.input),
        ["a"],
      );
    },
  },
  {
    name: "P4: database work that fails leaves no claim, and neither of its names",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      const failing = ledger.atomic(work("a", { key: "k" }), async (tx) => {
        await stage.insertBooking(tx, "a");
        throw new Error("sold out");
      });
      await assert.rejects(failing, /sold out/);
      assert.equal(await ledger.find(work("a", { key: "k" })), null);
      assert.deepEqual(await ledger.recent({ limit: 10 }), []);
      assert.equal((await ledger.atomic(work("b", { key: "k" }), booking(stage, "b"))).is, "ran", "the key is free");
      assert.deepEqual(await stage.bookings(), ["b"]);
    },
  },
  {
    name: "P5: an effect starts under its owner, and is there once, whoever starts it again",
    run: async (stage) => {
      const { zombie, owner } = await takenOver(stage, "a");
      assert.deepEqual(await stage.ledger.start(zombie, effect("charge")), { is: "fenced" });
      const starts = await Promise.all(Array.from({ length: 5 }, () => stage.ledger.start(owner, effect("charge"))));
      assert.deepEqual(tally(starts), { started: 1, present: 4 });
      const history = await stage.ledger.history(owner.id);
      assert.equal(history?.effects.length, 1);
    },
  },
  {
    name: "P6: a transaction commits at most once, and never after a refusal",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      const book = (answer: string) => async (tx: Parameters<typeof stage.insertBooking>[0]) => {
        await stage.insertBooking(tx, answer);
        return { value: null, answer };
      };
      const { zombie, owner } = await takenOver(stage, "a");
      const both = await Promise.all([
        ledger.transact(owner, "seat", book("a")),
        ledger.transact(owner, "seat", book("b")),
      ]);
      assert.deepEqual(tally(both), { committed: 1, present: 1 });
      assert.equal((await ledger.transact(zombie, "seat", book("z"))).is, "fenced");
      const refused = await takenOver(stage, "r");
      await ledger.complete(refused.owner, { outcome: "sold out", refused: true, keepMs, visited: [] });
      for (const fence of [refused.zombie, refused.owner]) {
        assert.equal((await ledger.transact(fence, "seat", book("late"))).is, "fenced");
      }
      assert.equal((await stage.bookings()).length, 1);
    },
  },
  {
    name: "P7: done work has no effect that is started or that the completing attempt did not visit",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a");
      const complete = (...visited: readonly string[]) =>
        ledger.complete(fence, { outcome: "o", refused: true, keepMs, visited });
      await ledger.start(fence, effect("charge"));
      assert.equal(await complete("charge"), "effects-differ", "started");
      await ledger.pin(fence.id, "charge", "answer");
      assert.equal(await complete(), "effects-differ", "not visited");
      assert.equal(await complete("mail"), "effects-differ", "another one visited");
      assert.equal((await ledger.claim(work("a"))).is, "running", "a refused completion changes nothing");
      assert.equal(await complete("mail", "charge"), "done", "a visit that left no record is harmless");
    },
  },
  {
    name: "P8: released work never had an effect; with one it stays",
    run: async ({ ledger }) => {
      const clean = await claimed(ledger, "clean");
      assert.equal(await ledger.release(clean.fence, { keep: false, notBeforeMs: 0, error: null }), "released");
      for (const pinned of [false, true]) {
        const { fence } = await claimed(ledger, `effect ${pinned}`);
        await ledger.start(fence, effect("charge"));
        if (pinned) await ledger.pin(fence.id, "charge", "answer");
        assert.equal(await ledger.release(fence, { keep: false, notBeforeMs: 0, error: null }), "open");
        assert.equal((await claimed(ledger, `effect ${pinned}`)).effects.length, 1);
      }
    },
  },
  {
    name: "P8: a transaction that committed counts for the release, whatever its process remembers",
    needs: ["transactions"],
    run: async (stage) => {
      const { fence } = await claimed(stage.ledger, "a");
      await stage.ledger.transact(fence, "seat", async (tx) => {
        await stage.insertBooking(tx, "a");
        return { value: null, answer: "1" };
      });
      assert.equal(await stage.ledger.release(fence, { keep: false, notBeforeMs: 0, error: "ECONNRESET" }), "open");
    },
  },
  {
    name: "P9: a pin never changes: later ones are told the first, whoever sends them",
    run: async (stage) => {
      const first = await claimed(stage.ledger, "a");
      await stage.ledger.start(first.fence, effect("charge"));
      const pins = await Promise.all(
        ["one", "two", "three"].map((answer) => stage.ledger.pin(first.fence.id, "charge", answer)),
      );
      assert.deepEqual(tally(pins), { pinned: 1, present: 2 });
      const [kept] = (await stage.ledger.history(first.fence.id))?.effects ?? [];
      for (const pin of pins) if (pin.is === "present") assert.equal(pin.answer, kept?.answer);
      await completed(stage.ledger, first.fence, "outcome", ["charge"]);
      const late = await stage.ledger.pin(first.fence.id, "charge", "late");
      assert.ok(late.is === "present" && late.answer === kept?.answer);
    },
  },
  {
    name: "P10: of an earlier owner no start, restart, renewal, release, parking or completion changes anything",
    run: async (stage) => {
      const { ledger } = stage;
      const { zombie, owner } = await takenOver(stage, "a");
      await ledger.start(owner, effect("charge"));
      const attempt = async () => {
        assert.deepEqual(await ledger.start(zombie, effect("mail")), { is: "fenced" });
        assert.equal(await ledger.restart(zombie, effect("charge", 99_000)), false);
        assert.equal(await ledger.renew(zombie, leaseMs * 100, null), "fenced");
        assert.equal(await ledger.release(zombie, { keep: false, notBeforeMs: 0, error: null }), "fenced");
        assert.equal(await ledger.park(zombie, { effect: "charge", why: "zombie", unlessAnswered: true }), "fenced");
        const completion = { outcome: "zombie", refused: false, keepMs, visited: ["charge"] };
        assert.equal(await ledger.complete(zombie, completion), "fenced");
      };
      const before = await ledger.history(owner.id);
      await attempt();
      assert.deepEqual((await ledger.history(owner.id))?.run, before?.run);
      await ledger.pin(owner.id, "charge", "answer");
      await completed(ledger, owner, "owner", ["charge"]);
      await attempt();
      const kept = await ledger.claim(work("a"));
      assert.ok(kept.is === "done" && kept.outcome === "owner");
      assert.equal((await ledger.history(owner.id))?.effects.length, 1);
    },
  },
  {
    name: "P10: an owner of an earlier incarnation changes nothing of the next",
    run: async (stage) => {
      const old = await done(stage.ledger, "a");
      await stage.passTime(pastKeepMs);
      const { fence } = await claimed(stage.ledger, "a");
      assert.equal(await stage.ledger.renew(old.fence, leaseMs, null), "fenced");
      const mixed = { ...fence, id: old.fence.id };
      assert.deepEqual(await stage.ledger.start(mixed, effect("charge")), { is: "fenced" });
      assert.equal((await stage.ledger.claim(work("a"))).is, "running");
    },
  },
  {
    name: "P11: the names of different principals never meet, so neither do their outcomes, keys and effects",
    run: async ({ ledger }) => {
      const { fence } = await claimed(ledger, "a", { key: "k", principal: "ann" });
      await ledger.start(fence, effect("charge"));
      await ledger.pin(fence.id, "charge", "ann's");
      await completed(ledger, fence, "ann's", ["charge"]);
      const bob = await claimed(ledger, "a", { key: "k", principal: "bob" });
      assert.deepEqual([bob.token, bob.effects], [1, []]);
      // however the parts are cut, and whatever they contain
      const parts = ["a", "b", "ab", "", '"', '","', "a,b", "[1]", 1, "1", true, "true", 1n];
      const names = parts.flatMap((one) => parts.map((other) => nameOf("work", ["s", "o", one, other])));
      assert.equal(new Set(names).size, names.length);
      assert.notEqual(nameOf("work", ["s", "o", "p", "i"]), nameOf("key", ["s", "o", "p", "i"]));
    },
  },
  {
    name: "P11: database work of different principals under one identity and key never meets",
    needs: ["transactions"],
    run: async (stage) => {
      const run = (principal: string) =>
        stage.ledger.atomic(work("a", { key: "k", principal }), booking(stage, principal, `${principal}'s`));
      assert.deepEqual([(await run("ann")).is, (await run("bob")).is], ["ran", "ran"]);
      for (const principal of ["ann", "bob"]) {
        const told = await run(principal);
        assert.ok(told.is === "done" && told.outcome === `${principal}'s`);
      }
      assert.deepEqual([...(await stage.bookings())].sort(), ["ann", "bob"]);
    },
  },
  {
    name: "P12: only done work past its keep is swept",
    run: async (stage) => {
      const { ledger } = stage;
      await claimed(ledger, "running");
      const open = await claimed(ledger, "open");
      await ledger.start(open.fence, effect("charge"));
      await ledger.release(open.fence, { keep: false, notBeforeMs: 0, error: null });
      const parked = await claimed(ledger, "parked");
      await ledger.start(parked.fence, effect("charge"));
      await ledger.park(parked.fence, { effect: "charge", why: "lost", unlessAnswered: true });
      const expired = await done(ledger, "expired", { key: "k1" });
      await ledger.claim(work("expired", { key: "k2" }));
      assert.equal(await ledger.sweep(100), 0);
      await stage.passTime(pastKeepMs);
      await done(ledger, "fresh");
      assert.equal(await ledger.sweep(100), 1);
      assert.equal(await ledger.history(expired.fence.id), null);
      const left = (await ledger.recent({ limit: 10 })).map((run) => run.identity).sort();
      assert.deepEqual(left, ["fresh", "open", "parked", "running"]);
      for (const key of ["k1", "k2"])
        assert.equal((await ledger.claim(work(key, { key }))).is, "won", "its keys went too");
    },
  },
  {
    name: "P12: database work is swept past its keep, with its keys, and not before",
    needs: ["transactions"],
    run: async (stage) => {
      const { ledger } = stage;
      await ledger.atomic(work("a", { key: "k1" }), booking(stage, "a"));
      await ledger.atomic(work("a", { key: "k2" }), booking(stage, "a"));
      assert.equal(await ledger.sweep(100), 0);
      await stage.passTime(pastKeepMs);
      assert.equal(await ledger.sweep(100), 1);
      assert.deepEqual(await ledger.recent({ limit: 10 }), []);
      for (const key of ["k1", "k2"]) {
        assert.equal((await ledger.atomic(work(key, { key }), booking(stage, key))).is, "ran", "its keys went too");
      }
      assert.deepEqual([...(await stage.bookings())].sort(), ["a", "k1", "k2"]);
    },
  },
];
