import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Name, newAttemptId, newWorkId, type WorkId } from "../../src/base/names.ts";
import type { ClaimRequest, Ledger, RecentQuery } from "../../src/contract/ledger.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { loadDriver } from "../../src/stores/sqlite/driver.ts";
import { recentRuns } from "../../src/stores/sqlite/looking.ts";
import { statements as sqliteStatements, tables as sqliteTables } from "../../src/stores/sqlite/schema.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import { explainingPool, type PostgresPlace, postgresPlace, postgresVersion } from "../support/postgres.ts";

/** No statement of a ledger reads all of its works: what one of a million costs is measured by `measure -- sizing`. */

const rows = 20_000;
const states = [undefined, "open", "running", "unknown", "done"] as const;
const queries: readonly RecentQuery[] = [undefined, "operation-1", "no-such"].flatMap((operation) =>
  states.map((state) => ({ limit: 50, operation, state })),
);

function request(number: number): ClaimRequest {
  return {
    name: number.toString(16).padStart(32, "a") as Name,
    key: number.toString(16).padStart(32, "b") as Name,
    print: { version: 1, hash: "f".repeat(64) },
    keepMs: 60_000,
    leaseMs: 30_000,
    attempt: newAttemptId(),
    input: "{}",
    resuming: false,
    parent: null,
    intent: null,
    about: { operation: "operation-1", identity: `work ${number}`, principal: "ann", key: "k", owner: "test" },
  };
}

/** What a page, a run and the background work ask. */
async function askEverything(ledger: Ledger<unknown>): Promise<void> {
  let some: WorkId | undefined;
  for (const query of queries) some ??= (await ledger.recent(query))[0]?.id;
  if (some !== undefined) await ledger.history(some);
  for (const number of [1, 2]) {
    const claim = await ledger.claim(request(number));
    if (claim.is !== "won") throw new Error(`told ${claim.is}`);
    const { fence } = claim;
    await ledger.renew(fence, 30_000, number === 1 ? null : { done: 1, total: 2 });
    await ledger.start(fence, { effect: "charge", settleMs: 1_000 });
    await ledger.pin(fence.id, "charge", "1");
    if (number === 1)
      await ledger.complete(fence, { outcome: "o", refused: false, keepMs: 1_000, visited: ["charge"] });
    else await ledger.park(fence, { effect: "charge", why: "lost", unlessAnswered: false });
    await ledger.find(request(number));
    await ledger.claim({ ...request(number), key: request(number + 100).key });
  }
  const brief = { ...request(3), keepMs: 1 };
  const first = await ledger.claim(brief);
  if (first.is !== "won") throw new Error(`told ${first.is}`);
  await ledger.complete(first.fence, { outcome: "o", refused: false, keepMs: 1, visited: [] });
  // as soon as it is past its keep, it is cleared away for the next
  while ((await ledger.claim({ ...brief, attempt: newAttemptId() })).is !== "won");
  const given = await ledger.claim(request(4));
  if (given.is === "won") await ledger.release(given.fence, { keep: false, notBeforeMs: 0, error: null });
  const [later, inTransaction] = [newWorkId(), newWorkId()];
  const intent = request(200).name;
  const accepted = { ...request(5), input: "{}", parent: request(1).name, intent };
  await ledger.accept({ ...accepted, id: later });
  await ledger.accept({ ...accepted, id: newWorkId(), key: request(105).key });
  await ledger.standing(later);
  await ledger.intervene(later, { does: "cancel" }, { who: "ann", why: "not needed" });
  await ledger.transaction((tx) => ledger.acceptIn(tx, { ...request(6), input: "{}", id: inTransaction }));
  const finished = { value: 1, outcome: "1", refused: false };
  for (const number of [7, 8]) await ledger.atomic({ ...request(number), intent }, async () => finished);
  const asked = { operation: "operation-1", withinMs: 60_000, limit: 10 };
  if (!(await ledger.twice(asked)).some(({ second }) => second.identity === "work 8")) throw new Error("not found");
  await ledger.twice({ ...asked, intent });
  await ledger.abandoned({ operations: ["operation-1"], idleMs: 0, limit: 10 });
  await ledger.abandoned({ operations: ["operation-1"], idleMs: 0, limit: 10, id: inTransaction });
  await ledger.parkAbandoned([{ operation: "operation-1", afterMs: 3_600_000 }]);
  await ledger.sweep(100);
}

