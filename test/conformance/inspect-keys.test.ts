import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/cli/databases.ts";
import { inspectKeys, mysqlCatalogue, postgresCatalogue, sqliteCatalogue } from "../../src/inspect/index.ts";
import { loadDriver } from "../../src/stores/sqlite/driver.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlServer, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import { postgresUrl, postgresVersion } from "../support/postgres.ts";

/** Twelve shapes of a table, on real databases: which have a natural key, and what is there twice already. */

const canary = "canary-4111111111111111";
const catalogues = { postgres: postgresCatalogue, mysql: mysqlCatalogue, sqlite: sqliteCatalogue };

async function inspect(address: string, deadlineMs = 20_000) {
  const opened = await openDatabase(address, deadlineMs);
  if (typeof opened === "string") throw new Error(opened);
  const until = performance.now() + deadlineMs;
  const leftMs = () => Math.max(0, until - performance.now());
  try {
    return await inspectKeys({
      database: opened.database,
      catalogue: catalogues[opened.database],
      ask: (statement) => opened.ask(statement, Math.max(1, leftMs())),
      leftMs,
      tell: () => undefined,
    });
  } finally {
    await opened.close();
  }
}

type Report = Awaited<ReturnType<typeof inspect>>;
const shapesOf = ({ keyless }: Report) =>
  Object.fromEntries(keyless.map(({ table, shape }) => [table.replace(/^.*\./, ""), shape]));
const candidate = ({ keyless }: Report, table: string) =>
  keyless.find((one) => one.table.endsWith(table))?.candidates[0];

describe("PostgreSQL", async () => {
  const missing = (await postgresVersion()) === undefined ? "no PostgreSQL answers" : undefined;
  const name = `reprise_keys_${process.pid}`;
  const url = new URL(postgresUrl);
  url.pathname = `/${name}`;
  let admin: pg.Client;
  beforeAll(async () => {
    if (missing !== undefined) return;
    const maker = new pg.Client({ connectionString: postgresUrl });
    await maker.connect();
    await maker.query(`create database ${name}`);
    await maker.end();
    admin = new pg.Client({ connectionString: url.href });
    await admin.connect();
    await admin.query(`
      create table a_none (ref text, total int);
      create table b_identity (id int generated always as identity primary key, ref text not null);
      create table c_serial (id serial primary key, code text not null);
      create table d_uuid (id uuid primary key default gen_random_uuid(), email text not null);
      create table e_natural (ref text not null, day date not null, unique (ref, day));
      create table f_partial (id int generated always as identity primary key, ref text not null, gone boolean);
      create unique index f_partial_ref on f_partial (ref) where gone is null;
      create table g_nullable (ref text unique, total int);
      create table h_same (ref text, total int);
      create unique index h_same_ref on h_same (ref) nulls not distinct;
      create table i_expression (id int generated always as identity primary key, email text not null);
      create unique index i_expression_email on i_expression (lower(email));
      create table j_invalid (ref text not null, total int);
      create table k_both (tenant int not null, id int generated always as identity, primary key (tenant, id));
      create table l_parts (day date not null, ref text not null, primary key (ref, day)) partition by range (day);
      create table l_parts_1 partition of l_parts for values from ('2026-01-01') to ('2027-01-01');
      insert into j_invalid values ('${canary}', 1), ('${canary}', 2), ('b', 3);
      insert into a_none select '${canary}' || n % 95, n from generate_series(1, 100) n;
      insert into g_nullable values (null, 1), (null, 2), ('${canary}', 3);
      analyze;`);
    // it fails, and leaves what it had begun
    await admin.query("create unique index concurrently j_invalid_ref on j_invalid (ref)").catch(() => undefined);
  });
  beforeEach((context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
  });
  afterAll(async () => {
    await admin?.end();
    if (missing !== undefined) return;
    const maker = new pg.Client({ connectionString: postgresUrl });
    await maker.connect();
    await maker.query(`drop database ${name}`);
    await maker.end();
  });

  test("tells the shape of each table, and takes none with a natural key for one without", async () => {
    const report = await inspect(url.href);
    expect(report.tables).toBe(12);
    expect(shapesOf(report)).toEqual({
      a_none: "no-key",
      b_identity: "surrogate-only",
      c_serial: "surrogate-only",
      d_uuid: "surrogate-only",
      f_partial: "partial-only",
      g_nullable: "nullable",
      i_expression: "expression",
      j_invalid: "invalid",
      k_both: "surrogate-only",
    });
  });

  test("counts what is there twice, and prints no value", async () => {
    const report = await inspect(url.href);
    expect(candidate(report, "a_none")).toMatchObject({
      columns: ["ref"],
      duplicates: { groups: 5, rowsTooMany: 5, withNull: 0 },
    });
    expect(candidate(report, "j_invalid")?.duplicates).toEqual({ groups: 1, rowsTooMany: 1, withNull: 0 });
    expect(candidate(report, "g_nullable")?.duplicates).toEqual({ groups: 0, rowsTooMany: 0, withNull: 2 });
    expect(JSON.stringify(report)).not.toContain("canary");
  });

  test("prints statements that run, after which the table has its key", async () => {
    const found = candidate(await inspect(url.href), "j_invalid");
    expect((await admin.query(found?.list ?? "")).rowCount).toBe(1);
    expect((await admin.query(found?.remove ?? "")).rowCount).toBe(1);
    for (const statement of found?.create ?? []) await admin.query(statement);
    expect(shapesOf(await inspect(url.href))).not.toHaveProperty("j_invalid");
  });

  test("writes nothing, and says what it had no time for", async () => {
    const opened = await openDatabase(url.href, 5_000);
    if (typeof opened === "string") throw new Error(opened);
    await expect(opened.ask("insert into a_none values ('x', 1)", 1_000)).rejects.toThrow(/read-only/);
    await expect(opened.ask("select pg_sleep(10)", 50)).rejects.toMatchObject({ code: "57014" });
    expect(await opened.ask("select 1 as one", 1_000)).toEqual([{ one: 1 }]);
    const ask = (statement: string) => opened.ask(statement, 5_000);
    const late = await inspectKeys({
      database: "postgres",
      catalogue: postgresCatalogue,
      ask,
      leftMs: () => 0,
      tell: () => undefined,
    });
    expect(late.notLookedAt).toContain("a_none");
    expect(late.keyless.find(({ table }) => table === "a_none")?.candidates[0]?.duplicates).toBeNull();
    await opened.close();
  });
});

