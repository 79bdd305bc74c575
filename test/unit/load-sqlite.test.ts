import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { createReprise, type LoadResult } from "../../src/index.ts";
import type { LoadDeclaration } from "../../src/load/declaration.ts";
import { rebuild } from "../../src/load/sqlite/rebuild.ts";
import { loadDriver } from "../../src/stores/sqlite/driver.ts";
import { sqliteLedger } from "../../src/stores/sqlite/index.ts";

/** What SQLite does that no other database does. What every database does is in the loads' suite. */

const base: LoadDeclaration = {
  ...{ name: "facts", from: "staging", into: "fact", identity: ["ref"], newer: "version" },
  ...{ ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse", ifSourceLost: "keep", windows: "whole" },
};

describe("loads on SQLite", () => {
  const directory = mkdtempSync(join(tmpdir(), "reprise-load-"));
  const ledger = sqliteLedger({ path: join(directory, "ledger.db") });
  afterAll(async () => {
    await ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const query = (text: string) => ledger.transaction((tx) => tx.query(text));
  const tables = async (staging: string, fact: string): Promise<void> => {
    await query(`create table staging ${staging}`);
    await query(`create table fact ${fact}`);
  };
  const loadIn = (answers: Partial<LoadDeclaration> = {}) =>
    // declarations of this file are data
    createReprise({ service: "test", undecided: "listed", ledger }).load({ ...base, ...answers } as never);
  /** What the printed query lists. */
  const listedOf = async (result: LoadResult) => {
    const list = result.status === "refused" ? result.because[0]?.list : undefined;
    return typeof list === "string" ? query(list) : [];
  };
  beforeEach(async () => {
    for (const table of ["staging", "fact", "reprise_register"]) {
      await query(table.startsWith("reprise") ? `delete from ${table}` : `drop table if exists ${table}`).catch(
        () => [],
      );
    }
  });

  test("keys that a collation equates are one key: in the search for repeated ones, in the join, and to the constraint", async () => {
    const columns = "version integer not null, note text";
    await tables(`(ref text, ${columns})`, `(ref text not null unique collate nocase, ${columns})`);
    await query("insert into fact values ('A', 1, 'old')");
    await query("insert into staging values ('a', 2, 'new'), ('b', 1, null)");
    const load = loadIn();
    expect(await load.preview()).toMatchObject({ read: 2, inserted: 1, updated: 1 });
    expect(await load.run()).toMatchObject({ read: 2, inserted: 1, updated: 1 });
    expect(await load.run()).toMatchObject({ unchanged: 2 });
    expect(await load.reconcile()).toMatchObject({ equal: true });
    expect((await query("select ref from fact order by ref")).map(({ ref }) => ref)).toEqual(["A", "b"]);
    await query("insert into staging values ('B', 3, 'twice')");
    const refused = await load.run();
    expect(refused).toMatchObject({ because: [{ what: "source-repeats-key", keys: 1, rows: 2 }] });
    expect(await listedOf(refused)).toEqual([{ ref: expect.stringMatching(/^b$/i), "count(*)": 2 }]);
    const newest = loadIn({ ifSourceRepeatsKey: "newest", windows: { rows: 1 } });
    expect(await newest.run()).toMatchObject({ read: 3, updated: 1, duplicates: 1, unchanged: 1 });
  });

  test("compares values as the table turns them: numbers in a text column, text in one of numbers", async () => {
    await tables("(ref, version, note)", "(ref text not null unique, version integer not null, note text)");
    await query("insert into staging values (5, '1', 7), ('6', 1, 'x')");
    const load = loadIn();
    expect(await load.run()).toMatchObject({ inserted: 2 });
    expect(await query("select typeof(ref) as r, typeof(version) as v, typeof(note) as n from fact")).toEqual([
      { r: "text", v: "integer", n: "text" },
      { r: "text", v: "integer", n: "text" },
    ]);
    expect(await load.run()).toMatchObject({ unchanged: 2 });
    // to the source they are two keys, to the table one
    await query("insert into staging values ('5', 1, 7)");
    const refused = await load.run();
    expect(refused).toMatchObject({ because: [{ what: "source-repeats-key", keys: 1, rows: 2 }] });
    expect(await listedOf(refused)).toEqual([{ ref: "5", "count(*)": 2 }]);
  });

  test("the newest row of a key is the newest to the table, whatever type its version has in the source", async () => {
    await tables("(ref text, version, note text)", "(ref text not null unique, version integer not null, note text)");
    await query("insert into staging values ('a', '9', 'old'), ('a', '10', 'new')");
    const load = loadIn({ ifSourceRepeatsKey: "newest" });
    expect(await load.run()).toMatchObject({ read: 2, inserted: 1, duplicates: 1 });
    expect(await query("select version, note from fact")).toEqual([{ version: 10, note: "new" }]);
    expect(await load.reconcile()).toMatchObject({ equal: true });
  });

  test("a day without a clock belongs to the range that begins with it", async () => {
    const columns = "(ref text not null unique, version integer not null, at datetime)";
    await tables(columns, columns);
    await query(
      "insert into staging values ('a', 1, '2026-02-01'), ('b', 1, '2026-02-01 00:00:00'), ('c', 1, '2026-01-31T23:00:00Z')",
    );
    const load = loadIn({ windows: { by: "at", each: "1mo" } });
    expect(await load.run({ to: "2026-02" })).toMatchObject({ read: 1, inserted: 1 });
    expect(await load.run({ from: "2026-02" })).toMatchObject({ read: 2, inserted: 2 });
  });

  test("takes a row's own number for a key where it is declared, and leaves it alone where it is not", async () => {
    const columns = "ref text not null, version integer not null";
    await tables(`(id integer, ${columns})`, `(id integer primary key, ${columns}, unique (ref))`);
    await query("insert into staging values (70, 'a', 1), (71, 'b', 1), (null, 'c', 1)");
    expect(await loadIn().run()).toMatchObject({ read: 3, inserted: 3 });
    expect(await query("select max(id) as id from fact")).toEqual([{ id: 3 }]);
    await query("delete from fact");
    expect(await loadIn({ name: "by id", identity: ["id"] }).run()).toMatchObject({ inserted: 2, keyless: 1 });
    expect(await query("select id from fact order by id")).toEqual([{ id: 70 }, { id: 71 }]);
  });

  test("windows of rows are smaller than declared, and others have their turn between and inside windows", async () => {
    // rows so long that a part of a window takes longer than calls may follow each other
    const columns = "(ref integer not null primary key, version integer not null, note text)";
    await tables(columns, columns);
    await query(`with recursive seq (n) as (select 1 union all select n + 1 from seq where n < 50000)
      insert into staging select n, 1, hex(zeroblob(400)) || n from seq`);
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    const result = await loadIn({ windows: { rows: 50_000 } }).run();
    clearInterval(timer);
    if (result.status !== "done") throw new Error(`the run is ${JSON.stringify(result)}`);
    expect(result.inserted).toBe(50_000);
    expect(result.windows.of).toBeGreaterThanOrEqual(4);
    expect(turns).toBeGreaterThan(result.windows.of);
  });

  test("makes a table anew with everything else of its text as it was written", () => {
    const target = {
      ...{
        table: { schema: "main", name: "t" },
        keys: [],
        isPartitioned: false,
        dependents: ["create index i on t (b)"],
      },
      ...{ row: ["rowid"], columns: [] },
      sql: `CREATE TABLE "t" (a text, -- not (b,
        "b" text default 'x, (y' check (b in ('1', '2')) -- the end
        , [c] int, primary key (a, b)) without rowid`,
    };
    const [, , create] = rebuild(target, ["b"], (definition) => `${definition.trimEnd()}\n not null`);
    expect(create).toBe(`create table "main"."t_reprise" (a text, -- not (b,
        "b" text default 'x, (y' check (b in ('1', '2')) -- the end
 not null, [c] int, primary key (a, b)) without rowid`);
  });

  test("refuses a name, a list and a limit that are none, before anything happens", async () => {
    const load = loadIn({ into: "nowhere" });
    const invalid = { code: "REPRISE_INPUT_INVALID" };
    for (const run of ["", 5, null])
      await expect(load.run({ run } as never), String(run)).rejects.toMatchObject(invalid);
    for (const count of [-1, 1.5, Number.NaN, "7"]) {
      await expect(load.reconcile({ list: count as never }), String(count)).rejects.toMatchObject(invalid);
      await expect(load.runs(count as never), String(count)).rejects.toMatchObject(invalid);
    }
    await expect(load.runs(0)).rejects.toMatchObject(invalid);
    expect(await load.reconcile({ list: 0 })).toMatchObject({ status: "refused" });
    expect(await load.runs(1)).toEqual([]);
  });

  test("a table that is made anew keeps the rows that reference it, its triggers, and the views that name it", async () => {
    await query("create table staging (ref text, version integer)");
    await query("create table fact (ref text not null unique, version integer, above text references fact (ref))");
    const made = [
      "create table child (ref text not null references fact (ref) on delete cascade)",
      "create table written (what text)",
      "create view seen as select ref from fact",
      "create view seen_of_seen as select ref from seen",
      "create trigger fact_written after insert on fact begin insert into written values (new.ref); end",
      "create trigger child_written after insert on child begin insert into written select ref from fact; end",
      "create index fact_version on fact (version)",
    ];
    for (const statement of made) await query(statement);
    await query("insert into fact values ('a', 1, null), ('b', 1, 'a')");
    await query("insert into child values ('a'), ('b')");
    await query("delete from written");
    const schema = "select type, name, sql from sqlite_schema where name <> 'fact' and sql is not null order by name";
    const before = await query(schema);
    const refused = await loadIn().run();
    if (refused.status !== "refused") throw new Error("the version may be null");
    expect(refused.because).toMatchObject([{ what: "version-nullable" }]);

    const byHand = (await loadDriver())(join(directory, "ledger.db"));
    byHand.exec("pragma foreign_keys = on");
    for (const statement of refused.because[0]?.mend ?? []) expect(byHand.query(statement, [])).toEqual([]);
    expect(byHand.query("pragma foreign_keys", [])).toEqual([{ foreign_keys: 1 }]);
    expect(() => byHand.exec("insert into child values ('nowhere')")).toThrow(/FOREIGN KEY/);
    byHand.close();
    expect(await query("select ref from child order by ref")).toEqual([{ ref: "a" }, { ref: "b" }]);
    expect(await query("select ref from seen_of_seen order by ref")).toEqual([{ ref: "a" }, { ref: "b" }]);
    expect(await query(schema)).toEqual(before);
    expect(await query("select what from written")).toEqual([]);
    await query("insert into staging values ('c', 1)");
    expect(await loadIn().run()).toMatchObject({ inserted: 1 });
    expect(await query("select what from written")).toEqual([{ what: "c" }]);
    for (const name of ["seen_of_seen", "seen"]) await query(`drop view ${name}`);
    for (const name of ["child", "written"]) await query(`drop table ${name}`);
  });
});
