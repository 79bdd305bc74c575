import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { databaseErrorOf } from "../../src/contract/database-error.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { SqlDatabase } from "../../src/contract/sql.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { postgresLedger } from "../../src/stores/postgres/index.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlTransactions, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import {
  type PostgresPlace,
  pgPool,
  pgTransactions,
  postgresPlace,
  postgresUrl,
  postgresVersion,
} from "../support/postgres.ts";

function sqlOf<Tx>({ sql }: Ledger<Tx>): SqlDatabase<Tx> {
  if (sql === undefined) throw new Error("no SQL");
  return sql;
}

/** What holds on every database: rows and counts, commit, rollback, a statement in a caller's transaction. */
async function expectSound<Tx>(ledger: Ledger<Tx>, table: string, parameter: (place: number) => string): Promise<void> {
  const sql = sqlOf(ledger);
  const insert = `insert into ${table} (id, name) values (${parameter(1)}, ${parameter(2)})`;
  const names = () => sql.begin((tx) => sql.query(tx, `select name from ${table} order by id`, []), 5_000);
  const told = await sql.begin(async (tx) => {
    const one = await sql.query(tx, insert, [1, "a"]);
    await sql.query(tx, insert, [2, null]);
    const changed = await sql.query(tx, `update ${table} set name = ${parameter(1)} where id < 10`, ["b"]);
    const none = await sql.query(tx, `delete from ${table} where id = 77`, []);
    const returned = await sql.query(tx, `delete from ${table} where id = 2 returning name`, []);
    return [one, changed, none, returned];
  }, 5_000);
  expect(told.map(({ count }) => count)).toEqual([1, 2, 0, 1]);
  expect(told.map(({ rows }) => rows.map((row) => ({ ...row })))).toEqual([[], [], [], [{ name: "b" }]]);
  expect(await names()).toMatchObject({ rows: [{ name: "b" }], count: 1 });
  const failing = sql.begin(async (tx) => {
    await sql.query(tx, insert, [3, "c"]);
    throw new Error("no");
  }, 5_000);
  await expect(failing).rejects.toThrow("no");
  // of a transaction of the ledger's it is a statement like every other
  await ledger.transaction(async (tx) => {
    expect(await sql.query(tx, insert, [4, "d"])).toMatchObject({ rows: [], count: 1 });
  });
  expect((await names()).rows).toMatchObject([{ name: "b" }, { name: "d" }]);
}

describe("SQLite", () => {
  test("runs statements of a caller's beside its tables, and tells rows and counts", async () => {
    const directory = mkdtempSync(join(tmpdir(), "reprise-sql-"));
    const ledger = sqliteLedger({ path: join(directory, "ledger.db") });
    await ledger.open();
    await ledger.transaction((tx) => tx.query("create table item (id integer primary key, name text)"));
    expect(sqlOf(ledger).dialect).toBe("sqlite");
    await expectSound(ledger, "item", () => "?");
    await ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });
});

