import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Ledger } from "../../src/contract/ledger.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { functions } from "../../src/stores/postgres/database-steps.ts";
import { redisLedger } from "../../src/stores/redis/index.ts";
import { compare } from "../../src/stores/schema.ts";
import { loadDriver } from "../../src/stores/sqlite/driver.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { liveTables } from "../../src/stores/sqlite/live.ts";
import { statements, tables } from "../../src/stores/sqlite/schema.ts";
import { cannotRunHere } from "../support/environment.ts";
import { createDatabase, mysqlVersion, type TestDatabase } from "../support/mysql.ts";
import { type PostgresPlace, postgresPlace, postgresVersion } from "../support/postgres.ts";
import { noRedisHere, startRedis } from "../support/redis.ts";

async function differences(ledger: Ledger<unknown>) {
  return (await ledger.schema?.differences())?.map(({ what, mend }) => ({ what, mend })) ?? [];
}

/** What was planted is found, its statements mend it, and then nothing differs. */
async function expectMended(
  ledger: Ledger<unknown>,
  run: (statement: string) => Promise<unknown>,
  planted: string,
  what: string | readonly string[],
): Promise<void> {
  expect(await differences(ledger)).toEqual([]);
  for (const statement of planted.split("; ")) await run(statement);
  const found = await differences(ledger);
  expect(found.map((one) => one.what)).toEqual([what].flat());
  // to look changed nothing
  expect(await differences(ledger)).toEqual(found);
  for (const { mend } of found) for (const statement of mend) await run(statement);
  expect(await differences(ledger)).toEqual([]);
}

describe("PostgreSQL's tables", async () => {
  const isThere = (await postgresVersion()) !== undefined;
  for (const partitions of [undefined, 3]) {
    describe(partitions === undefined ? "in one piece" : "in partitions", () => {
      let place: PostgresPlace;
      let ledger: Ledger<unknown>;
      beforeAll(async () => {
        if (!isThere) return;
        place = await postgresPlace(4, partitions);
        ledger = await place.ledger("pg");
        await place.admin.query(`set search_path = ${place.schema}`);
      });
      afterAll(() => place?.drop());
      beforeEach((context) => {
        if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
      });
      const run = (statement: string) => place.admin.query(statement);
      const work = "alter table reprise_work";
      const enter = functions[0]?.definition(partitions !== undefined).name;

      test.each([
        ["drop table reprise_attempt", "Table reprise_attempt is missing."],
        ["drop table reprise_lease", "Table reprise_lease is missing."],
        [
          'alter table reprise_register alter column name type text collate "default"',
          'Column name of reprise_register is "text not null", not "text collate "C" not null".',
        ],
        [`drop function ${enter}`, `Function ${enter} is missing.`],
        [
          `create or replace function ${enter}(uuid, uuid, bigint, bigint, text) returns text language sql as 'select $5'`,
          `Function ${enter} does something else than it was made for.`,
        ],
        [`${work} drop column why`, "Column why of reprise_work is missing."],
        [
          `${work} alter column identity type varchar(90)`,
          'Column identity of reprise_work is "character varying(90)", not "text".',
        ],
        [
          `${work} alter column operation type text collate "POSIX"`,
          'Column operation of reprise_work is "text collate "POSIX"", not "text collate "C"".',
        ],
        [
          `${work} alter column created_at drop not null`,
          'Column created_at of reprise_work is "timestamp with time zone", not "timestamp with time zone not null".',
        ],
        [
          `${work} alter column token drop default`,
          'Column token of reprise_work is "integer not null", not "integer not null default 1".',
        ],
        ["drop index reprise_work_keep", "Index reprise_work_keep of reprise_work is missing."],
        [
          "drop index reprise_effect_started; create index reprise_effect_started on reprise_effect (started_at)",
          `Index reprise_effect_started of reprise_effect is "(started_at)", not "(started_at) where state = 's'".`,
        ],
        [
          "drop index reprise_work_bound; create index reprise_work_bound on reprise_work (key) where bound is not null",
          'Index reprise_work_bound of reprise_work is "(key) where bound is not null", not "(bound) where bound is not null".',
        ],
        ["delete from reprise_meta where name = 'schema'", "The version of the tables is not written down."],
        [
          "alter table reprise_journal drop constraint reprise_journal_pkey",
          'The primary key of reprise_journal is missing, not "(resolution, at, instance)".',
        ],
        [
          "update pg_index set indisvalid = false where indexrelid = 'reprise_attempt_id'::regclass",
          "Index reprise_attempt_id of reprise_attempt is invalid: the database does not use it.",
        ],
        ["alter table reprise_write reset (fillfactor)", 'Table reprise_write has "", not "fillfactor=85".'],
        ["alter table reprise_journal set unlogged", 'Table reprise_journal has "unlogged", not "".'],
        [
          "alter table reprise_write set unlogged",
          'Table reprise_write has "unlogged fillfactor=85", not "fillfactor=85".',
        ],
      ])("%s is told, and mended", (planted, what) => expectMended(ledger, run, planted, what));

      test("what somebody has added is no difference", async () => {
        await run("create index reprise_mine on reprise_work (owner)");
        await run("alter table reprise_work add column mine text");
        await run("create table reprise_mine_too (a int)");
        expect(await differences(ledger)).toEqual([]);
      });

      test("a missing column is added by opening, a missing index by migrate alone", async () => {
        await run("alter table reprise_effect drop column answer");
        await run("drop index reprise_attempt_id");
        const other = await place.ledger("postgres");
        expect((await differences(other)).map(({ what }) => what)).toEqual([
          "Index reprise_attempt_id of reprise_attempt is missing.",
        ]);
        expect(await other.schema?.migrate()).toHaveLength(1);
        expect(await differences(other)).toEqual([]);
        expect(await other.schema?.migrate()).toEqual([]);
      });

      if (partitions === undefined) return;
      test("a partition that is missing is told, and mended", () =>
        expectMended(ledger, run, "drop table reprise_work_p1", "The partition 1 of 3 of reprise_work is missing."));
      test("a partition without room is told, and mended", () =>
        expectMended(
          ledger,
          run,
          "alter table reprise_effect_p2 reset (fillfactor)",
          'Partition reprise_effect_p2 of reprise_effect has not "fillfactor=85".',
        ));
    });
  }

  test("tables of another version are told, and no statement is", async (context) => {
    if (!isThere) context.skip(`${cannotRunHere}no PostgreSQL answers`);
    const place = await postgresPlace(2);
    const ledger = await place.ledger("pg");
    await place.admin.query(`update ${place.schema}.reprise_meta set value = '7' where name = 'schema'`);
    expect(await differences(ledger)).toMatchObject([{ what: expect.stringContaining("of version '7'"), mend: [] }]);
    await expect(ledger.schema?.migrate()).rejects.toMatchObject({ code: "REPRISE_LEDGER_SCHEMA" });
    await place.drop();
  });
});

