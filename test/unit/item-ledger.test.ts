import assert from "node:assert/strict";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { describe, test as vitest } from "vitest";
import { createReprise, unchecked } from "../../src/index.ts";
import { azureTablesLedger } from "../../src/stores/azure-tables/index.ts";
import { dynamoLedger } from "../../src/stores/dynamodb/index.ts";
import {
  accepted,
  claimed,
  completed,
  done,
  effect,
  intentOf,
  keepMs,
  later,
  leaseMs,
  pastLeaseMs,
  tally,
  work,
} from "../../src/testing/ledger-kit.ts";
import type { Around } from "../support/item-ledgers.ts";
import { describeOnItemStands, type ItemStand } from "./item-ledger-stand.ts";

const completion = { outcome: "outcome", refused: false, keepMs, visited: [] };

/** Nothing of what this process still meant to do happens. */
function crash(): never {
  throw new Error("crashed");
}

/** What a ledger asks its service for, counted. */
async function counted({ ledger }: ItemStand) {
  let requests = 0;
  const one = await ledger({
    around: (_method, _given, call) => {
      requests += 1;
      return call();
    },
  });
  return {
    ledger: one,
    cost: async (work: () => Promise<unknown>) => {
      const before = requests;
      await work();
      return requests - before;
    },
  };
}

