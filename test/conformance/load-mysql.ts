import type { PoolConnection } from "mysql2/promise";
import type { Ledger } from "../../src/contract/ledger.ts";
import type { Transactions } from "../../src/contract/transactions.ts";
import { mysqlLedger } from "../../src/stores/mysql/index.ts";
import { createDatabase, mysqlTransactions } from "../support/mysql.ts";
import type { Fact, LoadStage, WrongSituation } from "./load-stage.ts";

/** `mapper`: windows in transactions of somebody else's, at the server's REPEATABLE READ. */
export async function mysqlLoadStage(mapper: boolean): Promise<LoadStage> {
  const database = await createDatabase();
  const { query } = database;
  const pool = database.pool({ connectionLimit: 30 });
  const ledgers: Ledger<unknown>[] = [];
  const open = async (): Promise<Ledger<unknown>> => {
    const transactions: Transactions<PoolConnection> = mysqlTransactions(pool);
    const made: Ledger<unknown> = mapper
      ? mysqlLedger({ pool, transactions, wait: "60s", deadline: "60s" })
      : mysqlLedger({ pool, wait: "60s", deadline: "60s" });
    ledgers.push(made);
    await made.open();
    return made;
  };
  await open();
  const [staging, fact] = [`${database.name}.\`Staging of "days"\``, `${database.name}.fact`];
  const columns = "ref varchar(40), day date, version int, amount decimal(12, 2), note varchar(200)";

  return {
    name: mapper ? "mysql, in a mapper's transactions" : "mysql",
    writesAtOnce: true,
    staging,
    fact,
    ledger: open,
    reset: async () => {
      await query("drop view if exists seen");
      await query(`drop table if exists ${staging}, fact`);
      await query(`create table ${staging} (${columns}, delivery int)`);
      await query(`create table fact (id bigint not null auto_increment primary key,
        ref varchar(40) not null, day date not null, version int not null, amount decimal(12, 2), note varchar(200),
        lost_at datetime(6), touched timestamp(6) not null default current_timestamp(6) on update current_timestamp(6),
        unique key natural_key (ref, day))`);
      for (const table of ["register", "lease"]) await query(`delete from reprise_${table}`);
    },
    execute: (statement) => query(statement),
    stage: async (rows) => {
      const values = rows.map((row) => [row.ref, row.day, row.version, row.amount, row.note, row.delivery ?? null]);
      if (values.length > 0) await query(`insert into ${staging} values ?`, [values]);
    },
    clearStaging: async () => {
      await query(`delete from ${staging}`);
    },
    facts: async () => {
      const rows = await query(`select ref, cast(day as char) as day, version, cast(amount as char) as amount, note,
        lost_at is not null as lost from fact order by ref, day`);
      return rows.map((row) => ({ ...row, lost: row["lost"] === 1 }) as Fact);
    },
    trace: async () => {
      const rows = await query("select * from fact order by 1");
      const [next] = await query(
        "select auto_increment as n from information_schema.tables where table_schema = database() and table_name = 'fact'",
      );
      return JSON.stringify([rows, next?.["n"]]);
    },
    endLeases: async () => {
      await query("update reprise_lease set lease_until = 1 where attempt is not null");
    },
    wrong: wrongSituations(staging, database.name),
    drop: async () => {
      for (const ledger of ledgers) await ledger.close();
      await database.drop();
    },
  };
}

function wrongSituations(staging: string, database: string): readonly WrongSituation[] {
  const dropKey = "alter table fact drop key natural_key";
  const twice = `insert into fact (ref, day, version, note) values
    ('twice', '2026-01-01', 1, 'old'), ('twice', '2026-01-01', 2, 'new')`;
  const isMended = true;
  return [
    { name: "no unique key, and duplicates", prepare: [dropKey, twice], what: "key-missing", isMended },
    {
      name: "no unique key, duplicates, and nothing else that tells rows apart",
      prepare: [dropKey, "alter table fact drop column id", twice],
      ...{ what: "key-missing", isMended },
    },
    {
      name: "no unique key, duplicates, and numbers whose key is not unique",
      prepare: [dropKey, "alter table fact drop primary key, add key (id)", ...[twice, "update fact set id = 7"]],
      ...{ what: "key-missing", isMended },
    },
    {
      name: "a unique key over the beginning of a column",
      prepare: [dropKey, "alter table fact add unique key short (ref(10), day)"],
      ...{ what: "key-expression", isMended },
    },
    {
      name: "a second unique key, whose rows would be updated silently",
      prepare: ["alter table fact add unique key second (note)"],
      ...{ what: "second-key", isMended },
    },
    {
      name: "an identity that may be null",
      prepare: ["alter table fact modify day date null"],
      ...{ what: "key-nullable", isMended },
    },
    {
      name: "a version that may be null",
      prepare: ["alter table fact modify version int null"],
      ...{ what: "version-nullable", isMended },
    },
    {
      name: "a version that the table lacks",
      prepare: ["alter table fact drop column version"],
      // what the column is for the rows that are there, somebody must say
      ...{ what: "column-missing", isMended, afterwards: ["alter table fact modify version int not null"] },
    },
    {
      name: "an identity that the source lacks",
      prepare: [`alter table ${staging} drop column ref`],
      ...{ what: "column-missing", isMended: false },
    },
    {
      name: "a text that becomes a number",
      prepare: ["alter table fact modify note int"],
      ...{ what: "type-mismatch", isMended: false },
    },
    {
      name: "a number that would be rounded",
      prepare: [`alter table ${staging} modify amount decimal(12, 4)`],
      ...{ what: "type-mismatch", isMended: false },
    },
    {
      name: "an instant by the session's clock",
      prepare: [
        `alter table ${staging} drop column note, add note datetime`,
        "alter table fact drop column note, add note timestamp null",
      ],
      declaration: { columns: ["note"] },
      ...{ what: "type-mismatch", isMended: false },
    },
    {
      name: "values that cannot be compared",
      prepare: [
        `alter table ${staging} drop column note, add note point`,
        "alter table fact drop column note, add note point",
      ],
      ...{ what: "type-mismatch", isMended: false },
    },
    {
      name: "a column that nothing fills",
      prepare: ["alter table fact add column region varchar(10) not null"],
      ...{ what: "column-unfilled", isMended },
    },
    {
      name: "a table without transactions",
      prepare: ["alter table fact engine = MyISAM"],
      ...{ what: "table-unsafe", isMended },
    },
    {
      name: "a mark that is not there",
      prepare: [],
      declaration: { ifSourceLost: { mark: "gone_at", atMost: "1%" } },
      ...{ what: "mark-unfit", isMended },
    },
    {
      name: "windows of a text",
      prepare: [],
      declaration: { windows: { by: "note", each: "1mo" } },
      ...{ what: "window-column-unfit", isMended: false },
    },
    {
      name: "too many windows",
      prepare: [`insert into ${staging} values ('far', '9999-12-31', 1, 1, null, null)`],
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
      declaration: { into: `${database}.nowhere` },
      ...{ what: "table-missing", isMended: false },
    },
    {
      name: "a view in the place of the table",
      prepare: ["create or replace view seen as select * from fact"],
      declaration: { into: `${database}.seen` },
      ...{ what: "table-missing", isMended: false },
    },
  ];
}
