import { expect, test } from "vitest";
import { Abortable } from "../../src/base/abortable.ts";
import type { Progress } from "../../src/contract/ledger.ts";
import { Lease } from "../../src/lease/lease.ts";
import { manualClock } from "../../src/testing/index.ts";

type Renewed = "renewed" | "cancelled" | "fenced";

function hold({ leaseMs = 30_000, closing = new Abortable() } = {}) {
  const clock = manualClock();
  const renewals: { readonly at: number; readonly progress: Progress | null }[] = [];
  let answer: () => Promise<Renewed> = async () => "renewed";
  let cancelled = 0;
  const lease = new Lease({
    clock,
    operation: "seat.book",
    leaseMs,
    sentAt: clock.monotonic(),
    renew: (progress) => {
      renewals.push({ at: clock.monotonic(), progress });
      return answer();
    },
    cancelled: () => {
      cancelled += 1;
    },
    closing,
  });
  const answering = (given: () => Promise<Renewed>) => {
    answer = given;
  };
  return { clock, lease, renewals, answering, closing, cancelled: () => cancelled };
}
const done = (count: number): Progress => ({ done: count, total: null });

test("it is renewed at a third, one timer at a time, and none is left when it stops", async () => {
  const { clock, lease, renewals } = hold();
  await clock.advance(60_000);
  expect(renewals.map(({ at }) => at)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  expect(clock.pending()).toBe(1);
  lease.stop();
  expect(clock.pending()).toBe(0);
  expect(lease.losing.reason).toBeUndefined();
});

test("it ends by this side's clock when no renewal is answered, counted from before the last answered one was sent", async () => {
  const { clock, lease, answering } = hold();
  await clock.advance(10_000);
  answering(() => new Promise(() => {}));
  await clock.advance(29_999);
  expect(() => lease.check()).not.toThrow();
  await clock.advance(1);
  expect(lease.losing.reason).toMatchObject({ code: "REPRISE_LEASE_LOST" });
  expect(() => lease.check()).toThrowError(expect.objectContaining({ code: "REPRISE_LEASE_LOST" }));
  expect(clock.pending()).toBe(0);
});

test("a renewal that fails is repeated, sooner as time runs out, and never in a loop", async () => {
  const { clock, lease, renewals, answering } = hold();
  answering(async () => Promise.reject(new Error("away")));
  await clock.advance(29_900);
  expect(lease.losing.reason).toBeUndefined();
  expect(renewals.length).toBeGreaterThan(3);
  expect(renewals.length).toBeLessThan(30);
});

test("what the ledger refuses is lost at once, and what it cancels is kept", async () => {
  const refused = hold();
  refused.answering(async () => "fenced");
  await refused.clock.advance(10_000);
  expect(refused.lease.losing.reason).toMatchObject({ code: "REPRISE_FENCED" });
  expect(refused.clock.pending()).toBe(0);
  const unwanted = hold();
  unwanted.answering(async () => "cancelled");
  await unwanted.clock.advance(10_000);
  expect(unwanted.cancelled()).toBe(1);
  expect(unwanted.lease.losing.reason).toBeUndefined();
});

test("progress is told at most once a second, with what was reported last, however often it is reported", async () => {
  const { clock, lease, renewals } = hold();
  await clock.advance(5_000);
  for (let count = 1; count <= 2_000; count += 1) {
    lease.report(done(count));
    if (count % 10 === 0) await clock.advance(10);
  }
  await clock.advance(1_000);
  const told = renewals.filter(({ progress }) => progress !== null);
  expect(told.length).toBeGreaterThanOrEqual(2);
  expect(told.length).toBeLessThanOrEqual(4);
  expect(told.at(-1)?.progress).toEqual(done(2_000));
});

test("reports without a pause between them put no renewal off", async () => {
  const { clock, lease, renewals } = hold();
  for (let elapsed = 0; elapsed < 40_000; elapsed += 500) {
    lease.report(done(elapsed));
    await clock.advance(500);
  }
  expect(lease.losing.reason).toBeUndefined();
  expect(renewals.length).toBeGreaterThan(30);
});

test("a lease as short as the pause between reports is renewed in time all the same", async () => {
  const { clock, lease } = hold({ leaseMs: 1_000 });
  for (let elapsed = 0; elapsed < 10_000; elapsed += 50) {
    lease.report(done(elapsed));
    await clock.advance(50);
  }
  expect(lease.losing.reason).toBeUndefined();
});

test("progress that comes while a renewal is under way does not put the next one off to the deadline", async () => {
  const { clock, lease, answering } = hold({ leaseMs: 1_000 });
  let answerAfter: (() => void) | undefined;
  answering(() => new Promise((resolve) => (answerAfter = () => resolve("renewed"))));
  await clock.advance(334);
  lease.report(done(1));
  answerAfter?.();
  answering(async () => "renewed");
  await clock.advance(5_000);
  expect(lease.losing.reason).toBeUndefined();
});

test("closing ends every lease, also those that began after one that was lost and stopped twice", async () => {
  const closing = new Abortable();
  const fenced = hold({ closing });
  fenced.answering(async () => "fenced");
  await fenced.clock.advance(10_000);
  fenced.lease.stop();
  const others = [hold({ closing }), hold({ closing })];
  fenced.lease.stop();
  const reason = new Error("closed");
  closing.abort(reason);
  expect(others.map(({ lease }) => lease.losing.reason)).toEqual([reason, reason]);
  expect(hold({ closing }).lease.losing.reason).toBe(reason);
});