describe("PostgreSQL", async () => {
  const isThere = (await postgresVersion()) !== undefined;
  let place: PostgresPlace;
  beforeAll(async () => {
    if (!isThere) return;
    place = await postgresPlace();
    await place.admin.query(`create table ${place.schema}.item (id int primary key, name text)`);
  });
  afterAll(() => place?.drop());
  beforeEach(async (context) => {
    if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    await place.admin.query(`delete from ${place.schema}.item`);
  });

  const drivers = [
    ["over pg", () => place.ledger("pg")],
    ["over postgres", () => place.ledger("postgres")],
  ] as const;

  test.each(drivers)("%s runs statements beside its tables, and tells rows and counts", async (_, open) => {
    await expectSound(await open(), `${place.schema}.item`, (at) => `$${at}`);
  });

  test.each(drivers)(
    "%s a statement that takes longer than it may is ended by the server, and nothing stays",
    async (_, open) => {
      const ledger = await open();
      const sql = sqlOf(ledger);
      const began = performance.now();
      const late = sql.begin(async (tx) => {
        await sql.query(tx, `insert into ${place.schema}.item (id) values (1)`, []);
        await sql.query(tx, "select pg_sleep(30)", []);
      }, 200);
      const error = await late.catch((error: unknown) => error);
      expect(databaseErrorOf(error).code).toBe("57014");
      expect(performance.now() - began).toBeLessThan(10_000);
      // the bound is the transaction's, not the connection's
      await ledger.transaction(async (tx) => {
        expect((await tx.query("show statement_timeout"))[0]).toMatchObject({ statement_timeout: "0" });
      });
      const { rows } = await place.admin.query(`select * from ${place.schema}.item`);
      expect(rows).toEqual([]);
    },
  );

  test("a statement may take longer than the ledger lets those of operations", async () => {
    const ledger = await place.ledger("pg", { workDeadline: "100ms" });
    const sql = sqlOf(ledger);
    const { rows } = await sql.begin((tx) => sql.query(tx, "select pg_sleep(0.4), 1::int as one", []), 20_000);
    expect(rows[0]).toMatchObject({ one: 1 });
  });

  test("it repeats nothing: another transaction in the way is told by its code", async () => {
    const ledger = await place.ledger("pg", { isolation: "repeatable read" });
    const sql = sqlOf(ledger);
    const item = `${place.schema}.item`;
    await place.admin.query(`insert into ${item} values (1, 'a')`);
    let runs = 0;
    const conflict = sql.begin(async (tx) => {
      runs += 1;
      await sql.query(tx, `select * from ${item}`, []);
      await place.admin.query(`update ${item} set name = 'b'`);
      await sql.query(tx, `update ${item} set name = 'c'`, []);
    }, 5_000);
    expect(databaseErrorOf(await conflict.catch((error: unknown) => error)).code).toBe("40001");
    expect(runs).toBe(1);
  });

  test("in a mapper's transactions it does the same, and bounds the statements of its own only", async () => {
    const pool = pgPool(postgresUrl, 1);
    const transactions = pgTransactions(pool);
    const ledger = postgresLedger({ pool: pgPool(postgresUrl, 2), transactions, schema: place.schema });
    await ledger.open();
    await expectSound(ledger, `${place.schema}.item`, (at) => `$${at}`);
    const sql = sqlOf(ledger);
    const late = sql.begin((tx) => sql.query(tx, "select pg_sleep(30)", []), 200);
    expect(databaseErrorOf(await late.catch((error: unknown) => error)).code).toBe("57014");
    // one connection, and so one object for both transactions
    await transactions.begin((client) => sql.query(client, "select pg_sleep(0.4)", []));
    await ledger.close();
    await pool.end();
  });
});