describe("MariaDB", async () => {
  const missing = (await mysqlVersion()) === undefined ? "no MariaDB or MySQL answers" : undefined;
  let database: TestDatabase;
  let address: string;
  beforeAll(async () => {
    if (missing !== undefined) return;
    database = await createDatabase();
    address = `mysql://${mysqlServer.user}@${mysqlServer.host}:${mysqlServer.port}/${database.name}`;
    for (const statement of [
      "create table a_none (ref varchar(40), total int)",
      "create table b_auto (id int auto_increment primary key, ref varchar(40) not null)",
      "create table c_uuid (id char(36) default (uuid()) primary key, code varchar(40) not null)",
      "create table d_natural (id int auto_increment primary key, ref varchar(40) not null unique)",
      "create table e_nullable (id int auto_increment primary key, ref varchar(40) unique)",
      "create table f_prefix (id int auto_increment primary key, ref varchar(200) not null, unique (ref(5)))",
      `insert into b_auto (ref) values ('${canary}'), ('${canary}'), ('b')`,
    ]) {
      await database.query(statement);
    }
  });
  beforeEach((context) => {
    if (missing !== undefined) context.skip(`${cannotRunHere}${missing}`);
  });
  afterAll(() => database?.drop());

  test("tells the shape of each table, and what is there twice", async () => {
    const report = await inspect(address);
    expect(shapesOf(report)).toEqual({
      a_none: "no-key",
      b_auto: "surrogate-only",
      c_uuid: "surrogate-only",
      e_nullable: "nullable",
      f_prefix: "partial-only",
    });
    expect(candidate(report, "b_auto")?.duplicates).toEqual({ groups: 1, rowsTooMany: 1, withNull: 0 });
    expect(JSON.stringify(report)).not.toContain("canary");
  });

  test("prints statements that run, and itself writes nothing", async () => {
    const opened = await openDatabase(address, 5_000);
    if (typeof opened === "string") throw new Error(opened);
    await expect(opened.ask("insert into b_auto (ref) values ('x')", 1_000)).rejects.toMatchObject({ errno: 1792 });
    await expect(opened.ask("select sleep(10) from b_auto", 50)).rejects.toThrow();
    await opened.close();
    const found = candidate(await inspect(address), "b_auto");
    await database.query(found?.remove ?? "");
    for (const statement of found?.create ?? []) await database.query(statement);
    expect(shapesOf(await inspect(address))).not.toHaveProperty("b_auto");
  });
});

describe("SQLite", () => {
  const folder = mkdtempSync(join(tmpdir(), "reprise-keys-"));
  const file = join(folder, "shop.db");
  beforeAll(async () => {
    const connection = (await loadDriver())(file);
    connection.exec(`
      create table a_none (ref text, total int);
      create table b_rowid (id integer primary key, ref text not null);
      create table c_natural (ref text not null, day text not null, unique (ref, day));
      create table d_nullable (ref text primary key, total int);
      create table e_without (ref text primary key, total int) without rowid;
      create table f_partial (id integer primary key, ref text not null, gone int);
      create unique index f_partial_ref on f_partial (ref) where gone is null;
      create table g_expression (id integer primary key, email text not null);
      create unique index g_expression_email on g_expression (lower(email));
      create table "h odd" (id text primary key default (hex(randomblob(16))), code text);
      insert into b_rowid (ref) values ('${canary}'), ('${canary}'), ('b');`);
    connection.close();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("tells the shape of each table, what is there twice, and statements that mend it", async () => {
    const report = await inspect(file);
    expect(shapesOf(report)).toEqual({
      a_none: "no-key",
      b_rowid: "surrogate-only",
      d_nullable: "nullable",
      f_partial: "partial-only",
      g_expression: "expression",
      '"h odd"': "surrogate-only",
    });
    const found = candidate(report, "b_rowid");
    expect(found?.duplicates).toEqual({ groups: 1, rowsTooMany: 1, withNull: 0 });
    expect(JSON.stringify(report)).not.toContain("canary");
    const connection = (await loadDriver())(file);
    connection.exec(found?.remove ?? "");
    for (const statement of found?.create ?? []) connection.exec(statement);
    connection.close();
    expect(shapesOf(await inspect(file))).not.toHaveProperty("b_rowid");
  });

  test("writes nothing, and creates no file that is not there", async () => {
    const opened = await openDatabase(file, 5_000);
    if (typeof opened === "string") throw new Error(opened);
    await expect(opened.ask("insert into a_none values ('x', 1)", 1_000)).rejects.toThrow();
    await opened.close();
    const absent = join(folder, "absent.db");
    expect(await openDatabase(absent, 5_000)).toBe("There is no such file.");
    expect(existsSync(absent)).toBe(false);
  });
});
