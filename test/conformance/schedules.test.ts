import { afterAll, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise } from "../../src/index.ts";
import type { LedgerAdapter } from "../../src/testing/index.ts";
import { describeOnItems } from "../support/item-ledgers.ts";
import { inMemory, onSqlite } from "../support/local-ledgers.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { postgresLedgers } from "../support/postgres-ledgers.ts";
import { describeOnRedis } from "../support/redis-ledgers.ts";

/** Schedules on every store that keeps leases and registers, by the clock of the wall: how soon whoever is not first is told. */

const postgres = await postgresLedgers();
afterAll(postgres.drop);
const mysql = await mysqlLedgers();
afterAll(mysql.drop);

/** The answers that trying for a lease got, and how long each took. */
function watched(ledger: Ledger<unknown>, tries: { readonly is: string; readonly ms: number }[]): Ledger<unknown> {
  const { leases } = ledger;
  if (leases === undefined) throw new Error("it keeps no leases");
  const acquire: typeof leases.acquire = async (request) => {
    const began = performance.now();
    const answer = await leases.acquire(request);
    tries.push({ is: answer.is, ms: performance.now() - began });
    return answer;
  };
  const check: typeof leases.check = leases.check?.bind(leases);
  // several instances share a handle: its stage closes it
  return {
    ...ledger,
    close: async () => {},
    leases: { ...leases, acquire, ...(check === undefined ? {} : { check }) },
  };
}

/** `handles`: whether all instances share one. */
function meet<Tx>(adapter: LedgerAdapter<Tx>, missing: string | undefined, handles: "one" | "each"): void {
  const isOneHandle = handles === "one";
  test("of twenty instances one runs a tick and nineteen walk away at once", async (context) => {
    if (missing !== undefined) context.skip(missing);
    const { ledger: one, another, close } = await adapter.open();
    const tries: { readonly is: string; readonly ms: number }[] = [];
    let runs = 0;
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const instances = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const ledger = watched(isOneHandle ? one : await another(), tries);
        return createReprise({ service: "shop", owner: "team", ledger, instance: `i${index}` });
      }),
    );
    const schedules = instances.map((reprise) =>
      reprise.schedule({
        name: "enrich",
        every: "1s",
        ifStillRunning: "after-it",
        ifMissed: { run: "latest", within: "1h" },
        costIfTwice: "money",
        retention: "1d",
        run: async () => {
          runs += 1;
          if (runs === 1) await ended;
        },
      }),
    );
    await Promise.all(instances.map((reprise) => reprise.start()));
    await expect
      .poll(() => tries.filter(({ is }) => is === "held").length, { timeout: 15_000 })
      .toBeGreaterThanOrEqual(19);
    // who has the lease begins its work some round trips later, and nobody else does
    await expect.poll(() => runs, { timeout: 15_000 }).toBeGreaterThan(0);
    expect(runs).toBe(1);
    const told = tries.filter(({ is }) => is === "held").map(({ ms }) => ms);
    const slowest = told.sort((a, b) => a - b)[Math.floor(told.length * 0.99)] ?? 0;
    console.info(`${adapter.name}: ${told.length} walked away, the slowest of a hundred in ${slowest.toFixed(1)} ms`);
    end();
    await expect
      .poll(async () => (await schedules[0]?.standing())?.ticks.length, { timeout: 15_000 })
      .toBeGreaterThan(1);
    await Promise.all(instances.map((reprise) => reprise.close()));
    await close();
  }, 60_000);
}

describe("schedules", () => {
  describe("in memory", () => meet(inMemory, undefined, "one"));
  describe("on SQLite", () => meet(onSqlite, undefined, "each"));
  describe("on PostgreSQL", () => meet(postgres.overPg, postgres.missing, "one"));
  describe("on MariaDB", () => meet(mysql.own, mysql.missing, "one"));
  describeOnItems((adapter, missing) => meet(adapter, missing, "each"), "goes on");
  describeOnRedis((adapter, missing) => meet(adapter, missing, "each"));
});
