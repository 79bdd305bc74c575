import { describe, expect, test } from "vitest";
import { nameOf } from "../../src/base/names.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { createDatabase } from "../support/mysql.ts";
import { away, book, bookings, closing, database, gate, opened, request, won } from "./mysql-stand.ts";

describe("opening", () => {
  test("several instances at once on an empty database make one set of tables", async () => {
    const empty = await createDatabase();
    closing.push(empty.drop);
    const ledgers = Array.from({ length: 6 }, () => mysqlLedger({ pool: empty.pool({ connectionLimit: 2 }) }));
    await Promise.all(ledgers.map((ledger) => ledger.open()));
    const claims = await Promise.all(ledgers.map((ledger) => ledger.claim(request())));
    expect(claims.filter((claim) => claim.is === "won")).toHaveLength(1);
    for (const ledger of ledgers) await ledger.close();
  });

  test("tables of another schema version are refused, and left as they are", async () => {
    const other = await createDatabase();
    closing.push(other.drop);
    await other.query("create table reprise_meta (name varbinary(64) primary key, value varbinary(255) not null)");
    await other.query("insert into reprise_meta values ('schema', '99')");
    await expect(mysqlLedger({ pool: other.pool() }).open()).rejects.toMatchObject({
      code: "REPRISE_LEDGER_SCHEMA",
      details: { found: "99", expected: "1" },
    });
    const tables = await other.query("show tables");
    expect(tables).toHaveLength(1);
  });

  test("a server that is not there is away, and a database that is not there unusable", async () => {
    const nowhere = database.pool({ port: 1 });
    await expect(mysqlLedger({ pool: nowhere }).open()).rejects.toMatchObject(away);
    const missing = mysqlLedger({ pool: database.pool({ database: "reprise_test_none" }) });
    for (const use of [missing.open, () => missing.claim(request())]) {
      await expect(use()).rejects.toMatchObject({ code: "REPRISE_LEDGER_UNUSABLE" });
    }
  });
});

describe("the pool", () => {
  test("twenty duplicates of running work on a pool of 16 are told so and delay no other query", async () => {
    const pool = database.pool({ connectionLimit: 16 });
    const ledger = await opened({ pool });
    const [entered, left] = [gate(), gate()];
    const owner = ledger.atomic(request(), async (tx) => {
      entered.open();
      await left.opened;
      return book("a")(tx);
    });
    await entered.opened;
    const duplicates = Array.from({ length: 20 }, () => ledger.atomic(request(), book("a")));
    // the owner is still at work: what waited for it would wait for ever
    await pool.query("select 1");
    expect((await Promise.all(duplicates)).map(({ is }) => is)).toEqual(Array.from({ length: 20 }, () => "running"));
    left.open();
    expect((await owner).is).toBe("ran");
    expect(await bookings()).toEqual(["a"]);
  });

  test("a pool without a free connection is busy, and the connection that comes too late returns to it", async () => {
    const pool = database.pool({ connectionLimit: 1 });
    const ledger = await opened({ pool, wait: "400ms" });
    const held = await pool.getConnection();
    await expect(ledger.claim(request())).rejects.toMatchObject({ code: "REPRISE_LEDGER_BUSY" });
    held.release();
    expect((await ledger.claim(request())).is).toBe("won");
  });

  test("options of the pool that change what rows look like do not change the ledger", async () => {
    const odd = { rowsAsArray: true, supportBigNumbers: true, bigNumberStrings: true, flags: ["-FOUND_ROWS"] };
    const ledger = await opened({ pool: database.pool({ ...odd, connectionLimit: 4 }) });
    const { fence } = await won(ledger);
    expect(await ledger.renew(fence, 10_000, { done: 1.5, total: null })).toBe("renewed");
    expect((await ledger.recent({ limit: 1 }))[0]?.progress).toEqual({ done: 1.5, total: null });
    await ledger.start(fence, { effect: "charge", settleMs: 60_000 });
    expect(await ledger.restart(fence, { effect: "charge", settleMs: 1 })).toBe(true);
    expect((await ledger.recent({ limit: 1 }))[0]?.id).toBe(fence.id);
  });
});

