import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "tsdown";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cannotRunHere } from "../support/environment.ts";
import { postgresPlace, postgresVersion } from "../support/postgres.ts";
import type { Called, Race, Told } from "./functions/racer.ts";
import type { StoreName } from "./functions/stores.ts";

const directory = mkdtempSync(join(tmpdir(), "reprise-functions-"));
// inside the project, so that the racer finds the drivers
const cache = join(import.meta.dirname, "../../node_modules/.cache");
mkdirSync(cache, { recursive: true });
const built = mkdtempSync(join(cache, "reprise-functions-"));
beforeAll(async () => {
  await build({
    entry: { racer: join(import.meta.dirname, "functions/racer.ts") },
    config: false,
    outDir: built,
    format: "esm",
    platform: "node",
    dts: false,
    logLevel: "error",
  });
});
afterAll(() => {
  for (const one of [directory, built]) rmSync(one, { recursive: true, force: true });
});

/** Where each store is: made before a race, and removed after it. */
const places: Readonly<
  Record<StoreName, () => Promise<{ readonly place: string; readonly drop: () => Promise<void> }>>
> = {
  sqlite: async () => ({ place: join(mkdtempSync(join(directory, "store-")), "ledger.db"), drop: async () => {} }),
  postgres: async () => {
    const { schema, drop } = await postgresPlace();
    return { place: schema, drop };
  },
};
const missing: Readonly<Partial<Record<StoreName, string>>> = {
  ...((await postgresVersion()) === undefined && { postgres: "PostgreSQL does not answer" }),
};

interface Process {
  readonly child: ChildProcess;
  /** What it tells next of a kind. */
  readonly told: <K extends Told["is"]>(is: K) => Promise<Extract<Told, { readonly is: K }>>;
}

async function stage(store: StoreName, race: (begin: (given: Partial<Race>) => Promise<Process>) => Promise<void>) {
  const { place, drop } = await places[store]();
  const effects = join(mkdtempSync(join(directory, "effects-")), "effects");
  writeFileSync(effects, "");
  const children: ChildProcess[] = [];
  const begin = async (given: Partial<Race>): Promise<Process> => {
    const asked: Race = { store, place, effects, workMs: 200, calls: 1, leftMs: 60_000, hangs: false, ...given };
    const child = fork(join(built, "racer.mjs"), [JSON.stringify(asked)]);
    children.push(child);
    const one: Process = {
      child,
      told: (is) =>
        new Promise((resolve, reject) => {
          const ended = (code: unknown, signal: unknown) =>
            reject(new Error(`a racer ended: ${String(signal ?? code)}`));
          const heard = (told: Told) => {
            if (told.is !== is) return;
            child.off("message", heard).off("exit", ended);
            resolve(told as never);
          };
          child.on("message", heard).on("exit", ended);
        }),
    };
    await one.told("ready");
    return one;
  };
  try {
    await race(begin);
    return readFileSync(effects, "utf8").trim().split("\n").length;
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await drop();
  }
}

const callsOf = async (racers: readonly Process[]): Promise<readonly Called[]> => {
  const told = racers.map((racer) => racer.told("called"));
  for (const { child } of racers) child.send("go");
  return (await Promise.all(told)).flatMap(({ called }) => called);
};

function expectOneOutcome(called: readonly Called[]): void {
  expect(new Set(called.map(({ status }) => status))).toEqual(new Set([200]));
  expect(new Set(called.map(({ body }) => body)).size).toBe(1);
  expect(called.filter(({ replayed }) => !replayed)).toHaveLength(1);
}

describe.each(["sqlite", "postgres"] as const)("functions on one %s ledger", (store) => {
  test("50 calls in one process and one each in seven others have one effect, equal answers, and read at most four times each", async (context) => {
    if (missing[store] !== undefined) context.skip(`${cannotRunHere}${missing[store]}`);
    let called: readonly Called[] = [];
    const effects = await stage(store, async (begin) => {
      const racers = await Promise.all([50, 1, 1, 1, 1, 1, 1, 1].map((calls) => begin({ calls })));
      called = await callsOf(racers);
    });
    expect(effects).toBe(1);
    expect(called).toHaveLength(57);
    expectOneOutcome(called);
    expect(Math.max(...called.map(({ reads }) => reads))).toBeLessThanOrEqual(4);
  }, 60_000);

  test("a winner that is killed is taken over once, as soon as its time would have been up", async (context) => {
    if (missing[store] !== undefined) context.skip(`${cannotRunHere}${missing[store]}`);
    let called: readonly Called[] = [];
    const effects = await stage(store, async (begin) => {
      const winner = await begin({ hangs: true, workMs: 3_600_000, leftMs: 1_800 });
      const losers = await Promise.all([1, 2].map(() => begin({ calls: 2 })));
      const atWork = winner.told("at-work");
      winner.child.send("go");
      await atWork;
      const killedAt = Date.now();
      winner.child.kill("SIGKILL");
      called = await callsOf(losers);
      // the operation's own lease is 30 s
      expect(Math.max(...called.map(({ endedAt }) => endedAt)) - killedAt).toBeLessThan(15_000);
    });
    expect(effects).toBe(1);
    expectOneOutcome(called);
  }, 60_000);

  test("a zombie that wakes after it was taken over has no effect, and its write is refused", async (context) => {
    if (missing[store] !== undefined) context.skip(`${cannotRunHere}${missing[store]}`);
    let refused = 0;
    const effects = await stage(store, async (begin) => {
      const zombie = await begin({ hangs: true, workMs: 1_000, leftMs: 1_800 });
      const atWork = zombie.told("at-work");
      zombie.child.send("go");
      await atWork;
      zombie.child.kill("SIGSTOP");
      expectOneOutcome(await callsOf([await begin({})]));
      zombie.child.kill("SIGCONT");
      // its call is told that it is running, or what the other one did; what it tells the ledger meanwhile is counted
      for (let asked = 0; refused === 0 && asked < 200; asked += 1) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        const told = zombie.told("called");
        zombie.child.send("go");
        refused = (await told).fenced;
      }
    });
    expect(effects).toBe(1);
    expect(refused).toBe(1);
  }, 60_000);
});
