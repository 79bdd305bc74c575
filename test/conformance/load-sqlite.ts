import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ledger } from "../../src/contract/ledger.ts";
import { loadDriver } from "../../src/stores/sqlite/driver.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import type { Fact, LoadStage, WrongSituation } from "./load-stage.ts";

/** `shape`: what stands behind the table's columns, such as `strict`. */
export async function sqliteLoadStage(shape: "" | "strict" | "without rowid"): Promise<LoadStage> {
  const directory = mkdtempSync(join(tmpdir(), "reprise-loads-"));
  const ledgers: Ledger<SqliteTransaction>[] = [];
  const open = async (): Promise<Ledger<SqliteTransaction>> => {
    const ledger = sqliteLedger({ path: join(directory, "ledger.db"), busy: "60s" });
    ledgers.push(ledger);
    await ledger.open();
    return ledger;
  };
  const own = await open();
  const query = (text: string, params: readonly (string | number | null)[] = []) =>
    own.transaction((tx) => tx.query(text, params));
  // a person's: what mends a table begins and commits by itself
  const byHand = (await loadDriver())(join(directory, "ledger.db"));
  const staging = 'main."Staging of ""days"""';
  const columns = "ref text, day text, version integer, amount text, note text";
  // the rows' own number where they have one, so that the table of each shape has a key beside the natural one
  const id = shape === "without rowid" ? "id text primary key default (hex(randomblob(8)))" : "id integer primary key";

  return {
    name: `sqlite${shape === "" ? "" : `, ${shape}`}`,
    writesAtOnce: false,
    staging,
    fact: "main.fact",
    ledger: open,
    reset: async () => {
      for (const statement of [
        "drop view if exists seen",
        `drop table if exists ${staging}`,
        "drop table if exists fact",
        "drop table if exists written",
        `create table ${staging} (${columns}, delivery int)`,
        `create table fact (${id}, ref text not null, day text not null, -- the key, with the one above
          version integer not null, amount text, note text, lost_at text, other text default 'a, (b') ${shape}`,
        "create unique index natural_key on fact (ref, day)",
        "create table written (what text)",
        ...["insert", "update", "delete"].map(
          (what) =>
            `create trigger ${what}_written after ${what} on fact begin insert into written values ('${what}'); end`,
        ),
        "delete from reprise_register",
        "delete from reprise_lease",
      ]) {
        await query(statement);
      }
    },
    execute: async (statement) => byHand.query(statement, []),
    stage: async (rows) => {
      await own.transaction(async (tx) => {
        for (const { ref, day, version, amount, note, delivery = null } of rows) {
          await tx.query(`insert into ${staging} values (?, ?, ?, ?, ?, ?)`, [
            ref,
            day,
            version,
            amount,
            note,
            delivery,
          ]);
        }
      });
    },
    clearStaging: async () => {
      await query(`delete from ${staging}`);
    },
    facts: async () => {
      const rows = await query(
        "select ref, day, version, amount, note, lost_at is not null as lost from fact order by ref, day",
      );
      return rows.map((row) => ({ ...row, lost: row["lost"] === 1 }) as unknown as Fact);
    },
    trace: async () =>
      JSON.stringify([await query("select * from fact order by 1"), await query("select count(*) as n from written")]),
    endLeases: async () => {
      await query("update reprise_lease set until = 1 where until is not null");
    },
    wrong: wrongSituations(staging),
    drop: async () => {
      byHand.close();
      for (const ledger of ledgers) await ledger.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function wrongSituations(staging: string): readonly WrongSituation[] {
  const dropKey = "drop index natural_key";
  const twice = `insert into fact (ref, day, version, note) values
    ('twice', '2026-01-01', 1, 'old'), ('twice', '2026-01-01', 2, 'new')`;
  const isMended = true;
  const anew = (columns: string) => ["drop table fact", `create table fact (${columns})`];
  const rest = "version integer not null, amount text, note text, lost_at text";
  return [
    { name: "no unique key, and duplicates", prepare: [dropKey, twice], what: "key-missing", isMended },
    {
      name: "no unique key over columns that may be null",
      prepare: anew(`ref text, "day" text, ${rest}`),
      ...{ what: "key-missing", isMended },
    },
    {
      name: "a unique key over part of the rows",
      prepare: [dropKey, "create unique index part on fact (ref, day) where version > 0"],
      ...{ what: "key-partial", isMended },
    },
    {
      name: "a unique key over part of the rows, under the name that one over all would bear",
      prepare: [dropKey, "create unique index fact_ref_day_key on fact (ref, day) where version > 0"],
      ...{ what: "key-partial", isMended },
    },
    {
      name: "a unique key over an expression",
      prepare: [dropKey, "create unique index folded on fact (lower(ref), day)"],
      ...{ what: "key-expression", isMended },
    },
    {
      name: "a primary key that lets null in",
      prepare: anew(`ref text, day text not null, ${rest}, primary key (ref, day)`),
      ...{ what: "key-nullable", isMended },
    },
    {
      name: "unique keys that compare in different ways",
      prepare: ["create unique index other on fact (ref collate nocase, day)"],
      ...{ what: "table-unsafe", isMended },
    },
    {
      name: "a constraint that loses rows silently",
      prepare: [
        ...anew(`ref text not null, day text not null, version integer not null, amount text,
          note text unique on conflict replace, lost_at text, unique (ref, day)`),
      ],
      ...{ what: "table-unsafe", isMended: false },
    },
    {
      name: "a version that may be null",
      prepare: anew(
        `ref text not null, day text not null, [version] /* , ( */ int, amount text, note text, lost_at text, unique (ref, day)`,
      ),
      ...{ what: "version-nullable", isMended },
    },
    {
      name: "an identity that the source lacks",
      prepare: [`alter table ${staging} drop column ref`],
      ...{ what: "column-missing", isMended: false },
    },
    {
      name: "a text that becomes a number",
      prepare: ["alter table fact drop column note", "alter table fact add column note integer"],
      ...{ what: "type-mismatch", isMended: false },
    },
    {
      name: "a column that nothing fills",
      prepare: anew(`ref text not null, day text not null, ${rest}, region text not null, unique (ref, day)`),
      ...{ what: "column-unfilled", isMended },
    },
    {
      name: "a mark that is not there",
      prepare: [],
      declaration: { ifSourceLost: { mark: "gone_at", atMost: "1%" } },
      ...{ what: "mark-unfit", isMended },
    },
    {
      name: "months of whole numbers",
      prepare: [],
      declaration: { windows: { by: "version", each: "1mo" } },
      ...{ what: "window-column-unfit", isMended: false },
    },
    {
      name: "too many windows",
      prepare: [`insert into ${staging} values ('far', '9999-12-31', 1, '1', null, null)`],
      declaration: { windows: { by: "day", each: "1d" } },
      ...{ what: "windows-too-many", isMended: false, afterwards: [`delete from ${staging} where ref = 'far'`] },
    },
    {
      name: "a key that the source repeats",
      prepare: [`insert into ${staging} select * from ${staging} where ref = 'ref-00001'`],
      ...{ what: "source-repeats-key", isMended: false },
    },
    {
      name: "rows of the source without a version",
      prepare: [`update ${staging} set version = null where ref = 'ref-00001'`],
      ...{ what: "source-lacks-version", isMended: false, afterwards: [`update ${staging} set version = 1`] },
    },
    {
      name: "a table that is not there",
      prepare: [],
      declaration: { into: "main.nowhere" },
      ...{ what: "table-missing", isMended: false },
    },
    {
      name: "a view in the place of the table",
      prepare: ["create view seen as select * from fact"],
      declaration: { into: "main.seen" },
      ...{ what: "table-missing", isMended: false },
    },
  ];
}
