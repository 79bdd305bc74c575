import assert from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import { newAttemptId } from "../base/names.ts";
import { withDeadline } from "../base/promise.ts";
import type { Acquired, Grip, Held, LeaseRequest, LeaseStore } from "../contract/lease.ts";
import type { FencedTransactions, LeaseStage } from "./lease-adapter.ts";

export const leaseMs = 30_000;

export function request(name: string, holder = "first"): LeaseRequest {
  return { name, holder, attempt: newAttemptId(), leaseMs };
}

export function acquiredOf(answer: Acquired | Held): Acquired {
  assert.equal(answer.is, "acquired");
  return answer as Acquired;
}

export function heldOf(answer: Acquired | Held): Held {
  assert.equal(answer.is, "held");
  return answer as Held;
}

/** Takes a lease that is free. */
export async function taken(leases: LeaseStore<unknown>, name = "a", holder?: string): Promise<Grip> {
  const asked = request(name, holder);
  const { token } = acquiredOf(await leases.acquire(asked));
  return { name, attempt: asked.attempt, token };
}

/** One that lost its lease and does not know it, and the one that took it over. */
export async function takenOver<Tx>(stage: LeaseStage<Tx>, name = "a") {
  const zombie = await taken(stage.leases, name, "zombie");
  await stage.endLease(name);
  const owner = await taken(stage.leases, name, "owner");
  return { zombie, owner };
}

/** Somebody has it: nobody else is let in. */
export async function isHeld(leases: LeaseStore<unknown>, name = "a"): Promise<boolean> {
  return (await leases.acquire(request(name, "prober"))).is === "held";
}

/** What must not wait for anybody answers within a second. */
export function soon<T>(answer: Promise<T>): Promise<T> {
  return withDeadline(systemClock, 1_000, answer, () => new Error("it waited"));
}

export function fencedOf<Tx>({ fenced }: LeaseStage<Tx>): FencedTransactions<Tx> {
  assert.ok(fenced !== null, "the stage has no transactions");
  return fenced;
}

/** @throws where the store has none */
export async function check<Tx>(leases: LeaseStore<Tx>, tx: Tx, grip: Grip): Promise<boolean> {
  assert.ok(leases.check !== undefined, "the store checks nothing");
  return leases.check(tx, grip);
}

/** A transaction of the user's whose fence is checked last, and which is rolled back when that says no. */
export async function book<Tx>(stage: LeaseStage<Tx>, grip: Grip, identity: string): Promise<boolean> {
  const { transaction, insertBooking } = fencedOf(stage);
  const fenced = new Error("fenced");
  try {
    await transaction(async (tx) => {
      await insertBooking(tx, identity);
      if (!(await check(stage.leases, tx, grip))) throw fenced;
    });
    return true;
  } catch (error) {
    if (error === fenced) return false;
    throw error;
  }
}

/** A transaction that has written and checked, and stays open until `end`. */
export async function openBooking<Tx>(stage: LeaseStage<Tx>, grip: Grip, identity: string) {
  const { transaction, insertBooking } = fencedOf(stage);
  const ending = deferred<void>();
  const checked = deferred<boolean>();
  const committed = transaction(async (tx) => {
    await insertBooking(tx, identity);
    checked.resolve(await check(stage.leases, tx, grip));
    await ending.promise;
  });
  committed.catch(checked.reject);
  const end = async () => {
    ending.resolve();
    await committed;
  };
  const fail = async () => {
    ending.reject(new Error("rolled back"));
    await assert.rejects(committed, /rolled back/);
  };
  assert.equal(await checked.promise, true);
  return { end, fail };
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<T>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  return { promise, resolve, reject };
}
