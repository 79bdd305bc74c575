import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Name, newAttemptId } from "../../src/base/names.ts";
import type { ClaimRequest, Ledger } from "../../src/contract/ledger.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import { type PostgresPlace, postgresPlace, postgresVersion } from "../support/postgres.ts";

/** That done work alone is swept, each ledger shows in the suite (P12). */

const keepMs = 60_000;
const pastKeepMs = 62_000;

function request(number: number): ClaimRequest {
  const name = number.toString(16).padStart(32, "0") as Name;
  return {
    name,
    key: (number + 4_096).toString(16).padStart(32, "0") as Name,
    print: { version: 1, hash: "f".repeat(64) },
    keepMs,
    leaseMs: 30_000,
    attempt: newAttemptId(),
    input: null,
    resuming: false,
    parent: null,
    intent: null,
    about: { operation: "book", identity: `work ${number}`, principal: "ann", key: "k", owner: "test" },
  };
}

async function done(ledger: Ledger<unknown>, number: number): Promise<void> {
  const claim = await ledger.claim(request(number));
  if (claim.is !== "won") throw new Error(`told ${claim.is}`);
  await ledger.complete(claim.fence, { outcome: "o", refused: false, keepMs, visited: [] });
}

/** What somebody holds is passed over, at once, and goes with the next sweep. */
async function expectPassedOver(
  ledger: Ledger<unknown>,
  passTime: (ms: number) => Promise<void>,
  hold: (number: number) => Promise<() => Promise<unknown>>,
): Promise<void> {
  for (const number of [1, 2, 3, 4]) await done(ledger, number);
  await passTime(pastKeepMs);
  // the one that is swept first
  const letGo = await hold(1);
  expect(await ledger.sweep(2)).toBe(2);
  expect(await ledger.sweep(500)).toBe(1);
  expect((await ledger.recent({ limit: 10 })).map(({ identity }) => identity)).toEqual(["work 1"]);
  await letGo();
  expect(await ledger.sweep(500)).toBe(1);
  // its key went with it
  expect((await ledger.claim({ ...request(9), key: request(1).key })).is).toBe("won");
}

describe.each([
  ["PostgreSQL", undefined],
  ["PostgreSQL in partitions", 4],
])("a sweep on %s", async (_, partitions) => {
  const isThere = (await postgresVersion()) !== undefined;
  let place: PostgresPlace;
  beforeAll(async () => {
    if (isThere) place = await postgresPlace(4, partitions);
  });
  afterAll(() => place?.drop());
  beforeEach((context) => {
    if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  });

  test("passes over a row that somebody has locked", async () => {
    const ledger = await place.ledger("pg", { deadline: "5s" });
    await expectPassedOver(ledger, place.passTime, async (number) => {
      await place.admin.query("begin");
      const lock = `select 1 from ${place.schema}.reprise_work where name = $1 for update`;
      await place.admin.query(lock, [request(number).name]);
      return () => place.admin.query("rollback");
    });
  });
});

describe("a sweep on MariaDB", async () => {
  const isThere = (await mysqlVersion()) !== undefined;
  let database: TestDatabase;
  beforeAll(async () => {
    if (isThere) database = await createDatabase();
  });
  afterAll(() => database?.drop());
  beforeEach((context) => {
    if (!isThere) context.skip(`${cannotRunHere}MariaDB does not answer`);
  });

  test("passes over a row that somebody has locked", async () => {
    const ledger = mysqlLedger({ pool: database.pool() });
    await ledger.open();
    await expectPassedOver(ledger, database.passTime, async (number) => {
      await database.query("start transaction");
      const lock = "select 1 from reprise_work where name = ? for update";
      await database.query(lock, [Buffer.from(request(number).name, "hex")]);
      return () => database.query("rollback");
    });
    await ledger.close();
  });
});