describeOnItemStands((stand, isAzure) => {
  const { test, server } = stand;
  const passTime = (ms: number) => server().passTime(ms);

  test("a table that is missing is found, and migrating creates it once", async () => {
    const { schema } = server().ledger(stand.table());
    assert.ok(schema !== undefined);
    assert.deepEqual(schema.statements(), []);
    const [difference, ...others] = await schema.differences();
    assert.match(difference?.what ?? "", /table is missing/);
    assert.deepEqual(others, []);
    assert.deepEqual(await schema.migrate(), ["CreateTable"]);
    assert.deepEqual(await schema.differences(), []);
    assert.deepEqual(await schema.migrate(), []);
  });

  describe("what it costs", () => {
    test("new work is claimed in one request, in two with a caller's key, and completed in one", async () => {
      const { ledger, cost } = await counted(stand);
      const [plain, keyed] = [work("a"), work("b", { key: "k" })];
      assert.equal(await cost(() => ledger.claim(plain)), 1);
      assert.equal(await cost(() => ledger.claim(keyed)), 2);
      for (const request of [plain, keyed]) {
        const won = await ledger.claim(request);
        assert.ok(won.is === "won");
        assert.equal(await cost(() => completed(ledger, won.fence)), 1);
      }
    });

    test("who comes second is told what stands in two requests, with the key that the work has too", async () => {
      const { ledger, cost } = await counted(stand);
      const { fence } = await claimed(ledger, "a", { key: "k" });
      assert.equal(await ledger.renew(fence, leaseMs, null), "renewed");
      for (const options of [{}, { key: "k" }, { payload: "other" }]) {
        assert.equal(await cost(() => ledger.claim(work("a", options))), 2);
      }
      await completed(ledger, fence);
      for (const options of [{}, { key: "k" }, { payload: "other" }]) {
        assert.equal(await cost(() => ledger.claim(work("a", options))), 2);
      }
      assert.equal(await cost(() => ledger.find(work("a", { key: "k" }))), 1);
    });

    test("an owner renews, starts a further effect and pins it in one or two requests each", async () => {
      const { ledger, cost } = await counted(stand);
      const { fence } = await claimed(ledger, "a");
      assert.equal(await cost(() => ledger.renew(fence, leaseMs, null)), 1);
      // the first one enters the work in the list of what somebody may have to come for
      assert.equal(await cost(() => ledger.start(fence, effect("first"))), 2);
      assert.equal(await cost(() => ledger.start(fence, effect("second"))), 1);
      assert.equal(await cost(() => ledger.pin(fence.id, "first", "1")), 2);
    });

    test("another success with one intent is found by what has that intent, and parked work by what is listed", async () => {
      const asked: unknown[] = [];
      const ledger = await stand.ledger({
        around: (_method, given, call) => {
          asked.push(given[0]?.constructor.name);
          return call();
        },
      });
      const cost = async (work: () => Promise<unknown>) => {
        const before = asked.length;
        await work();
        return asked.length - before;
      };
      // Azure's client asks for pages by itself, which is not counted
      const list = isAzure ? 0 : 1;
      for (const other of ["x", "y", "z"]) await done(ledger, other, { intent: "seat 8" });
      const find = () => ledger.twice({ operation: "book", withinMs: 60_000, intent: intentOf("seat 7"), limit: 10 });
      const { fence } = await claimed(ledger, "a", { intent: "seat 7" });
      assert.equal(await cost(() => completed(ledger, fence)), 2);
      assert.equal(await cost(find), list);
      await done(ledger, "b", { intent: "seat 7" });
      assert.equal(await cost(find), list + 2);
      assert.equal((await find()).length, 1);

      const parking = await claimed(ledger, "c");
      await ledger.start(parking.fence, effect("charge"));
      const parked = { effect: "charge", why: "no answer", unlessAnswered: false };
      assert.equal(await ledger.park(parking.fence, parked), "parked");
      const look = () => ledger.recent({ state: "unknown", operation: "book", limit: 10 });
      assert.equal(await cost(look), 4 * list + 1);
      assert.deepEqual(
        (await look()).map(({ identity }) => identity),
        ["c"],
      );
      assert.ok(!asked.includes("ScanCommand"));
    });

    test("an owner whose process forgot its document reads it first", async () => {
      const { ledger, cost } = await counted(stand);
      const elsewhere = await stand.ledger();
      const { fence } = await claimed(elsewhere, "a");
      assert.equal(await cost(() => completed(ledger, fence)), 2);
    });
  });

  test("of fifty that claim one work through five clients one wins, and its outcome is told to all", async () => {
    const ledgers = await Promise.all(Array.from({ length: 5 }, () => stand.ledger()));
    const claims = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (ledgers[i % 5] ?? assert.fail()).claim(work("a", { key: "k" }))),
    );
    assert.deepEqual(tally(claims), { won: 1, running: 49 });
    const [first = assert.fail()] = ledgers;
    await completed(first, claims.flatMap((claim) => (claim.is === "won" ? [claim.fence] : []))[0] ?? assert.fail());
    const told = await Promise.all(ledgers.map((ledger) => ledger.claim(work("a", { key: "k" }))));
    assert.deepEqual(tally(told), { done: 5 });
  });

  test("of an owner that was overtaken the service itself refuses the write, as it knows the work", async () => {
    const refusals: unknown[] = [];
    const paused = await stand.ledger({
      around: (_method, _given, call) =>
        call().catch((error: unknown) => {
          refusals.push(isAzure ? (error as { statusCode?: number }).statusCode : (error as Error).name);
          throw error;
        }),
    });
    refusals.length = 0;
    const { fence } = await claimed(paused, "a");
    await passTime(pastLeaseMs + 2_000);
    const elsewhere = await stand.ledger();
    const next = await claimed(elsewhere, "a");
    assert.deepEqual([next.token, next.tookOver], [2, true]);
    assert.equal(await paused.complete(fence, completion), "fenced");
    assert.deepEqual(refusals, [isAzure ? 412 : "ConditionalCheckFailedException"]);
    await completed(elsewhere, next.fence);
  });

  test("a write that the client repeated, since its answer was lost, is not taken for another's", async () => {
    let isLosing = false;
    const losing: Around = async (method, _given, call) => {
      const answer = await call();
      return isLosing && /^(create|update|put|delete)/.test(method) ? call() : answer;
    };
    const ledger = await stand.ledger({ around: losing });
    const { leases, registers } = ledger;
    assert.ok(leases !== undefined && registers !== undefined);
    isLosing = true;
    const claim = await claimed(ledger, "a", { key: "k" });
    assert.equal(claim.token, 1);
    assert.equal(await ledger.renew(claim.fence, leaseMs, null), "renewed");
    assert.deepEqual(await ledger.start(claim.fence, effect("charge")), { is: "started" });
    assert.deepEqual(await ledger.pin(claim.fence.id, "charge", "1"), { is: "pinned" });
    assert.equal(await ledger.complete(claim.fence, { ...completion, visited: ["charge"] }), "done");
    await accepted(ledger, "b", { key: "k2" });
    const lease = { name: "l", holder: "one", attempt: claim.fence.attempt, leaseMs };
    assert.deepEqual(await leases.acquire(lease), { is: "acquired", token: 1 });
    const version = await registers.replace("r", "1", null);
    assert.ok(version !== null);
    assert.equal(await registers.replace("r", "2", version), version + 1);
  });

  test("an outcome that no item holds is refused, and the work stays as it was", async () => {
    const ledger = await stand.ledger();
    const { fence } = await claimed(ledger, "a");
    const outcome = "x".repeat(500_000);
    await assert.rejects(ledger.complete(fence, { ...completion, outcome }), { code: "REPRISE_OUTCOME_TOO_LARGE" });
    await assert.rejects(ledger.claim(work("b", { input: outcome })), { code: "REPRISE_OUTCOME_TOO_LARGE" });
    assert.equal((await ledger.claim(work("a"))).is, "running");
    assert.equal(await ledger.find(work("b")), null);
    await completed(ledger, fence);
  });

  test("a service that does not answer is away at the deadline, and whoever comes again learns what happened", async () => {
    let isSilent = false;
    const ledger = await stand.ledger({
      deadline: "2s",
      around: async (_method, _given, call) => {
        const answer = await call();
        return isSilent ? new Promise(() => undefined) : answer;
      },
    });
    isSilent = true;
    const request = work("a");
    await assert.rejects(ledger.claim(request), { code: "REPRISE_LEDGER_AWAY" });
    isSilent = false;
    const again = await (await stand.ledger()).claim(request);
    assert.ok(again.is === "won" && again.token === 1);
  });

  test("a table that is gone is told as such: nothing is run until somebody mends it", async () => {
    const ledger = await stand.ledger();
    await claimed(ledger, "a");
    await server().drop(stand.table());
    await assert.rejects(ledger.claim(work("b")), { code: "REPRISE_LEDGER_UNUSABLE" });
  });

  test("the same operation under one identity, fifty times at once in three instances, has one effect", async () => {
    let charges = 0;
    const instances = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const reprise = createReprise({ service: "shop", undecided: "listed", ledger: await stand.ledger() });
        const charge = reprise.operation({
          name: "charge",
          input: unchecked<{ readonly id: string }>(),
          identity: ({ id }) => [id],
          principal: "everyone",
          effects: "external",
          retention: "1h",
          run: async ({ input, effect }) => {
            const charge = async () => {
              charges += 1;
              return charges;
            };
            return { id: input.id, charge: await effect("charge", { run: charge, ifUnknown: "retry" }) };
          },
        });
        await reprise.start();
        return { reprise, charge };
      }),
    );
    const attempts = Array.from({ length: 50 }, (_, i) => (instances[i % 3] ?? assert.fail()).charge);
    const outcomes = await Promise.all(
      attempts.map(async (charge) => {
        for (;;) {
          const told = await charge.execute({ id: "1" });
          if (told.status !== "running") return told;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }),
    );
    assert.equal(charges, 1);
    assert.equal(outcomes.filter((told) => told.status === "done" && !told.replayed).length, 1);
    for (const told of outcomes) assert.deepEqual(told.status === "done" && told.value, { id: "1", charge: 1 });
    for (const { reprise } of instances) await reprise.close();
  });

  describe("by the service's clock", () => {
    test("what is over by the later bound alone is not over, and is told so until it is by the earlier one", async () => {
      const [owner, other] = [await stand.ledger(), await stand.ledger()];
      const { fence } = await claimed(owner, "a");
      await passTime(leaseMs + 1_000);
      const early = await other.claim(work("a"));
      assert.ok(early.is === "running" && early.retryAfterMs > 0 && early.retryAfterMs <= 2_000);
      assert.equal(await owner.renew(fence, leaseMs, null), "renewed");
      await passTime(leaseMs + 2_000);
      assert.equal((await other.claim(work("a"))).is, "won");
    });

    test("a process that stood still, its clock with it, gives none of its leases too short", async () => {
      // what a function's process knows of the time is as old as its last call
      const still = { now: Date.now, monotonic: () => 0, timer: () => () => undefined };
      const frozen = await stand.ledger({ clock: still });
      const waiting = (await claimed(frozen, "renewed")).fence;
      await passTime(3_600_000);
      const other = await stand.ledger();
      const first = await claimed(frozen, "first");
      await passTime(leaseMs - 5_000);
      assert.equal((await other.claim(work("first"))).is, "running", "claimed");
      await passTime(3_600_000);
      assert.equal(await frozen.renew(waiting, leaseMs, null), "renewed");
      await passTime(leaseMs - 5_000);
      assert.equal((await other.claim(work("renewed"))).is, "running", "renewed");
      await passTime(3_600_000);
      await completed(frozen, waiting);
      await passTime(keepMs - 5_000);
      assert.equal((await other.claim(work("renewed"))).is, "done", "kept");
      const { leases } = frozen;
      assert.ok(leases !== undefined);
      const request = { name: "l", holder: "frozen", attempt: first.fence.attempt, leaseMs };
      assert.equal((await leases.acquire(request)).is, "acquired");
      await passTime(leaseMs - 5_000);
      assert.ok(((await other.leases?.look("l"))?.forMs ?? 0) > 0, "acquired");
      const [effectOf] = [await claimed(other, "effect")];
      await passTime(leaseMs / 2);
      await frozen.start(effectOf.fence, effect("charge", 60_000));
      await passTime(55_000);
      const next = await claimed(other, "effect");
      assert.ok((next.effects[0]?.settlesInMs ?? 0) > 0, "started");
    });

    test("whatever the process takes the time for, nothing of it is written", async () => {
      const lying = { now: () => 0, monotonic: performance.now.bind(performance), timer: () => () => undefined };
      const ledger = await stand.ledger({ clock: lying });
      await done(ledger, "a");
      const [run] = await ledger.recent({ limit: 1 });
      assert.ok(run !== undefined && run.createdAt > 1_600_000_000_000);
      assert.ok((run.endedAt ?? 0) >= run.createdAt);
    });
  });

  describe("of a caller's key", () => {
    const isWriteOfKey = (given: readonly unknown[]) => JSON.stringify(given[0]).includes('"key ');

    test("an item that a release left behind is taken over, and by one of two that come for it at once", async () => {
      // its deletion never came
      const crashing = await stand.ledger({
        around: async (method, given, call) =>
          /^delete/.test(method) && JSON.stringify(given).includes("key ") ? crash() : call(),
      });
      const { fence } = await claimed(crashing, "left", { key: "k" });
      const release = { keep: false, notBeforeMs: 0, error: null };
      await assert.rejects(crashing.release(fence, release), { code: "REPRISE_LEDGER_AWAY" });

      // one has seen that the item names work which is gone, and is about to write over it
      let reached = () => {};
      const atTheItem = new Promise<void>((resolve) => {
        reached = resolve;
      });
      let goOn = () => {};
      const gate = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      let isFirst = true;
      const slow = await stand.ledger({
        around: async (method, given, call) => {
          const isReplacing = isAzure ? method === "updateEntity" : JSON.stringify(given[0]).includes(":mark");
          if (isReplacing && isWriteOfKey(given) && isFirst) {
            isFirst = false;
            reached();
            await gate;
          }
          return call();
        },
      });
      const stealing = slow.claim(work("thief", { key: "k" }));
      await atTheItem;
      const ledger = await stand.ledger();
      const anew = await ledger.claim(work("left", { key: "k" }));
      goOn();
      assert.deepEqual([anew.is, await stealing], ["won", { is: "mismatch", firstSeen: null }]);
      assert.equal(await ledger.find(work("thief")), null);
      assert.equal((await ledger.find(work("other", { key: "k" })))?.is, "mismatch");
    });

    test("of works that come under one key again and again, and are given back, never two have it at once", async () => {
      const ledgers = await Promise.all(Array.from({ length: 3 }, () => stand.ledger()));
      const having = new Set<string>();
      let won = 0;
      const comeAgain = async (ledger: (typeof ledgers)[number], rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          const identity = `${round % 3}`;
          const claim = await ledger.claim(work(identity, { key: "k" }));
          if (claim.is !== "won") continue;
          assert.deepEqual([...having], []);
          having.add(identity);
          won += 1;
          await new Promise((resolve) => setImmediate(resolve));
          having.delete(identity);
          await ledger.release(claim.fence, { keep: false, notBeforeMs: 0, error: null });
        }
      };
      await Promise.all(ledgers.flatMap((ledger) => [comeAgain(ledger, 8), comeAgain(ledger, 8)]));
      assert.ok(won > 1);
    });

    test("a claim that crashed before it took its key holds up neither its work nor the key's next owner", async () => {
      const crashing = await stand.ledger({
        around: async (_method, given, call) => (isWriteOfKey(given) ? crash() : call()),
      });
      await assert.rejects(crashing.claim(work("crashed", { key: "k" })), { code: "REPRISE_LEDGER_AWAY" });
      const ledger = await stand.ledger();
      assert.equal((await ledger.claim(work("other", { key: "k" }))).is, "won");
      assert.equal((await ledger.claim(work("crashed", { key: "k" }))).is, "mismatch");
      await passTime(pastLeaseMs + 2_000);
      assert.equal((await ledger.claim(work("crashed", { key: "k" }))).is, "mismatch");
      assert.equal((await ledger.claim(work("crashed", { key: "k2" }))).is, "won");
    });

    test("who comes with the key of a claim that crashed before it took it, takes it for that work", async () => {
      const crashing = await stand.ledger({
        around: async (_method, given, call) => (isWriteOfKey(given) ? crash() : call()),
      });
      await assert.rejects(crashing.claim(work("crashed", { key: "k" })), { code: "REPRISE_LEDGER_AWAY" });
      const ledger = await stand.ledger();
      assert.equal((await ledger.claim(work("crashed", { key: "k" }))).is, "running");
      assert.equal((await ledger.claim(work("other", { key: "k" }))).is, "mismatch");
    });
  });

  describe("of the list of what is to be come for", () => {
    const due = async (ledger: Awaited<ReturnType<ItemStand["ledger"]>>) =>
      (await ledger.abandoned({ operations: ["book"], idleMs: 0, limit: 10 })).map(({ id }) => id);

    test("work that was accepted by a process which crashed at any step is due, or was never there", async () => {
      const ledger = await stand.ledger();
      for (let step = 1; step <= 6; step++) {
        const identity = `step ${step}`;
        let left = Number.POSITIVE_INFINITY;
        const crashing = await stand.ledger({
          around: async (method, _given, call) => {
            if (!/^(create|update|upsert|put)/.test(method)) return call();
            left -= 1;
            return left < 0 ? crash() : call();
          },
        });
        left = step;
        const request = later(identity, { key: identity });
        await crashing.accept(request).catch(() => undefined);
        // as long as the call might have gone on
        await passTime(40_000);
        const isThere = (await ledger.standing(request.id)) !== null;
        assert.equal((await due(ledger)).includes(request.id), isThere, identity);
        assert.equal((await ledger.accept(request)).is, "accepted");
        assert.ok((await due(ledger)).includes(request.id));
        assert.equal((await ledger.find(work("other", { key: identity })))?.is, "mismatch");
      }
    });

    test("a look that comes between an entry and its work leaves the entry there", async () => {
      let reached = () => {};
      const entered = new Promise<void>((resolve) => {
        reached = resolve;
      });
      let goOn = () => {};
      const gate = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const slow = await stand.ledger({
        around: async (method, given, call) => {
          if (/^(create|put)/.test(method) && JSON.stringify(given[0]).includes('"work ')) {
            reached();
            await gate;
          }
          return call();
        },
      });
      const request = later("a");
      const accepting = slow.accept(request);
      await entered;
      const ledger = await stand.ledger();
      assert.deepEqual(await due(ledger), []);
      goOn();
      assert.equal((await accepting).is, "accepted");
      assert.deepEqual(await due(ledger), [request.id]);
    });

    test("looking at work that runs costs one read while its lease lasts, and nothing once it is done", async () => {
      const { ledger, cost } = await counted(stand);
      const { fence } = await claimed(ledger, "a", { input: "input" });
      const empty = await cost(() => due(ledger));
      await passTime(pastLeaseMs + 2_000);
      await ledger.renew(fence, leaseMs, null);
      // the document, and the entry that says when to look again
      assert.equal(await cost(() => due(ledger)), empty + 2);
      assert.equal(await cost(() => due(ledger)), empty);
      await completed(ledger, fence);
      await passTime(pastLeaseMs + 2_000);
      assert.equal(await cost(() => due(ledger)), empty);
    });
  });
});

vitest("a client of another class is refused before anything is asked", () => {
  const bad = { code: "REPRISE_BAD_DECLARATION" };
  assert.throws(() => dynamoLedger({} as never), bad);
  assert.throws(() => dynamoLedger({ client: new DynamoDBClient() as never }), bad);
  assert.throws(() => azureTablesLedger({} as never), bad);
});
