import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { newAttemptId } from "../../src/base/names.ts";
import type { Grip, LeaseStore } from "../../src/contract/lease.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { PostgresTransaction } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { type PostgresPlace, postgresPlace, postgresVersion } from "../support/postgres.ts";

const isThere = (await postgresVersion()) !== undefined;
let place: PostgresPlace;

beforeAll(async () => {
  if (isThere) place = await postgresPlace();
});
afterAll(() => place?.drop());
beforeEach((context) => {
  if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
});

function leasesOf<Tx>({ leases }: Ledger<Tx>): LeaseStore<Tx> {
  if (leases === undefined) throw new Error("no leases");
  return leases;
}

async function taken(leases: LeaseStore<unknown>, name: string): Promise<Grip> {
  const attempt = newAttemptId();
  const answer = await leases.acquire({ name, holder: "test", attempt, leaseMs: 30_000 });
  if (answer.is === "held") throw new Error("held");
  return { name, attempt, token: answer.token };
}

const check = (leases: LeaseStore<PostgresTransaction>, tx: PostgresTransaction, grip: Grip) =>
  leases.check?.(tx, grip);

test("a heartbeat waits for no transaction that has checked its lease", async () => {
  const ledger = await place.ledger("pg", { deadline: "2s" });
  const leases = leasesOf(ledger);
  const grip = await taken(leases, "heartbeat");
  await ledger.transaction(async (tx) => {
    expect(await check(leases, tx, grip)).toBe(true);
    expect(await leases.renew(grip, 60_000)).toBe(true);
    expect(await check(leases, tx, grip)).toBe(true);
  });
  expect((await leases.look("heartbeat"))?.forMs).toBeGreaterThan(50_000);
});

test("a name that PostgreSQL cannot keep is refused, and nobody is told that the ledger is away", async () => {
  const leases = leasesOf(await place.ledger("pg"));
  await expect(taken(leases, "a\0b")).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
});

test("on repeatable read an owner that was renewed meanwhile commits, and what was overtaken meanwhile does not", async () => {
  const ledger = await place.ledger("pg", { isolation: "repeatable read" });
  const leases = leasesOf(ledger);
  const grip = await taken(leases, "renewed");
  let runs = 0;
  await ledger.transaction(async (tx) => {
    runs += 1;
    await place.insertBooking(tx, "renewed");
    await leases.renew(grip, 30_000);
    expect(await check(leases, tx, grip)).toBe(true);
  });
  expect(runs).toBe(1);
  const zombie = await taken(leases, "overtaken");
  runs = 0;
  const fenced = ledger.transaction(async (tx) => {
    runs += 1;
    await place.insertBooking(tx, "overtaken");
    await place.admin.query(
      `update ${place.schema}.reprise_lease set until = now() - interval '1 s' where name = 'overtaken'`,
    );
    await taken(leases, "overtaken").catch(() => undefined);
    if ((await check(leases, tx, zombie)) !== true) throw new Error("fenced");
  });
  await expect(fenced).rejects.toThrow("fenced");
  // its snapshot shows its own lease still: the lock tells that it is an old one, and the transaction begins anew
  expect(runs).toBe(2);
  expect(await place.bookings()).toEqual(["renewed"]);
});
