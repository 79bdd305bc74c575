import { expect, test } from "vitest";
import { createReprise, isRepriseError, unchecked } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { faultyLedger, manualClock } from "../../src/testing/index.ts";
import { gate } from "../support/bookings.ts";

interface Cancel {
  readonly user: string;
  readonly reference: string;
  readonly why?: string;
}
const alice: Cancel = { user: "alice", reference: "BK-1" };

function createCancellations() {
  const clock = manualClock();
  const store = memoryLedger({ clock });
  const { ledger, ...faults } = faultyLedger(store);
  const reprise = createReprise({ service: "booking", undecided: "listed", ledger, clock });
  const at = { work: async () => {} };
  let runs = 0;
  const cancel = reprise.operation({
    name: "seat.cancel",
    input: unchecked<Cancel>(),
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "7d",
    effects: "database",
    refusals: { "not-found": { status: 404, because: "No such booking." } },
    run: async ({ input, tx, refuse }) => {
      runs += 1;
      tx.set(`cancelled:${input.reference}`, runs);
      await at.work();
      if (input.reference === "none") throw refuse("not-found");
      return { cancelled: input.reference };
    },
  });
  return { clock, store, reprise, cancel, at, faults, runs: () => runs };
}

test("work and outcome commit together, and a repetition is replayed", async () => {
  const { cancel, store, runs } = createCancellations();
  expect(await cancel.execute(alice)).toMatchObject({ status: "done", replayed: false, value: { cancelled: "BK-1" } });
  expect(await cancel.execute(alice)).toMatchObject({ status: "done", replayed: true });
  expect(runs()).toBe(1);
  expect(store.rows.get("cancelled:BK-1")).toBe(1);
});

test("a run that fails leaves neither rows nor an outcome", async () => {
  const { cancel, store, at } = createCancellations();
  at.work = async () => {
    throw new Error("constraint");
  };
  await expect(cancel.execute(alice)).rejects.toThrow("constraint");
  expect(store.rows.size).toBe(0);
  expect(await cancel.find(alice)).toBeUndefined();
});

test("P6: a refusal undoes what the transaction wrote, and is stored by itself", async () => {
  const { cancel, store, runs } = createCancellations();
  const none = { ...alice, reference: "none" };
  expect(await cancel.execute(none)).toMatchObject({ status: "refused", code: "not-found", replayed: false });
  expect(await cancel.execute(none)).toMatchObject({ status: "refused", code: "not-found", replayed: true });
  expect(store.rows.size).toBe(0);
  expect(runs()).toBe(1);
});

test("duplicates of a replay that is under way are replayed too, and not told that the work runs", async () => {
  const { cancel, faults, runs } = createCancellations();
  await cancel.execute(alice, { key: "k" });
  const looking = faults.block("atomic");
  const first = cancel.execute(alice, { key: "k" });
  await looking.reached;
  const duplicates = Array.from({ length: 20 }, () => cancel.execute(alice, { key: "k" }));
  await Promise.resolve();
  looking.open();
  for (const answer of await Promise.all([first, ...duplicates])) {
    expect(answer).toMatchObject({ status: "done", replayed: true });
  }
  expect(runs()).toBe(1);
});

test("a duplicate that waited for an attempt that failed before its work began makes its own", async () => {
  const { cancel, faults, runs } = createCancellations();
  const looking = faults.block("atomic");
  faults.fail("atomic");
  const first = cancel.execute(alice);
  await looking.reached;
  const second = cancel.execute(alice);
  looking.open();
  await expect(first).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
  expect(await second).toMatchObject({ status: "done", replayed: false });
  expect(runs()).toBe(1);
});

test("a duplicate in this process is told at once, and asks the ledger for nothing", async () => {
  const { cancel, at, faults, runs } = createCancellations();
  const hold = gate();
  at.work = () => hold.passed;
  const first = cancel.execute(alice, { key: "k" });
  await expect.poll(() => runs()).toBe(1);
  const asked = faults.calls("atomic");
  const duplicates = await Promise.all(Array.from({ length: 20 }, () => cancel.execute(alice, { key: "k" })));
  expect(duplicates.every(({ status }) => status === "running")).toBe(true);
  // the first may still roll back: a mismatch would make these callers give up for nothing
  expect(await cancel.execute({ ...alice, why: "ill" })).toMatchObject({ status: "running" });
  expect(await cancel.execute({ ...alice, reference: "BK-2" }, { key: "k" })).toMatchObject({ status: "running" });
  expect(faults.calls("atomic")).toBe(asked);
  hold.open();
  expect(await first).toMatchObject({ status: "done", replayed: false });
  expect(await cancel.execute({ ...alice, why: "ill" })).toMatchObject({ status: "mismatch" });
  expect(await cancel.execute({ ...alice, reference: "BK-2" }, { key: "k" })).toMatchObject({ status: "mismatch" });
});

test("executeIn takes part in the caller's transaction: a rollback undoes the outcome too", async () => {
  const { cancel, store, reprise } = createCancellations();
  await reprise.start();
  const rolledBack = store.transaction(async (tx) => {
    const outcome = await cancel.executeIn(tx, alice);
    expect(outcome).toMatchObject({ status: "done", replayed: false, provisional: true });
    throw new Error("the caller changed its mind");
  });
  await expect(rolledBack).rejects.toThrow("changed its mind");
  expect(store.rows.size).toBe(0);
  expect(await cancel.find(alice)).toBeUndefined();

  await store.transaction((tx) => cancel.executeIn(tx, alice));
  expect(await cancel.execute(alice)).toMatchObject({ status: "done", replayed: true });
});

test("executeIn stores a refusal in the caller's transaction, without what the run wrote", async () => {
  const { cancel, store, reprise } = createCancellations();
  await reprise.start();
  const none = { ...alice, reference: "none" };
  const outcome = await store.transaction((tx) => cancel.executeIn(tx, none));
  expect(outcome).toMatchObject({ status: "refused", code: "not-found" });
  expect(store.rows.size).toBe(0);
  expect(await cancel.execute(none)).toMatchObject({ status: "refused", replayed: true });
});

test("what converges keeps no record and runs again", async () => {
  const { reprise, store } = createCancellations();
  let runs = 0;
  const upsert = reprise.operation({
    name: "fact.upsert",
    input: unchecked<{ readonly id: string }>(),
    ifRunsAgain: "converges",
    costIfTwice: "noise",
    effects: "database",
    run: async ({ input, tx }) => {
      runs += 1;
      tx.set(`fact:${input.id}`, 1);
      return runs;
    },
  });
  expect(await upsert.execute({ id: "a" })).toMatchObject({ status: "done", replayed: false, value: 1 });
  expect(await upsert.execute({ id: "a" })).toMatchObject({ status: "done", replayed: false, value: 2 });
  expect(await store.recent({ limit: 5 })).toEqual([]);
  expect(await upsert.find({ id: "a" })).toBeUndefined();
});

test("a commit whose answer was lost is replayed by the next attempt", async () => {
  const { cancel, faults, runs } = createCancellations();
  faults.lose("atomic");
  const error = await cancel.execute(alice).catch((thrown: unknown) => thrown);
  expect(isRepriseError(error, "REPRISE_LEDGER_AWAY")).toBe(true);
  expect(await cancel.execute(alice)).toMatchObject({ status: "done", replayed: true });
  expect(runs()).toBe(1);
});
