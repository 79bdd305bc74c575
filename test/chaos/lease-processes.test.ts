import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { pause } from "../../src/base/promise.ts";
import { createReprise } from "../../src/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { type PostgresPlace, pgPool, postgresPlace, postgresUrl, postgresVersion } from "../support/postgres.ts";
import { buildProgram } from "../support/program.ts";
import type { FromLeaseWorker, LeaseWorkerSettings } from "./lease-worker.ts";

const isThere = (await postgresVersion()) !== undefined;
const program = await buildProgram(join(import.meta.dirname, "lease-worker.ts"));
const children: ChildProcess[] = [];
let place: PostgresPlace;

beforeAll(async () => {
  if (!isThere) return;
  place = await postgresPlace();
});
beforeEach(async (context) => {
  if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  await place.admin.query(`delete from ${place.schema}.booking`);
});
afterAll(async () => {
  for (const child of children) child.kill("SIGKILL");
  await place?.drop();
  program.remove();
});

/** A process that holds the lease, and has written in a transaction that is open. */
async function startHolder() {
  const settings: LeaseWorkerSettings = { url: postgresUrl, schema: place.schema, lease: "1s" };
  const child = fork(program.path, [JSON.stringify(settings)]);
  children.push(child);
  const ended = once(child, "exit");
  const next = async () => {
    const early = ended.then(([code, signal]) => {
      throw new Error(`the worker ended early with ${String(code)} ${String(signal)}`);
    });
    const [message] = await Promise.race([once(child, "message"), early]);
    return message as FromLeaseWorker;
  };
  const inside = await next();
  if (inside.is !== "inside") throw new Error(`the worker did not begin: ${JSON.stringify(inside)}`);
  return { child, token: inside.token, next, ended };
}

/** Another instance that tries until the lease is its own: what it met, and its token. */
async function takeOver() {
  const pool = pgPool(postgresUrl, 3);
  const ledger = postgresLedger({ pool, schema: place.schema });
  const reprise = createReprise({ service: "chaos", ledger, instance: "owner" });
  await reprise.start();
  const lease = reprise.lease("export", { lease: "1s" });
  const holders = new Set<string | null>();
  let slowest = 0;
  try {
    for (;;) {
      const began = performance.now();
      const answer = await lease.hold(async ({ token, transaction }) => {
        await transaction((tx) =>
          tx.query(`insert into ${place.schema}.booking (identity) values ($1)`, [`owner ${token}`]),
        );
        return token;
      });
      if (answer.status === "done") return { token: answer.value, holders: [...holders], slowest };
      slowest = Math.max(slowest, performance.now() - began);
      holders.add(answer.holder);
      await pause(systemClock, 50);
    }
  } finally {
    await reprise.close();
    await pool.end();
  }
}

test("a process that was stopped past its lease writes nothing once another has taken over, and is told so", async () => {
  const zombie = await startHolder();
  zombie.child.kill("SIGSTOP");
  const owner = await takeOver();
  expect(owner.token).toBe(zombie.token + 1);
  expect(owner.holders).toEqual(["zombie"]);
  // its open transaction held nobody up
  expect(owner.slowest).toBeLessThan(1_000);
  const told = zombie.next();
  zombie.child.send("go");
  zombie.child.kill("SIGCONT");
  const { transaction, aborted, hold } = (await told) as Extract<FromLeaseWorker, { is: "told" }>;
  expect(transaction).toBe("REPRISE_FENCED");
  expect(["REPRISE_LEASE_LOST", "REPRISE_FENCED"]).toContain(aborted);
  expect(hold).toBe(aborted);
  expect(await place.bookings()).toEqual([`owner ${owner.token}`]);
  await zombie.ended;
}, 60_000);

test("a process that was killed in its transaction leaves nothing, and its lease is another's once it is over", async () => {
  const dead = await startHolder();
  dead.child.kill("SIGKILL");
  await dead.ended;
  const owner = await takeOver();
  expect(owner.token).toBe(dead.token + 1);
  expect(owner.holders).toEqual(["zombie"]);
  expect(await place.bookings()).toEqual([`owner ${owner.token}`]);
}, 60_000);

test("a process that is not stopped keeps its lease for longer than it was taken for, and commits", async () => {
  const holder = await startHolder();
  const taking = takeOver();
  await pause(systemClock, 2_500);
  const told = holder.next();
  holder.child.send("go");
  expect(await told).toEqual({ is: "told", transaction: "committed", aborted: null, hold: "done" });
  const owner = await taking;
  expect(owner.token).toBe(holder.token + 1);
  expect(await place.bookings()).toEqual(["zombie", `owner ${owner.token}`]);
  await holder.ended;
}, 60_000);
