import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { nameOf } from "../../src/base/names.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { type Connection, loadDriver } from "../../src/stores/sqlite/driver.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { sweepWork } from "../../src/stores/sqlite/sweep.ts";
import { type ManualClock, manualClock } from "../../src/testing/index.ts";

let directory: string;
let path: string;
let clock: ManualClock;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "reprise-sweep-"));
  path = join(directory, "ledger.db");
  clock = manualClock();
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function opened() {
  const ledger = sqliteLedger({ path, clock });
  await ledger.open();
  closing.push(ledger.close);
  return ledger;
}

async function add(ledger: Ledger<SqliteTransaction>, identity: string, keepMs: number, operation = "op") {
  const request = {
    name: nameOf("work", [identity]),
    key: null,
    print: { version: 1, hash: "h" },
    keepMs,
    about: { operation, identity, principal: "p", key: null, owner: "o" },
    parent: null,
    intent: null,
  };
  await ledger.atomic(request, async () => ({ value: null, outcome: "{}", refused: false }));
}

describe("a sweep of a SQLite ledger", () => {
  test("deletes the oldest of each operation at once", async () => {
    const ledger = await opened();
    for (let i = 0; i < 40; i += 1) await add(ledger, `long ${i}`, 1_000_000, "a");
    for (let i = 0; i < 5; i += 1) await add(ledger, `short ${i}`, 1_000, "b");
    await clock.advance(2_000);
    expect([await ledger.sweep(2), await ledger.sweep(2), await ledger.sweep(2), await ledger.sweep(2)]).toEqual([
      2, 2, 1, 0,
    ]);
  });

  test("comes to what stands behind works that are kept longer, a bounded way each time, whichever process goes on", async () => {
    const ledgers = [await opened(), await opened()];
    const [ledger] = ledgers;
    if (ledger === undefined) throw new Error("no ledger");
    for (const part of ["x", "y"]) {
      for (let i = 0; i < 50; i += 1) await add(ledger, `long ${part}${i}`, 1_000_000);
      for (let i = 0; i < 3; i += 1) await add(ledger, `short ${part}${i}`, 1_000);
    }
    await clock.advance(2_000);
    const swept: number[] = [];
    for (let i = 0; i < 20; i += 1) swept.push((await ledgers[i % 2]?.sweep(1)) ?? 0);
    expect(swept.slice(0, 2)).toEqual([0, 0]);
    expect(swept.filter((count) => count === 1)).toHaveLength(6);
    // and begins again from the oldest
    for (let i = 0; i < 3; i += 1) await add(ledger, `late ${i}`, 1_000);
    await clock.advance(2_000);
    let late = 0;
    for (let i = 0; i < 20; i += 1) late += await ledger.sweep(1);
    expect(late).toBe(3);
    expect(await ledger.recent({ limit: 200 })).toHaveLength(100);
  });

  test("reads the works by the index of operations", async () => {
    await opened();
    const connection = (await loadDriver())(path);
    closing.push(connection.close);
    const plans: string[] = [];
    const explained: Connection = {
      ...connection,
      all: (sql, params) => {
        plans.push(...connection.all(`explain query plan ${sql}`, params).map((step) => String(step["detail"])));
        return connection.all(sql, params);
      },
    };
    connection.run("insert into reprise_work (name, state, created_at, operation) values ('a', 'd', 1, 'op')", []);
    sweepWork(explained, 0, 9);
    const read = plans.filter((step) => /reprise_work/.test(step));
    expect(read.filter((step) => step.includes("SCAN") && !step.includes("COVERING INDEX"))).toEqual([]);
    expect(read.filter((step) => /reprise_work_operation \(\(operation,created_at\)>/.test(step))).not.toEqual([]);
    expect(plans.filter((step) => step.includes("TEMP B-TREE"))).toEqual([]);
  });
});
