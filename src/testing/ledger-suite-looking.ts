import assert from "node:assert/strict";
import type { WorkId } from "../base/names.ts";
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
  work,
} from "./ledger-kit.ts";

export const lookingScenarios: readonly LedgerScenario[] = [
  {
    name: "recent runs come newest first, bounded, by operation and by state",
    run: async (stage) => {
      const { ledger } = stage;
      await done(ledger, "1");
      await stage.passTime(10);
      await claimed(ledger, "2", { operation: "cancel" });
      await stage.passTime(10);
      const { fence } = await claimed(ledger, "3");
      await ledger.complete(fence, { outcome: "sold out", refused: true, keepMs, visited: [] });
      await stage.passTime(10);
      const parked = await claimed(ledger, "4");
      await ledger.start(parked.fence, effect("charge"));
      await ledger.park(parked.fence, { effect: "charge", why: "answer lost", unlessAnswered: true });
      const identities = async (query: Parameters<typeof ledger.recent>[0]) =>
        (await ledger.recent(query)).map((run) => run.identity);
      assert.deepEqual(await identities({ limit: 10 }), ["4", "3", "2", "1"]);
      assert.deepEqual(await identities({ limit: 2 }), ["4", "3"]);
      assert.deepEqual(await identities({ limit: 2, operation: "book" }), ["4", "3"]);
      assert.deepEqual(await identities({ limit: 10, operation: "cancel" }), ["2"]);
      assert.deepEqual(await identities({ limit: 10, state: "done" }), ["3", "1"]);
      assert.deepEqual(await identities({ limit: 10, state: "unknown", operation: "book" }), ["4"]);
      assert.deepEqual(await identities({ limit: 10, state: "running" }), ["2"]);
      assert.deepEqual(await identities({ limit: 10, state: "open" }), []);
    },
  },
  {
    name: "a run's summary tells who, what state and when, and never counts a further key as a run",
    run: async (stage) => {
      const { ledger } = stage;
      const request = work("a", { key: "k" });
      const claim = await ledger.claim(request);
      assert.ok(claim.is === "won");
      await ledger.claim(work("a", { key: "k2" }));
      const [running, ...others] = await ledger.recent({ limit: 10 });
      assert.equal(others.length, 0);
      assert.ok(running !== undefined && running.leaseUntil !== null);
      assert.deepEqual(
        { ...running, createdAt: 0, leaseUntil: running.leaseUntil - running.createdAt, keepUntil: 0 },
        {
          ...request.about,
          id: claim.fence.id,
          state: "running",
          refused: null,
          createdAt: 0,
          endedAt: null,
          leaseUntil: leaseMs,
          keepUntil: 0,
          token: 1,
          print: request.print,
          why: null,
          progress: null,
          cancelled: false,
        },
      );
      await stage.passTime(1_000);
      await ledger.complete(claim.fence, { outcome: "no", refused: true, keepMs, visited: [] });
      const [ended] = await ledger.recent({ limit: 1 });
      assert.deepEqual([ended?.state, ended?.refused, ended?.leaseUntil], ["done", true, null]);
      const { endedAt = null, createdAt = 0, keepUntil = 0 } = ended ?? {};
      assert.ok(endedAt !== null && endedAt >= createdAt + 1_000);
      assert.ok(keepUntil >= endedAt + keepMs);
    },
  },
  {
    name: "a run's history shows its effects and how each past attempt ended, oldest first",
    run: async (stage) => {
      const { ledger } = stage;
      const first = await claimed(ledger, "a");
      await ledger.start(first.fence, effect("charge"));
      await stage.passTime(pastLeaseMs);
      const second = await claimed(ledger, "a");
      await ledger.release(second.fence, { keep: false, notBeforeMs: 0, error: "TypeError" });
      const third = await claimed(ledger, "a");
      await ledger.park(third.fence, { effect: "charge", why: "answer lost", unlessAnswered: true });
      const parked = await ledger.history(first.fence.id);
      assert.deepEqual([parked?.run.state, parked?.run.why], ["unknown", "answer lost"]);
      await ledger.pin(first.fence.id, "charge", "answer");
      const fourth = await claimed(ledger, "a");
      await completed(ledger, fourth.fence, "outcome", ["charge"]);
      const history = await ledger.history(first.fence.id);
      assert.deepEqual(
        history?.attempts.map(({ what, token, why }) => [what, token, why]),
        [
          ["taken-over", 1, null],
          ["released", 2, "TypeError"],
          ["parked", 3, "answer lost"],
          ["reopened", 3, null],
        ],
      );
      assert.deepEqual([history?.run.state, history?.run.token, history?.run.why], ["done", 4, null]);
      const [charge] = history?.effects ?? [];
      assert.deepEqual([charge?.effect, charge?.state, charge?.answer], ["charge", "pinned", "answer"]);
      assert.ok(charge?.pinnedAt !== null && (charge?.pinnedAt ?? 0) >= (charge?.startedAt ?? 0) + leaseMs);
    },
  },
  {
    name: "abandoned work is due, has an input, belongs to an operation asked for, and comes oldest first",
    run: async (stage) => {
      const { ledger } = stage;
      await claimed(ledger, "1", { input: "one" });
      await stage.passTime(10);
      const waiting = await claimed(ledger, "2", { input: "two" });
      await ledger.start(waiting.fence, effect("charge"));
      await ledger.release(waiting.fence, { keep: false, notBeforeMs: leaseMs * 3, error: null });
      await claimed(ledger, "3", { input: "three", operation: "cancel" });
      await claimed(ledger, "4");
      await done(ledger, "5", { input: "five" });
      const inputs = async (operations: readonly string[], limit = 10) =>
        (await ledger.abandoned({ operations, idleMs: 0, limit })).map((one) => one.input);
      assert.deepEqual(await inputs(["book", "cancel"]), [], "leases are alive");
      await stage.passTime(pastLeaseMs);
      assert.deepEqual(await inputs(["book", "cancel"]), ["one", "three"]);
      assert.deepEqual(await inputs(["book", "cancel"], 1), ["one"]);
      assert.deepEqual(await inputs(["cancel"]), ["three"]);
      assert.deepEqual(await inputs([]), []);
      await stage.passTime(leaseMs * 3);
      const due = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 });
      assert.deepEqual(
        due.map(({ name, operation, input, token }) => ({ name, operation, input, token })),
        ["1", "2"].map((identity, place) => ({
          name: work(identity).name,
          operation: "book",
          input: ["one", "two"][place],
          token: 1,
        })),
      );
      await claimed(ledger, "1");
      assert.deepEqual(await inputs(["book"]), ["two"], "taken over");
    },
  },
  {
    name: "a completer's claims are counted apart from its callers'",
    run: async (stage) => {
      const { ledger } = stage;
      const first = await claimed(ledger, "a", { input: "kept" });
      assert.deepEqual([first.resumes, first.tookOver], [0, false]);
      await ledger.release(first.fence, { keep: true, notBeforeMs: 0, error: "Error" });
      const released = await claimed(ledger, "a", { input: "kept", resuming: true });
      assert.deepEqual([released.resumes, released.tookOver, released.token], [1, false, 2]);
      await stage.passTime(pastLeaseMs);
      const over = await claimed(ledger, "a", { input: "kept", resuming: true });
      assert.deepEqual([over.resumes, over.tookOver, over.token], [2, true, 3]);
      await stage.passTime(pastLeaseMs);
      const [due] = await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 });
      assert.equal(due?.resumes, 2);
      assert.equal((await claimed(ledger, "a")).resumes, 2, "a caller's claim");
    },
  },
  {
    name: "abandoned work that nobody can go on with is parked, unless somebody took it meanwhile",
    run: async (stage) => {
      const { ledger } = stage;
      await claimed(ledger, "a", { input: "unreadable" });
      const query = { operations: ["book"], idleMs: 0, limit: 10 };
      await stage.passTime(pastLeaseMs);
      const [stale] = await ledger.abandoned(query);
      assert.ok(stale !== undefined);
      await claimed(ledger, "a");
      assert.equal(await ledger.parkStalled(stale, "unreadable"), false);
      await stage.passTime(pastLeaseMs);
      assert.equal(await ledger.parkStalled(stale, "unreadable"), false, "another claim's token");
      const [due] = await ledger.abandoned(query);
      assert.ok(due !== undefined);
      assert.equal(await ledger.parkStalled(due, "unreadable"), true);
      assert.equal((await ledger.find(work("a")))?.is, "unknown");
      assert.deepEqual(await ledger.abandoned(query), []);
    },
  },
  {
    name: "work abandoned with a started effect is parked after its time, and other work is not",
    run: async (stage) => {
      const { ledger } = stage;
      const lost = await claimed(ledger, "lost");
      await ledger.start(lost.fence, effect("charge"));
      const answered = await claimed(ledger, "answered");
      await ledger.start(answered.fence, effect("charge"));
      await ledger.pin(answered.fence.id, "charge", "answer");
      const other = await claimed(ledger, "other", { operation: "cancel" });
      await ledger.start(other.fence, effect("charge"));
      const released = await claimed(ledger, "released");
      await ledger.start(released.fence, effect("charge"));
      await ledger.release(released.fence, { keep: false, notBeforeMs: 0, error: null });
      await stage.passTime(pastLeaseMs);
      assert.equal(await ledger.parkAbandoned([{ operation: "book", afterMs: 60_000 }]), 0);
      await stage.passTime(60_000);
      assert.equal(await ledger.parkAbandoned([{ operation: "book", afterMs: 60_000 }]), 2);
      assert.equal(await ledger.parkAbandoned([{ operation: "book", afterMs: 60_000 }]), 0);
      const parked = await ledger.recent({ limit: 10, state: "unknown" });
      assert.deepEqual(parked.map((run) => run.identity).sort(), ["lost", "released"]);
      const told = await ledger.claim(work("lost"));
      assert.ok(told.is === "unknown" && told.effect === "charge");
      assert.equal(await ledger.renew(lost.fence, leaseMs, null), "fenced");
    },
  },
  {
    name: "a sweep deletes at most its limit, and says how many",
    run: async (stage) => {
      for (let i = 0; i < 5; i++) await done(stage.ledger, `a${i}`);
      await stage.passTime(pastKeepMs);
      assert.deepEqual([await stage.ledger.sweep(2), await stage.ledger.sweep(2)], [2, 2]);
      assert.deepEqual([await stage.ledger.sweep(2), await stage.ledger.sweep(2)], [1, 0]);
    },
  },
  {
    name: "the journal keeps one entry of each instance, instant and resolution, reads since and forgets before",
    run: async ({ ledger: { journal } }) => {
      const entry = (at: number, instance: string, resolution: "fine" | "coarse" = "fine") =>
        journal.append({ resolution, instance, at, body: `{"at":${at}}` });
      await entry(20, "b");
      await entry(10, "a");
      await entry(20, "a");
      await entry(20, "a");
      await entry(20, "a", "coarse");
      const read = async (resolution: "fine" | "coarse", since: number) =>
        (await journal.read(resolution, since)).map(({ at, instance }) => `${at}${instance}`);
      assert.deepEqual(await read("fine", 0), ["10a", "20a", "20b"]);
      assert.deepEqual(await read("fine", 20), ["20a", "20b"]);
      assert.deepEqual(await journal.read("coarse", 0), [
        { resolution: "coarse", instance: "a", at: 20, body: '{"at":20}' },
      ]);
      await journal.forget("fine", 20);
      assert.deepEqual([await read("fine", 0), await read("coarse", 0)], [["20a", "20b"], ["20a"]]);
    },
  },
  {
    name: "what is no id of a ledger's finds nothing, and nothing can be decided about it",
    run: async ({ ledger }) => {
      await claimed(ledger, "a");
      for (const id of ["", "nope", "'; drop table"].map((text) => text as WorkId)) {
        assert.equal(await ledger.history(id), null);
        assert.equal(await ledger.intervene(id, { does: "reopen" }, { who: "ann", why: "typed wrong" }), false);
      }
    },
  },
  {
    name: "opening and closing twice does nothing, and a closed ledger does nothing",
    run: async ({ ledger }) => {
      await ledger.open();
      await claimed(ledger, "a");
      await Promise.all([ledger.close(), ledger.close()]);
      await assert.rejects(ledger.claim(work("b")), { code: "REPRISE_LEDGER_AWAY" });
    },
  },
];