test("database work is known by its name, and nobody else's question finds it by that", async () => {
  const ledger = await opened({ pool: database.pool({ connectionLimit: 1 }) });
  const about = { operation: "op", identity: "i", principal: "p", key: null, owner: "o" };
  const print = { version: 1, hash: "h" };
  const name = nameOf("work", ["known by its name"]);
  const work = { name, key: null, print, keepMs: 60_000, about, parent: null, intent: null };
  await ledger.atomic(work, async () => ({ value: 1, outcome: "{}", refused: false }));
  const run = (await ledger.recent({ limit: 9 })).find(({ id }) => id === (name as string));
  if (run === undefined) throw new Error("no run");
  expect(await ledger.history(run.id)).toEqual({ run, effects: [], attempts: [] });
  expect(await ledger.standing(run.id)).toBeNull();
});

test("a page's questions read some rows of a ledger of 3,000, whatever they ask", async () => {
  const pool = database.pool({ connectionLimit: 1 });
  const ledger = await opened({ pool });
  await database.query(
    `insert into reprise_work (name, id, attempt, state, keep_until, created_at, operation, identity, principal, owner, print,
       print_version, outcome)
     select unhex(md5(seq)), unhex(md5(seq + 1e6)), unhex(md5(seq)), if(seq % 1000 = 0, 'u', 'd'), 9e15, seq, 'op', 'i', 'p',
       'o', 'h', 1, '{}' from seq_1_to_3000`,
  );
  const queries = [{}, { operation: "op" }, { state: "done" }, { state: "unknown" }, { state: "open" }] as const;
  const both = [
    { operation: "op", state: "done" },
    { operation: "op", state: "unknown" },
    { operation: "none" },
  ] as const;
  for (const query of [...queries, ...both]) {
    await pool.query("flush status");
    const runs = await ledger.recent({ ...query, limit: 10 });
    if (runs[0] !== undefined) await ledger.history(runs[0].id);
    const [rows] = await pool.query("show session status like 'Handler_read%'");
    const read = (rows as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
    expect(read, JSON.stringify(query)).toBeLessThan(150);
  }
});

test("of 20,000 works that wait no more are read than are told, and second successes are looked up by their intent", async () => {
  const pool = database.pool({ connectionLimit: 1 });
  const ledger = await opened({ pool });
  const columns =
    "name, id, attempt, state, keep_until, created_at, operation, identity, principal, owner, print, print_version";
  const about = "9e15, seq, 'op', 'i', 'p', 'o', 'h', 1";
  await database.query(
    `insert into reprise_work (${columns}, lease_until, input)
     select unhex(md5(seq)), unhex(md5(seq + 1e6)), unhex(md5(seq)), 'o', ${about}, seq, 'input' from seq_1_to_20000`,
  );
  await database.query(
    `insert into reprise_work (${columns}, refused, outcome, intent)
     select unhex(md5(seq + 2e6)), unhex(md5(seq + 3e6)), unhex(md5(seq)), 'd', ${about}, 0, '{}', unhex(md5(seq div 2))
     from seq_20001_to_40000`,
  );
  const reads = async (ask: () => Promise<readonly unknown[]>) => {
    await pool.query("flush status");
    expect(await ask()).toHaveLength(20);
    const [rows] = await pool.query("show session status like 'Handler_read%'");
    return (rows as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
  };
  expect(await reads(() => ledger.abandoned({ operations: ["op"], idleMs: 1_000, limit: 20 }))).toBeLessThan(150);
  expect(await reads(() => ledger.twice({ operation: "op", withinMs: 1_000, limit: 20 }))).toBeLessThan(3_000);
});

test("closing waits for open transactions, and ends one that never does", async () => {
  const ledger = await opened();
  const [entered, left] = [gate(), gate()];
  const open = ledger.atomic(request(), async (tx) => {
    entered.open();
    await left.opened;
    return book("a")(tx);
  });
  await entered.opened;
  const closed = ledger.close();
  await expect(ledger.claim(request("b"))).rejects.toMatchObject(away);
  left.open();
  expect((await open).is).toBe("ran");
  await closed;
});
