import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlVersion } from "../support/mysql.ts";
import { buildProgram } from "../support/program.ts";
import type { Raced } from "./ledger-racer.ts";

const processes = 4;
const identities = 200;

const directory = mkdtempSync(join(tmpdir(), "reprise-race-"));
const program = await buildProgram(join(import.meta.dirname, "ledger-racer.ts"));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  program.remove();
});

async function message<T>(child: ChildProcess): Promise<T> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`a racer ended early with ${String(code)}`);
  });
  const [content] = (await Promise.race([once(child, "message"), ended])) as [T];
  return content;
}

/** `ledger` is this process's own; `path` is where the racers find the same store. */
async function race<
  Tx extends { readonly query: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]> },
>(store: "sqlite" | "mysql", path: string, ledger: Ledger<Tx>): Promise<void> {
  const racers = Array.from({ length: processes }, (_, i) =>
    fork(program.path, [store, path, String(i), String(identities)]),
  );
  await Promise.all(racers.map((racer) => message<"ready">(racer)));
  for (const racer of racers) racer.send("go");
  const raced = await Promise.all(racers.map((racer) => message<Raced>(racer)));

  const total = (mode: "external" | "database") => raced.reduce((sum, one) => sum + one[mode], 0);
  expect([total("external"), total("database")]).toEqual([identities, identities]);
  const bookings = await ledger.transaction((tx) => tx.query("select distinct identity, process from booking"));
  const rows = await ledger.transaction((tx) => tx.query("select identity from booking"));
  expect([rows.length, bookings.length]).toEqual([identities, identities]);
  for (const { identity, process } of bookings) {
    for (const one of raced) expect(one.told[`database ${String(identity)}`]).toBe(`by ${String(process)}`);
  }
  const runs = await ledger.recent({ limit: 10_000 });
  expect(runs.filter((run) => run.state === "done").length).toBe(identities * 2);
  for (const run of runs.filter((one) => one.operation === "external")) {
    // told while the owner was between claim and completion, or the outcome of the one that ran it
    const answers = new Set(raced.map((one) => one.told[`external ${run.identity}`]));
    answers.delete("running");
    expect(answers).toEqual(new Set([`by ${run.owner}`]));
  }
}

const table = "create table booking (identity integer not null, process varchar(10) not null)";

test("four processes on one file run each of 200 identities exactly once, and all are told the same", async () => {
  const path = join(directory, "ledger.db");
  const ledger = sqliteLedger({ path });
  await ledger.open();
  await ledger.transaction((tx) => tx.query(table));
  await race("sqlite", path, ledger);
  await ledger.close();
}, 120_000);

test("so do four processes on one MariaDB, each with a pool", async (context) => {
  if ((await mysqlVersion()) === undefined) context.skip(`${cannotRunHere}MariaDB does not answer`);
  const database = await createDatabase();
  const ledger = mysqlLedger({ pool: database.pool() });
  try {
    await ledger.open();
    await database.query(table);
    await race("mysql", database.name, ledger);
  } finally {
    await ledger.close();
    await database.drop();
  }
}, 240_000);