describe("MariaDB", async () => {
  const isThere = (await mysqlVersion()) !== undefined;
  let database: TestDatabase;
  const ended: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    if (!isThere) return;
    database = await createDatabase();
    await database.query("create table item (id int primary key, name varchar(20)) engine=InnoDB");
  });
  afterAll(async () => {
    for (const end of ended) await end();
    await database?.drop();
  });
  beforeEach(async (context) => {
    if (!isThere) context.skip(`${cannotRunHere}MariaDB does not answer`);
    await database.query("delete from item");
  });
  const open = (options: { readonly deadline?: "100ms"; readonly rowsAsArray?: boolean } = {}) => {
    const { rowsAsArray, ...rest } = options;
    const ledger = mysqlLedger({ pool: database.pool(rowsAsArray === undefined ? {} : { rowsAsArray }), ...rest });
    ended.push(ledger.close);
    return ledger;
  };

  test("runs statements beside its tables, and tells rows and counts", async () => {
    const ledger = open();
    expect(sqlOf(ledger).dialect).toBe("mysql");
    await expectSound(ledger, "item", () => "?");
  });

  test("tells rows by their columns' names, whatever the pool makes of rows", async () => {
    const sql = sqlOf(open({ rowsAsArray: true }));
    const { rows } = await sql.begin((tx) => sql.query(tx, "select 1 as one, 2 as two", []), 5_000);
    expect(rows).toEqual([{ one: 1, two: 2 }]);
  });

  test("hands on what the server says of a statement that writes many rows", async () => {
    const sql = sqlOf(open());
    await database.query("insert into item values (1, 'a'), (2, 'b')");
    const text = `insert into item select 1, 'x' union all select 3, 'c'
      on duplicate key update name = values(name)`;
    const { count, info } = await sql.begin((tx) => sql.query(tx, text, []), 5_000);
    expect([count, info]).toEqual([3, "Records: 2  Duplicates: 1  Warnings: 0"]);
  });

  test("a statement that takes longer than it may is ended by the server, and nothing stays", async () => {
    const sql = sqlOf(open());
    const began = performance.now();
    const late = sql.begin(async (tx) => {
      await sql.query(tx, "insert into item (id) values (1)", []);
      await sql.query(tx, "insert into item (id) select 2 from seq_1_to_10 where sleep(3) = 7", []);
    }, 200);
    expect(databaseErrorOf(await late.catch((error: unknown) => error)).errno).toBe(1969);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await database.query("select * from item")).toEqual([]);
  });

  test("a statement may take longer than the ledger lets those of operations", async () => {
    const sql = sqlOf(open({ deadline: "100ms" }));
    const { rows } = await sql.begin((tx) => sql.query(tx, "select sleep(0.4), 1 as one", []), 20_000);
    expect(rows[0]).toMatchObject({ one: 1 });
  });

  test("it repeats nothing: another transaction in the way is told by its number", async () => {
    const sql = sqlOf(open());
    await database.query("insert into item values (1, 'a'), (2, 'b')");
    let runs = 0;
    let arrived = 0;
    let meet = () => {};
    const met = new Promise<void>((resolve) => {
      meet = resolve;
    });
    const update = async (first: number, second: number) =>
      sql.begin(async (tx) => {
        runs += 1;
        await sql.query(tx, "update item set name = 'c' where id = ?", [first]);
        arrived += 1;
        if (arrived === 2) meet();
        await met;
        await sql.query(tx, "update item set name = 'c' where id = ?", [second]);
      }, 20_000);
    const told = await Promise.allSettled([update(1, 2), update(2, 1)]);
    const [rejected, ...others] = told.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(others).toEqual([]);
    expect(databaseErrorOf(rejected).errno).toBe(1213);
    expect(runs).toBe(2);
  });

  test("it locks no gap: beside a range that is read for writing, others insert", async () => {
    const sql = sqlOf(open());
    await database.query("insert into item values (1, 'a'), (9, 'b')");
    await sql.begin(async (tx) => {
      await sql.query(tx, "update item set name = 'c' where id between 1 and 9", []);
      await database.query("set statement innodb_lock_wait_timeout=0 for insert into item values (5, 'd')");
    }, 5_000);
    expect((await database.query("select name from item order by id")).map(({ name }) => name)).toEqual([
      "c",
      "d",
      "c",
    ]);
  });

  test("in a mapper's transactions it does the same, and bounds the statements of its own only", async () => {
    const pool = database.pool();
    const transactions = mysqlTransactions(pool);
    const ledger = mysqlLedger({ pool, transactions });
    ended.push(ledger.close);
    await expectSound(ledger, "item", () => "?");
    const sql = sqlOf(ledger);
    const late = sql.begin((tx) => sql.query(tx, "select sleep(1)", []), 200);
    await expect(late).rejects.toMatchObject({ code: "REPRISE_LEDGER_AWAY" });
    await transactions.begin((connection) => sql.query(connection, "select sleep(0.4)", []));
  });
});
