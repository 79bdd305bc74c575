import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { newAttemptId, newWorkId, type WorkId } from "../../src/base/names.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { work } from "../../src/testing/ledger-kit.ts";
import { cannotRunHere } from "../support/environment.ts";
import {
  explainingPool,
  type PostgresPlace,
  pgPool,
  postgresPlace,
  postgresUrl,
  postgresVersion,
} from "../support/postgres.ts";

const missing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;
/** The most rows that a step of the plans gave or passed over. */
function mostRows(plans: readonly string[]): number {
  const counts = plans.flatMap((plan) => [
    ...[...plan.matchAll(/\(actual rows=(\d+) loops=(\d+)\)/g)].map(([, rows, loops]) => Number(rows) * Number(loops)),
    ...[...plan.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, rows]) => Number(rows)),
  ]);
  expect(counts.length).toBeGreaterThan(0);
  return Math.max(...counts);
}

const sequential = /Seq Scan on reprise_work/;

describe.each([
  ["in one piece", undefined],
  ["in partitions", 4],
])("of many works %s none is read that is not told", (_, partitions) => {
  let place: PostgresPlace;
  let ledger: Ledger<unknown>;
  const { pool, plans } = explainingPool();

  const instant = "now() - n * interval '1 second'";

  beforeAll(async () => {
    if (missing !== undefined) return;
    place = await postgresPlace(2, partitions);
    ledger = postgresLedger({ pool, schema: place.schema, deadline: "60s" });
    await ledger.open();
    // 20,000 wait and are due, as many wait for their time, as many are another operation's; and as many are done, in pairs
    const columns = `created_at, keep_until, name, id, state, print, print_v, operation, identity, principal, owner`;
    const values = `${instant}, now() + interval '1 day', gen_random_uuid(), gen_random_uuid()`;
    const about = "decode('00', 'hex'), 1";
    const waiting = `insert into ${place.schema}.reprise_work (${columns}, lease_until, not_before, input)
    select ${values}, 'o', ${about}, case when n % 3 = 0 then 'other' else 'book' end, n::text, 'ann', 'o', ${instant},
      case when n % 3 = 1 then now() + interval '1 hour' else ${instant} end, 'input' from generate_series(1, 60000) n`;
    const done = `insert into ${place.schema}.reprise_work (${columns}, ended_at, refused, outcome, intent)
    select ${values}, 'd', ${about}, 'book', n::text, 'ann', 'o', ${instant}, false, 'outcome', md5((n / 2)::text)::uuid
    from generate_series(1, 20000) n`;
    // counted before anything waits, as before a burst
    await place.admin.query(`${done}; analyze ${place.schema}.reprise_work; ${waiting}`);
  });
  beforeEach((context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
    plans.length = 0;
  });
  afterAll(async () => {
    await ledger?.close();
    await pool.end();
    await place?.drop();
  });

  /** PostgreSQL names the indexes of partitions itself. */
  function expectIndex(name: string): void {
    if (partitions === undefined) expect(plans.join()).toContain(name);
    expect(plans.join()).not.toMatch(sequential);
  }

  test("work that is due is found in the index of what is due", async () => {
    const found = await ledger.abandoned({ operations: ["book"], idleMs: 1_000, limit: 50 });
    expect(found).toHaveLength(50);
    expectIndex("reprise_work_due");
    expect(mostRows(plans)).toBeLessThan(200);
  });

  test("how one work stands is one look into the index of ids", async () => {
    const { rows } = await place.admin.query(`select id from ${place.schema}.reprise_work where state = 'o' limit 1`);
    expect(await ledger.standing(String(rows[0]?.id).replaceAll("-", "") as WorkId)).toMatchObject({ is: "going" });
    expect(await ledger.standing(newWorkId())).toBeNull();
    expect(mostRows(plans)).toBeLessThan(5);
  });

  test("second successes are looked for among the newest works, each by its intent", async () => {
    const found = await ledger.twice({ operation: "book", withinMs: 60_000, limit: 10 });
    expect(found).toHaveLength(10);
    expectIndex("reprise_work_intent");
    expect(mostRows(plans)).toBeLessThanOrEqual(1_000);
  });

  test("all that is kept is read page by page, each from where the one before ended", async () => {
    const first = await ledger.successes?.({ operation: "book", after: null, limit: 100 });
    await ledger.successes?.({ operation: "book", after: first?.next ?? null, limit: 100 });
    const half = Date.now() - 5_000_000;
    const last = await ledger.successes?.({
      operation: "book",
      after: `${half * 1_000} ${"0".repeat(32)}`,
      limit: 100,
    });
    expect(last?.successes.length).toBeGreaterThan(10);
    expectIndex("reprise_work_operation");
    expect(plans.join()).not.toMatch(sequential);
    expect(mostRows(plans)).toBeLessThanOrEqual(200);
  });

  test("what waits is listed newest first by its index", async () => {
    expect(await ledger.recent({ limit: 50, state: "open" })).toHaveLength(50);
    expectIndex("reprise_work_waiting");
    expect(mostRows(plans)).toBeLessThan(200);
  });

  test("running and parked work is listed without reading what waits", async () => {
    expect(await ledger.recent({ limit: 50, state: "running" })).toEqual([]);
    expect(await ledger.recent({ limit: 50, state: "unknown" })).toEqual([]);
    expect(plans.join()).not.toMatch(sequential);
    expect(mostRows(plans)).toBeLessThanOrEqual(1_000);
  });

  test("no index is on what changes while work goes its ordinary way, so that its updates stay heap-only", async () => {
    const { rows } = await place.admin.query(
      "select indexdef from pg_indexes where schemaname = $1 and tablename = 'reprise_work'",
      [place.schema],
    );
    const changing = /\b(?:state|attempt|token|lease_until|ended_at|outcome|refused|owner|progress_\w+|cancelled_at)\b/;
    expect(rows.length).toBeGreaterThan(5);
    for (const { indexdef } of rows) expect(indexdef).not.toMatch(changing);
  });
});

