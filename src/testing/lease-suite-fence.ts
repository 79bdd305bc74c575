import assert from "node:assert/strict";
import { isRepriseError } from "../base/errors.ts";
import type { LeaseScenario } from "./lease-adapter.ts";
import {
  acquiredOf,
  book,
  check,
  fencedOf,
  heldOf,
  leaseMs,
  openBooking,
  request,
  soon,
  taken,
  takenOver,
} from "./lease-kit.ts";

const needs = ["transactions"] as const;

/** Whoever writes one transaction at a time may refuse the others meanwhile. */
async function unlessBusy<T>(answer: Promise<T>): Promise<T | "busy"> {
  try {
    return await answer;
  } catch (error) {
    if (isRepriseError(error) && error.code === "REPRISE_LEDGER_BUSY") return "busy";
    throw error;
  }
}

/** The fence of a holder's own writes. */
export const fenceScenarios: readonly LeaseScenario[] = [
  {
    name: "a holder's transaction that checks last commits",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      assert.equal(await book(stage, grip, "a"), true);
      assert.equal(await book(stage, grip, "b"), true);
      assert.deepEqual([...(await fencedOf(stage).bookings())].toSorted(), ["a", "b"]);
    },
  },
  {
    name: "who was overtaken is told so in its transaction, and nothing of that stays",
    needs,
    run: async (stage) => {
      const { zombie, owner } = await takenOver(stage);
      assert.equal(await book(stage, zombie, "zombie"), false);
      await stage.leases.release(owner);
      assert.equal(await book(stage, zombie, "zombie"), false);
      assert.deepEqual(await fencedOf(stage).bookings(), []);
    },
  },
  {
    name: "who released its lease is told so in its transaction",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      await stage.leases.release(grip);
      assert.equal(await book(stage, grip, "late"), false);
      assert.equal(await book(stage, { ...grip, name: "never" }, "late"), false);
      assert.deepEqual(await fencedOf(stage).bookings(), []);
    },
  },
  {
    name: "a lease that is over, which nobody took, is its holder's still",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      await stage.endLease("a");
      assert.equal(await book(stage, grip, "a"), true);
      assert.deepEqual(await fencedOf(stage).bookings(), ["a"]);
    },
  },
  {
    name: "a transaction may check more than once, and more than one lease",
    needs,
    run: async (stage) => {
      const { transaction, insertBooking, bookings } = fencedOf(stage);
      const [a, b] = [await taken(stage.leases, "a"), await taken(stage.leases, "b")];
      await transaction(async (tx) => {
        assert.equal(await check(stage.leases, tx, a), true);
        await insertBooking(tx, "ab");
        assert.equal(await check(stage.leases, tx, b), true);
        assert.equal(await check(stage.leases, tx, a), true);
      });
      assert.deepEqual(await bookings(), ["ab"]);
      await stage.endLease("a");
      assert.ok((await taken(stage.leases, "a")).token > a.token);
    },
  },
  {
    name: "who walks away from a lease does not wait for its holder's open transaction that checks it",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      const open = await openBooking(stage, grip, "a");
      const began = performance.now();
      heldOf(await soon(stage.leases.acquire(request("a", "second"))));
      assert.ok(performance.now() - began < 1_000);
      await open.end();
      assert.deepEqual(await fencedOf(stage).bookings(), ["a"]);
    },
  },
  {
    name: "a lease that is over is not taken while a transaction that checked it is open, and nobody waits for that",
    needs: ["transactions", "writesAtOnce"],
    run: async (stage) => {
      const grip = await taken(stage.leases);
      await stage.endLease("a");
      const open = await openBooking(stage, grip, "a");
      for (let round = 0; round < 5; round++) heldOf(await soon(stage.leases.acquire(request("a", "second"))));
      await open.end();
      assert.ok(acquiredOf(await soon(stage.leases.acquire(request("a", "second")))).token > grip.token);
    },
  },
  {
    name: "whoever takes a lease over finds committed what was checked before",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      await stage.endLease("a");
      const open = await openBooking(stage, grip, "a");
      const takeover = (async () => {
        for (;;) {
          const answer = await unlessBusy(stage.leases.acquire(request("a", "second")));
          if (answer !== "busy" && answer.is === "acquired") return fencedOf(stage).bookings();
          await new Promise((resolve) => setImmediate(resolve));
        }
      })();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      await open.end();
      assert.deepEqual(await takeover, ["a"]);
      assert.equal(await book(stage, grip, "late"), false);
    },
  },
  {
    name: "a check in a transaction that is rolled back holds nobody off",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      await stage.endLease("a");
      const open = await openBooking(stage, grip, "a");
      await open.fail();
      assert.ok((await taken(stage.leases)).token > grip.token);
      assert.deepEqual(await fencedOf(stage).bookings(), []);
    },
  },
  {
    name: "a renewal beside an open transaction that checks is done, or refused, and is done after it",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      const open = await openBooking(stage, grip, "a");
      const renewal = unlessBusy(stage.leases.renew(grip, leaseMs));
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      await open.end();
      assert.notEqual(await renewal, false);
      assert.equal(await stage.leases.renew(grip, leaseMs), true);
    },
  },
  {
    name: "a release beside an open transaction that checks lets nobody in before it has ended",
    needs,
    run: async (stage) => {
      const grip = await taken(stage.leases);
      const open = await openBooking(stage, grip, "a");
      const release = unlessBusy(stage.leases.release(grip));
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      await open.end();
      if ((await release) === "busy") await stage.leases.release(grip);
      await taken(stage.leases);
      assert.deepEqual(await fencedOf(stage).bookings(), ["a"]);
    },
  },
];
