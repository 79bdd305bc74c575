import type { PoolConnection } from "mysql2/promise";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { createReprise } from "../../src/index.ts";
import type { LoadDeclaration } from "../../src/load/declaration.ts";
import { mysqlDialect } from "../../src/load/mysql/dialect.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlTransactions, mysqlVersion, type TestDatabase } from "../support/mysql.ts";

/** What MariaDB and MySQL do that no other database does. What every database does is in the loads' suite. */

const isThere = (await mysqlVersion()) !== undefined;

test("conflicts are what repeating may end, and nothing else is", () => {
  // 1467: a deadlock over the table's next number bears a name of its own
  for (const errno of [1213, 1205, 1020, 1467]) expect(mysqlDialect.isConflict({ errno })).toBe(true);
  for (const errno of [1062, 1064, 1406, undefined]) expect(mysqlDialect.isConflict({ errno })).toBe(false);
});

const base: LoadDeclaration = {
  ...{ name: "facts", from: "staging", into: "fact", identity: ["ref"], newer: "version" },
  ...{ ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep", windows: "whole" },
};

describe("loads on MariaDB", () => {
  let database: TestDatabase;
  const ledgers: Ledger<unknown>[] = [];
  const rivals: PoolConnection[] = [];
  /** A transaction of somebody else's. */
  const rival = async (): Promise<PoolConnection> => {
    const connection = await database.pool().getConnection();
    rivals.push(connection);
    await connection.query("begin");
    return connection;
  };
  beforeAll(async () => {
    if (isThere) database = await createDatabase();
  });
  beforeEach((context) => {
    if (!isThere) context.skip(`${cannotRunHere}no MariaDB answers`);
  });
  // a test that fails leaves no lock to the next
  afterEach(() => {
    for (const connection of rivals.splice(0)) connection.destroy();
  });
  afterAll(async () => {
    for (const ledger of ledgers) await ledger.close();
    await database?.drop();
  });

  const tables = async (staging: string, fact = staging): Promise<void> => {
    await database.query("drop table if exists staging, fact");
    await database.query(`create table staging (${staging})`);
    await database.query(`create table fact (${fact}, unique key natural_key (ref))`);
  };
  const loadIn = async (answers: Partial<LoadDeclaration> = {}, options: object = {}, mapper = false) => {
    const pool = database.pool(options);
    const transactions = mysqlTransactions(pool);
    const ledger: Ledger<unknown> = mapper ? mysqlLedger({ pool, transactions }) : mysqlLedger({ pool });
    ledgers.push(ledger);
    // declarations of this file are data
    return createReprise({ service: "test", undecided: "listed", ledger }).load({ ...base, ...answers } as never);
  };
  const text = (collation: string) =>
    `ref varchar(20) collate ${collation} not null, version int not null, note varchar(20), other varchar(20)`;

  test("keys that a collation equates are one key: in the search for repeated ones, in the join, and to the constraint", async () => {
    await tables(text("utf8mb4_bin"), text("utf8mb4_general_ci"));
    await database.query("insert into fact values ('A', 1, 'old', null), ('pad', 1, 'old', null)");
    await database.query(
      "insert into staging values ('a', 2, 'new', null), ('pad ', 2, 'new', null), ('b', 1, null, null)",
    );
    const load = await loadIn();
    expect(await load.preview()).toMatchObject({ read: 3, inserted: 1, updated: 2 });
    expect(await load.run()).toMatchObject({ read: 3, inserted: 1, updated: 2 });
    expect(await load.run()).toMatchObject({ read: 3, unchanged: 3 });
    expect(await load.reconcile()).toMatchObject({ equal: true });
    // the spelling that was there stays, for the two are the same
    expect((await database.query("select ref from fact order by ref")).map(({ ref }) => ref)).toEqual([
      "A",
      "b",
      "pad",
    ]);

    await database.query("insert into staging values ('B', 3, 'twice', null)");
    const refused = await load.run();
    if (refused.status !== "refused") throw new Error("the source repeats a key");
    expect(refused.because).toMatchObject([{ what: "source-repeats-key", keys: 1, rows: 2 }]);
    expect(await database.query(String(refused.because[0]?.list))).toEqual([
      { ref: expect.stringMatching(/^b$/i), "count(*)": 2 },
    ]);
    const newest = await loadIn({ ifSourceRepeatsKey: "newest", windows: { rows: 1 } });
    expect(await newest.run()).toMatchObject({ read: 4, updated: 1, duplicates: 1, unchanged: 2 });
  });

  test("blanks behind the length of a column are what an insert cuts off, so that they are no difference", async () => {
    const columns = (length: number) =>
      `ref varchar(${length}) collate utf8mb4_nopad_bin not null, version int not null, note varchar(${length})`;
    await tables(columns(20), columns(3));
    await database.query("insert into staging values ('abc  ', 1, 'xyz   '), ('a ', 1, 'b ')");
    const load = await loadIn();
    expect(await load.run()).toMatchObject({ read: 2, inserted: 2 });
    expect(await load.reconcile()).toMatchObject({ equal: true });
    expect(await load.run()).toMatchObject({ read: 2, unchanged: 2 });
    expect(await database.query("select ref, note from fact order by ref")).toEqual([
      { ref: "a ", note: "b " },
      { ref: "abc", note: "xyz" },
    ]);
    await database.query("insert into staging values ('abc', 1, null)");
    expect(await load.run()).toMatchObject({ because: [{ what: "source-repeats-key", keys: 1, rows: 2 }] });
  });

  test("windows of rows are refused where a bit is in the key, for bounds are kept as text", async () => {
    await tables("ref bit(8) not null, version int not null");
    await database.query("insert into staging values (b'1', 1), (b'10', 1), (b'11', 1)");
    const refused = await (await loadIn({ windows: { rows: 1 } })).run();
    expect(refused).toMatchObject({ because: [{ what: "window-column-unfit", column: "ref", type: "bit(8)" }] });
    expect(await (await loadIn({ name: "whole" })).run()).toMatchObject({ inserted: 3 });
  });

  test("another case is a change of content, though the collation equates the two", async () => {
    await tables(text("utf8mb4_general_ci"));
    await database.query("insert into fact values ('a', 1, 'note', null)");
    await database.query("insert into staging values ('a', 1, 'NOTE', null)");
    expect(await (await loadIn()).run()).toMatchObject({ tied: 1 });
    const overwriting = await loadIn({ ifSameVersionDiffers: "overwrite" });
    expect(await overwriting.run()).toMatchObject({ updated: 1 });
    expect(await database.query("select note from fact")).toEqual([{ note: "NOTE" }]);
    expect(await overwriting.run()).toMatchObject({ unchanged: 1 });
  });

  for (const isolation of ["READ COMMITTED", "REPEATABLE READ"] as const) {
    test(`counts exactly what it wrote and what another wrote first, whole rows of either, at ${isolation}`, async () => {
      await tables(text("utf8mb4_bin"));
      const load = await loadIn({ columns: ["note", "other"] }, {}, isolation === "REPEATABLE READ");
      await database.query("insert into fact values ('meanwhile', 1, 'old', 'old')");
      await database.query(`insert into staging values
        ('meanwhile', 2, 'ours', 'ours'), ('older', 2, 'ours', 'ours'), ('own', 2, 'ours', 'ours'), ('same', 2, 'ours', 'ours'),
        ('newer', 2, 'ours', 'ours')`);
      // another's rows are committed while the load waits to write its first one
      const other = await rival();
      await other.query("insert into fact values ('newer', 3, 'theirs', 'theirs'), ('older', 1, 'theirs', 'theirs')");
      await other.query("insert into fact values ('same', 2, 'ours', 'ours')");
      await other.query("update fact set version = 1, note = 'theirs' where ref = 'meanwhile'");
      const running = load.run();
      await isWaiting(database);
      await other.query("commit");
      const result = await running;
      expect(result).toMatchObject({ status: "done", read: 5, tied: 0, keyless: 0, duplicates: 0 });
      const { inserted, updated, unchanged, refusedOlder } = result as never as Record<string, number>;
      expect({ inserted, updated }).toEqual({ inserted: 1, updated: 2 });
      expect((unchanged ?? 0) + (refusedOlder ?? 0)).toBe(2);
      expect(await database.query("select ref, version, note, other from fact order by ref")).toEqual([
        { ref: "meanwhile", version: 2, note: "ours", other: "ours" },
        { ref: "newer", version: 3, note: "theirs", other: "theirs" },
        { ref: "older", version: 2, note: "ours", other: "ours" },
        { ref: "own", version: 2, note: "ours", other: "ours" },
        { ref: "same", version: 2, note: "ours", other: "ours" },
      ]);
    });
  }

  test("counts alike whatever the connection says of rows that were so before", async () => {
    for (const flags of [["FOUND_ROWS"], ["-FOUND_ROWS"]]) {
      await tables(text("utf8mb4_bin"));
      await database.query("insert into fact values ('a', 1, 'x', null), ('b', 1, 'x', null)");
      await database.query("insert into staging values ('a', 2, 'x', null), ('b', 1, 'x', null), ('c', 1, 'x', null)");
      const load = await loadIn({}, { flags });
      expect(await load.run()).toMatchObject({ read: 3, inserted: 1, updated: 1, unchanged: 1 });
    }
  });

  test("an update is of whole rows: what differs in one column alone overwrites them all", async () => {
    await tables(text("utf8mb4_bin"));
    const load = await loadIn({ ifSameVersionDiffers: "overwrite" });
    await database.query("insert into fact values ('a', 1, 'x', 'x'), ('b', 1, 'x', 'x')");
    await database.query("insert into staging values ('a', 1, 'y', 'y'), ('b', 2, 'y', null)");
    expect(await load.run()).toMatchObject({ updated: 2 });
    expect(await database.query("select * from fact order by ref")).toEqual([
      { ref: "a", version: 1, note: "y", other: "y" },
      { ref: "b", version: 2, note: "y", other: null },
    ]);
  });

  test("is refused where sessions would cut values short silently", async () => {
    await tables(text("utf8mb4_bin"));
    await database.query("insert into staging values ('a', 1, 'x', null)");
    const pool = database.pool({ connectionLimit: 1 });
    await pool.query("set session sql_mode = ''");
    const ledger = mysqlLedger({ pool });
    ledgers.push(ledger);
    const load = createReprise({ service: "test", undecided: "listed", ledger }).load(base as never);
    expect(await load.run()).toMatchObject({
      because: [{ what: "table-unsafe", mend: [expect.stringContaining("STRICT")] }],
    });
    expect(await database.query("select * from fact")).toEqual([]);
  });

  test("what does not fit the table is the database's error, and nothing of the window stays", async () => {
    await tables(text("utf8mb4_bin"), text("utf8mb4_bin").replace("note varchar(20)", "note varchar(3)"));
    await database.query("insert into staging values ('a', 1, 'x', null), ('b', 1, 'too long', null)");
    await expect((await loadIn()).run()).rejects.toMatchObject({ errno: 1406 });
    expect(await database.query("select * from fact")).toEqual([]);
    const [staged] = await database.query("select count(*) as n from staging");
    expect(staged).toEqual({ n: 2 });
  });

  test("cuts windows of whatever a key is made of, so that each row is in one", async () => {
    const keys = {
      "bigint unsigned": ["1", "9223372036854775809", "18446744073709551615", "77"],
      "decimal(20, 6)": ["1.5", "-2.000001", "12345678901234.5", "0"],
      "datetime(6)": [
        "'2026-01-01'",
        "'2026-01-01 00:00:00.000001'",
        "'2026-03-29 02:30:00'",
        "'1999-12-31 23:59:59.5'",
      ],
      "timestamp(6)": [
        "'2026-01-01'",
        "'2026-01-01 00:00:00.000001'",
        "'2026-03-29 04:30:00'",
        "'1999-12-31 23:59:59.5'",
      ],
      "varbinary(10)": ["0x00", "0xff00", "0x27", "0x5c27"],
      "varchar(10) collate utf8mb4_general_ci": ["'b'", "'A'", "'z'", "'o''x\\\\'"],
      "enum('z', 'b', 'a')": ["'z'", "'b'", "'a'"],
      time: ["'-10:00:00'", "'10:00:00'", "'00:00:01'", "'100:00:00'"],
      double: ["1.1e300", "-0.1", "3", "0.30000000000000004"],
    };
    for (const [type, values] of Object.entries(keys)) {
      await tables(`ref ${type} not null, version int not null`);
      for (const value of values) await database.query(`insert into staging values (${value}, 1)`);
      const load = await loadIn({ windows: { rows: 1 } });
      expect(await load.run(), type).toMatchObject({ read: values.length, inserted: values.length });
      expect(await load.run(), type).toMatchObject({ read: values.length, unchanged: values.length });
      expect(await load.reconcile(), type).toMatchObject({ equal: true });
    }
  });

  test("windows of instants hold each row once, whatever zone sessions are in", async () => {
    await tables("ref int not null, version int not null, at timestamp(3) null");
    for (let hour = 0; hour < 48; hour++) {
      const at = new Date(Date.UTC(2026, 9, 24, hour)).toISOString().slice(0, 19).replace("T", " ");
      await database.query("set time_zone = '+00:00'");
      await database.query("insert into staging values (?, 1, ?)", [hour, at]);
    }
    const load = await loadIn({ windows: { by: "at", each: "1h" } });
    expect(await load.run()).toMatchObject({ read: 48, inserted: 48, windows: { of: 48 } });
    expect(await load.run({ from: "2026-10-25T00:00:00Z" })).toMatchObject({ read: 24, unchanged: 24 });
  });

  test("a deadlock repeats the window, and the caller hears nothing of it", async () => {
    await tables(text("utf8mb4_bin"));
    await database.query("insert into fact values ('a', 1, 'x', null), ('b', 1, 'x', null)");
    await database.query("insert into staging values ('a', 3, 'ours', null), ('b', 3, 'ours', null)");
    const load = await loadIn();
    const other = await rival();
    // it has written more than the load, so that the server ends the load's transaction
    await other.query("insert into staging select concat('x', seq), 1, 'x', null from seq_1_to_2000");
    await other.query("update fact set note = 'theirs' where ref = 'b'");
    const running = load.run();
    await isWaiting(database);
    await other.query("update fact set note = 'theirs' where ref = 'a'");
    await other.query("rollback");
    expect(await running).toMatchObject({ status: "done", read: 2, updated: 2 });
  });
});

/** Until a transaction waits for another's lock. */
async function isWaiting(database: TestDatabase): Promise<void> {
  await expect
    .poll(
      async () => {
        const [row] = await database.query("select count(*) as n from information_schema.innodb_lock_waits");
        return row?.["n"];
      },
      // the server looks anew only when nobody has asked for a tenth of a second
      { timeout: 10_000, interval: 200 },
    )
    .toBeGreaterThan(0);
}