describe("of many that were begun since the last vacuum one is read alone", () => {
  const many = 200;

  beforeEach((context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
  });

  test("an effect that is pinned", async () => {
    const read = await rowsRead("reprise_effect", async (ledger) => {
      for (let made = 0; made < many; made++) {
        const claim = await ledger.claim(work(`${made}`));
        if (claim.is !== "won") throw new Error(`told ${claim.is}`);
        await ledger.start(claim.fence, { effect: "charge", settleMs: 1_000 });
        expect(await ledger.pin(claim.fence.id, "charge", "1")).toEqual({ is: "pinned" });
      }
    });
    expect(read).toBeLessThan(3 * many);
  });

  test("a write that is pending, is held, or takes another's place", async () => {
    const read = await rowsRead("reprise_write", async ({ writes }) => {
      if (writes === undefined) throw new Error("no journal of writes");
      const pairs = Array.from({ length: many }, (_, made) => ({ key: `key ${made}`, scope: "{}", value: "1" }));
      await writes.append({ queue: "seats", writes: pairs, most: 1_000 });
      for (const { key } of pairs) expect(await writes.pending("seats", key)).toMatchObject({ value: "1" });
      const claim = { queue: "seats", attempt: newAttemptId() };
      expect(await writes.claim({ ...claim, leaseMs: 60_000, limit: 1 })).toHaveLength(1);
      for (let renewed = 0; renewed < many; renewed++) expect(await writes.renew(claim, 60_000)).toBe(1);
      // it also counts what is pending, once
      await writes.append({ queue: "seats", writes: pairs, most: 1_000 });
    });
    // a snapshot of somebody else's, of another test, may keep every version of the row that is renewed
    expect(read).toBeLessThan(10 * many);
  });

  async function rowsRead(table: string, work: (ledger: Ledger<unknown>) => Promise<void>): Promise<number> {
    const place = await postgresPlace();
    const { schema, admin } = place;
    const pool = pgPool(`${postgresUrl}?application_name=${schema}`, 1);
    try {
      const ledger = postgresLedger({ pool, schema, deadline: "60s" });
      await ledger.open();
      await admin.query(`alter table ${schema}.${table} set (autovacuum_enabled = off)`);
      await work(ledger);
      await ledger.close();
    } finally {
      await pool.end();
    }
    try {
      // a session that has ended has told what it read
      const sessions = async () =>
        (await admin.query("select from pg_stat_activity where application_name = $1", [schema])).rowCount;
      await expect.poll(sessions, { timeout: 15_000 }).toBe(0);
      const { rows } = await admin.query(
        "select sum(idx_tup_read)::int as read from pg_stat_user_indexes where schemaname = $1 and relname = $2",
        [schema, table],
      );
      expect(rows[0]?.read).toBeGreaterThanOrEqual(many);
      return rows[0]?.read;
    } finally {
      await place.drop();
    }
  }
});