describe("MariaDB's tables", async () => {
  const isThere = (await mysqlVersion()) !== undefined;
  let database: TestDatabase;
  let ledger: Ledger<unknown>;
  beforeAll(async () => {
    if (!isThere) return;
    database = await createDatabase();
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
  const run = (statement: string) => database.query(statement);
  const work = "alter table reprise_work";

  test.each([
    ["drop table reprise_attempt", "Table reprise_attempt is missing."],
    [`${work} drop column why`, "Column why of reprise_work is missing."],
    [`${work} modify column identity blob`, 'Column identity of reprise_work is "blob", not "longblob".'],
    [
      `${work} modify column state char(1) character set utf8mb4 collate utf8mb4_bin not null`,
      'Column state of reprise_work is "char(1) character set utf8mb4 collate utf8mb4_bin not null", not "char(1) character set ascii collate ascii_bin not null".',
    ],
    [
      `${work} modify column created_at bigint`,
      'Column created_at of reprise_work is "bigint", not "bigint not null".',
    ],
    [`${work} drop key reprise_work_keep`, "Index reprise_work_keep of reprise_work is missing."],
    [
      `${work} drop key reprise_work_key, add key reprise_work_key (key_name)`,
      'Index reprise_work_key of reprise_work is "(key_name)", not "unique (key_name)".',
    ],
    [
      `${work} alter index reprise_work_state ignored`,
      "Index reprise_work_state of reprise_work is invalid: the database does not use it.",
    ],
    ["alter table reprise_journal engine=Aria", 'Table reprise_journal has "Aria", not "InnoDB".'],
    [
      "alter table reprise_journal drop primary key",
      'The primary key of reprise_journal is missing, not "(resolution, at, instance)".',
    ],
    ["delete from reprise_meta where name = 'schema'", "The version of the tables is not written down."],
  ])("%s is told, and mended", (planted, what) => expectMended(ledger, run, planted, what));

  test("what somebody has added is no difference", async () => {
    await run("alter table reprise_work add column mine int, add key reprise_mine (mine)");
    expect(await differences(ledger)).toEqual([]);
  });

  test("a missing column is added by opening, a missing index by migrate alone", async () => {
    await run("alter table reprise_effect drop column answer");
    await run("alter table reprise_attempt drop key reprise_attempt_id");
    const other = mysqlLedger({ pool: database.pool() });
    await other.open();
    expect((await differences(other)).map(({ what }) => what)).toEqual([
      "Index reprise_attempt_id of reprise_attempt is missing.",
    ]);
    expect(await other.schema?.migrate()).toHaveLength(1);
    expect(await differences(other)).toEqual([]);
    await other.close();
  });

  test("its statements create what it calls sound", async () => {
    const empty = await createDatabase();
    for (const statement of ledger.schema?.statements() ?? []) await empty.query(statement);
    const other = mysqlLedger({ pool: empty.pool() });
    expect(await differences(other)).toEqual([]);
    await other.close();
    await empty.drop();
  });
});

describe("a file of SQLite", () => {
  const directory = mkdtempSync(join(tmpdir(), "reprise-schema-"));
  const path = join(directory, "ledger.db");
  const ledger = sqliteLedger({ path });
  const run = async (statement: string) => {
    const connection = (await loadDriver())(path);
    connection.exec(statement);
    connection.close();
  };
  beforeAll(() => ledger.schema?.migrate());
  afterAll(async () => {
    await ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each([
    ["drop table reprise_attempt", "Table reprise_attempt is missing."],
    ["drop index reprise_work_keep", "Index reprise_work_keep of reprise_work is missing."],
    ["alter table reprise_work drop column why", "Column why of reprise_work is missing."],
    [
      "drop index reprise_work_live; create index reprise_work_live on reprise_work (created_at)",
      `Index reprise_work_live of reprise_work is "(created_at)", not "(created_at) where state in ('o', 'r', 'u')".`,
    ],
    ["delete from reprise_meta where name = 'schema'", "The version of the tables is not written down."],
  ])("%s is told, and mended", (planted, what) => expectMended(ledger, run, planted, what));

  test("a column of another type is told, and that no statement changes it", async () => {
    await run("alter table reprise_effect drop column answer; alter table reprise_effect add column answer blob");
    const what = 'Column answer of reprise_effect is "blob", not "text".';
    expect(await differences(ledger)).toEqual([{ what, mend: [] }]);
  });

  test("opening adds a column that came later, behind the rows that are there", async () => {
    const [, work] = tables;
    if (work === undefined) throw new Error("no table of works");
    const later = { ...work, later: { since: "text", times: "integer not null default 0" } };
    const connection = (await loadDriver())(join(directory, "later.db"));
    for (const text of statements.create(work)) connection.exec(text);
    connection.run("insert into reprise_work (name, state, created_at) values ('a', 'd', 1)", []);
    const missing = compare([later], liveTables(connection), statements);
    expect(missing.map(({ creates }) => creates)).toEqual(["column", "column"]);
    for (const { mend } of missing) for (const text of mend) connection.exec(text);
    expect(connection.all("select since, times from reprise_work", [])).toEqual([{ since: null, times: 0 }]);
    expect(compare([later], liveTables(connection), statements)).toEqual([]);
    // and a table that is created today has them too
    const fresh = (await loadDriver())(join(directory, "fresh.db"));
    for (const text of statements.create(later)) fresh.exec(text);
    expect(compare([later], liveTables(fresh), statements)).toEqual([]);
    for (const one of [connection, fresh]) one.close();
  });
});

describe("a Redis", () => {
  test("that may evict and writes nothing down is told both, with the commands that mend them", async (context) => {
    const missing = noRedisHere();
    if (missing !== undefined) context.skip(missing);
    const server = await startRedis();
    const client = new Redis(server.url);
    const ledger = redisLedger({ client });
    expect(await differences(ledger)).toEqual([]);
    const set = (name: string, value: string) => client.config("SET", name, value);
    await set("maxmemory", "100mb");
    await set("maxmemory-policy", "allkeys-lru");
    await set("appendonly", "no");
    await set("save", "");
    const found = await differences(ledger);
    expect(found.map(({ mend }) => mend)).toEqual([
      ["CONFIG SET maxmemory-policy noeviction"],
      ["CONFIG SET appendonly yes"],
    ]);
    for (const { mend } of found) for (const command of mend) await client.call(...split(command));
    expect(await differences(ledger)).toEqual([]);
    expect(ledger.schema?.statements()).toEqual([]);
    await ledger.close();
    client.disconnect();
    await server.stop();
  });
});

function split(command: string): [string, ...string[]] {
  const [first = "", ...rest] = command.split(" ");
  return [first, ...rest];
}
