import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Ledger } from "../../../src/contract/ledger.ts";
import { cannotRunHere } from "../../support/environment.ts";
import { type PostgresPlace, postgresPlace, postgresVersion } from "../../support/postgres.ts";
import {
  expectLeases,
  expectOutcomes,
  expectRuns,
  expectStates,
  expectTakenOver,
  expectWrites,
} from "../golden-ledger.ts";

const isThere = (await postgresVersion()) !== undefined;
const recordedAt = Date.UTC(2026, 0, 1);
let place: PostgresPlace;
let ledger: Ledger<unknown>;
let madeAt: number;

beforeAll(async () => {
  if (!isThere) return;
  place = await postgresPlace();
  const recorded = ["schema-1.sql", "schema-1-leases.sql"].map((name) =>
    readFileSync(join(import.meta.dirname, name), "utf8"),
  );
  await place.admin.query(`set search_path = ${place.schema}; ${recorded.join("")}`);
  // the server judges by its own clock: it finds them a second old
  madeAt = Date.now() - 1_000;
  await place.passTime(recordedAt - madeAt);
  ledger = await place.ledger("pg");
});
afterAll(() => place?.drop());
beforeEach((context) => {
  if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
});

test("a ledger that an earlier version wrote replays its outcomes, by identity, first key and further key", () =>
  expectOutcomes(ledger, madeAt));
test("it still knows what is unknown, what waits and what runs", () => expectStates(ledger, madeAt));
test("it shows its runs with their effects, attempts and journal", () => expectRuns(ledger, madeAt));
test("it still sends what is written behind, and counts its versions on", () => expectWrites(ledger));
test("it still knows its leases and registers, and counts on", () => expectLeases(ledger, madeAt));
test("it hands abandoned work over with its input and its effects", async () => {
  await place.passTime(60_000);
  await expectTakenOver(ledger);
});
test("its tables are those that are created today: a change needs a new record", async () => {
  expect(await ledger.schema?.differences()).toEqual([]);
});
