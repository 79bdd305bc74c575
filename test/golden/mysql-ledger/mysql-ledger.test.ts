import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Ledger } from "../../../src/contract/ledger.ts";
import { mysqlLedger } from "../../../src/stores/mysql/index.ts";
import { cannotRunHere } from "../../support/environment.ts";
import { createDatabase, mysqlVersion, type TestDatabase } from "../../support/mysql.ts";
import {
  expectLeases,
  expectOutcomes,
  expectRuns,
  expectStates,
  expectTakenOver,
  expectWrites,
} from "../golden-ledger.ts";

const isThere = (await mysqlVersion()) !== undefined;
const recordedAt = Date.UTC(2026, 0, 1);
let database: TestDatabase;
let ledger: Ledger<unknown>;
let madeAt: number;

beforeAll(async () => {
  if (!isThere) return;
  database = await createDatabase();
  const recorded = readFileSync(join(import.meta.dirname, "schema-1.sql"), "utf8");
  for (const statement of recorded.split(/;\n/)) if (statement.trim() !== "") await database.query(statement);
  // the server judges by its own clock: it finds them a second old
  madeAt = Date.now() - 1_000;
  await database.passTime(recordedAt - madeAt);
  ledger = mysqlLedger({ pool: database.pool() });
  await ledger.open();
});
afterAll(async () => {
  await ledger?.close();
  await database?.drop();
});
beforeEach((context) => {
  if (!isThere) context.skip(`${cannotRunHere}MariaDB does not answer`);
});

test("a ledger that an earlier version wrote replays its outcomes, by identity, first key and further key", () =>
  expectOutcomes(ledger, madeAt));
test("it still knows what is unknown, what waits and what runs", () => expectStates(ledger, madeAt));
test("it shows its runs with their effects, attempts and journal", () => expectRuns(ledger, madeAt));
test("it still sends what is written behind, and counts its versions on", () => expectWrites(ledger));
test("it knows its leases, with their tokens, and its registers", () => expectLeases(ledger, madeAt));
test("it hands abandoned work over with its input and its effects", async () => {
  await database.passTime(60_000);
  await expectTakenOver(ledger);
});
test("its tables are those that are created today: a change needs a new record", async () => {
  expect(await ledger.schema?.differences()).toEqual([]);
});
