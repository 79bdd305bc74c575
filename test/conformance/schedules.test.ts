import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { mysqlLedgers } from "../support/mysql-ledgers.ts";
import { postgresVersion, sharedPlace } from "../support/postgres.ts";
import { noRedisHere } from "../support/redis.ts";
import { redisLedgers } from "../support/redis-ledgers.ts";

/** Schedules on every store that keeps leases and registers, by the clock of the wall: how soon whoever is not first is told. */

interface Store {
  /** Another ledger on the same place. */
  readonly another: () => Promise<Ledger<unknown>>;
  readonly close: () => Promise<void>;
}

const shared = sharedPlace();
const mysql = await mysqlLedgers();
const redis = redisLedgers[0];
const redisIsMissing = noRedisHere();
let redisServer: { readonly stop: () => Promise<void> } | undefined;
beforeAll(async () => {
  if (redisIsMissing === undefined) redisServer = await redis?.start();
});
afterAll(async () => {
  await shared.drop();
  await mysql.drop();
  await redisServer?.stop();
});

const stores: Readonly<Record<string, { readonly missing: string | undefined; readonly open: () => Promise<Store> }>> =
  {
    memory: {
      missing: undefined,
      open: async () => {
        const ledger = memoryLedger();
        return { another: async () => ledger, close: async () => {} };
      },
    },
    sqlite: {
      missing: undefined,
      open: async () => {
        const directory = mkdtempSync(join(tmpdir(), "reprise-schedules-"));
        return {
          another: async () => sqliteLedger({ path: join(directory, "ledger.db"), busy: "20s" }),
          close: async () => rmSync(directory, { recursive: true, force: true }),
        };
      },
    },
    postgres: {
      missing: (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined,
      open: async () => {
        const { ledger, clear } = await shared.place();
        const one = await ledger("pg");
        return { another: async () => one, close: clear };
      },
    },
    mysql: {
      missing: mysql.missing,
      open: async () => {
        const { ledger, close } = await mysql.own.open();
        return { another: async () => ledger, close };
      },
    },
    redis: {
      missing: redisIsMissing,
      open: async () => {
        if (redis === undefined) throw new Error("no Redis");
        const { another, close } = await redis.adapter.open();
        return { another, close };
      },
    },
  };

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
  // several instances share one handle here: its place closes it
  return {
    ...ledger,
    close: async () => {},
    leases: { ...leases, acquire, ...(check === undefined ? {} : { check }) },
  };
}

describe.each(Object.entries(stores))("on %s", (name, { missing, open }) => {
  test("of twenty instances one runs a tick and nineteen walk away at once", async (context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    const store = await open();
    const tries: { readonly is: string; readonly ms: number }[] = [];
    let runs = 0;
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const instances = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const ledger = watched(await store.another(), tries);
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
    console.info(`${name}: ${told.length} walked away, the slowest of a hundred in ${slowest.toFixed(1)} ms`);
    end();
    await expect
      .poll(async () => (await schedules[0]?.standing())?.ticks.length, { timeout: 15_000 })
      .toBeGreaterThan(1);
    await Promise.all(instances.map((reprise) => reprise.close()));
    await store.close();
  }, 60_000);
});