describe.each([
  ["in one piece", undefined],
  ["in partitions", 4],
])("PostgreSQL's works %s", async (_, partitions) => {
  const isThere = (await postgresVersion()) !== undefined;
  let place: PostgresPlace;
  beforeAll(async () => {
    if (!isThere) return;
    place = await postgresPlace(2, partitions);
    const table = `${place.schema}.reprise_work`;
    await (await place.ledger("pg")).open();
    await place.admin.query(`insert into ${table} (created_at, keep_until, ended_at, name, id, print_v, print, state, operation,
        identity, principal, owner, outcome, parent, intent)
      select at, at + interval '1 day', at, gen_random_uuid(), case when n % 3 = 0 then gen_random_uuid() end, 1, '\\xff', 'd',
        'operation-' || n % 3, n::text, 'ann', 'test', repeat('o', 200),
        case when n % 2 = 0 then gen_random_uuid() end, case when n % 5 = 0 then gen_random_uuid() end
      from (select n, now() - interval '30 hours' + n * interval '1 second' as at from generate_series(1, ${rows}) n) t`);
    await place.admin.query(`analyze ${table}`);
  });
  afterAll(() => place?.drop());

  test("are never read one after the other", async (context) => {
    if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    const { pool, plans } = explainingPool();
    const ledger = postgresLedger({ pool, schema: place.schema, deadline: "60s" });
    await ledger.open();
    await askEverything(ledger);
    await ledger.close();
    await pool.end();
    const ours = plans.filter((plan) => plan.includes("reprise_work"));
    expect(ours.length).toBeGreaterThan(queries.length);
    expect(ours.filter((plan) => /Seq Scan on reprise_work/.test(plan))).toEqual([]);
  });
});

describe("SQLite's works", () => {
  test.each(queries)("are looked for by an index, or from the newest on: $state of $operation", async (query) => {
    const connection = (await loadDriver())(":memory:");
    for (const text of sqliteTables.flatMap(sqliteStatements.create)) connection.exec(text);
    const plans: string[] = [];
    recentRuns(
      {
        ...connection,
        all: (sql, params) => {
          plans.push(...connection.all(`explain query plan ${sql}`, params).map((row) => String(row["detail"])));
          return [];
        },
      },
      query,
    );
    connection.close();
    const index =
      query.state !== undefined && query.state !== "done"
        ? "reprise_work_live"
        : query.operation === undefined
          ? "SCAN reprise_work"
          : "reprise_work_operation";
    expect(plans).toEqual([expect.stringContaining(index)]);
  });
});

describe("MariaDB's works", async () => {
  const isThere = (await mysqlVersion()) !== undefined;
  let database: TestDatabase;
  beforeAll(async () => {
    if (!isThere) return;
    database = await createDatabase();
    const ledger = mysqlLedger({ pool: database.pool() });
    await ledger.open();
    await ledger.close();
    const now = Date.now();
    await database.query(`insert into reprise_work (name, id, attempt, print, print_version, state, keep_until, created_at,
        ended_at, operation, identity, principal, owner, outcome)
      select unhex(md5(seq)), unhex(md5(concat('i', seq))), unhex(md5(concat('a', seq))), 'f', 1, 'd',
        (${now - 21_600_000} + seq * 1000) * 1000, (${now - 108_000_000} + seq * 1000) * 1000, 0,
        concat('operation-', seq % 3), seq, 'ann', 'test', repeat('o', 200) from seq_1_to_${rows}`);
    await database.query("analyze table reprise_work");
  });
  afterAll(() => database?.drop());
  beforeEach((context) => {
    if (!isThere) context.skip(`${cannotRunHere}MariaDB does not answer`);
  });

  test("are never read one after the other", async () => {
    const pool = database.pool({ connectionLimit: 1 });
    const ledger = mysqlLedger({ pool });
    await ledger.open();
    const read = async () => {
      const [[row]] = await pool.query<(import("mysql2").RowDataPacket & { Value: string })[]>(
        "show session status like 'Handler_read_rnd_next'",
      );
      return Number(row?.Value);
    };
    const before = await read();
    await askEverything(ledger);
    // lists that are sorted and put together count too: some hundred rows each
    expect((await read()) - before).toBeLessThan(rows);
    await ledger.close();
  });
});
