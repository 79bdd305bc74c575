import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { defaults } from "../../src/base/defaults.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { postgresDialect } from "../../src/load/postgres/dialect.ts";
import { postgresLoadStage } from "../conformance/load-postgres.ts";
import type { Answers } from "../conformance/load-stage.ts";
import { countsOf, done, type LoadStage, loadOn, manyRows, row } from "../conformance/load-stage.ts";
import { cannotRunHere } from "../support/environment.ts";
import { postgresVersion } from "../support/postgres.ts";

/** What PostgreSQL alone has: partitions, collations, types of texts, and statements that see a source change. */

const found = await postgresVersion();
let stage: LoadStage;
beforeAll(async () => {
  if (found !== undefined) stage = await postgresLoadStage();
});
beforeEach(async (context) => {
  if (found === undefined) context.skip(`${cannotRunHere}no PostgreSQL answers`);
  await stage.reset();
});
afterAll(() => stage?.drop());

/** A table of another make in the place of the facts. */
const remake = async (...statements: readonly string[]) => {
  for (const statement of statements) await stage.execute(statement);
};
const everyWay: readonly Answers[] = [
  { windows: "whole" },
  { windows: { rows: 5 } },
  { windows: { by: "day", each: "1mo" } },
];
const loadedAndAgain = async (answers: Answers) => {
  const load = await loadOn(stage, answers);
  const [first, again] = [countsOf(await load.run()), countsOf(await load.run())];
  expect(await load.reconcile()).toMatchObject({ equal: true });
  return [first, again];
};

test("partitions are loaded, and what was inserted and updated is told apart", async () => {
  await stage.stage(manyRows(30));
  for (const answers of everyWay) {
    await remake(
      `drop table ${stage.fact} cascade`,
      `create table ${stage.fact} (ref text not null, day date not null, version int not null, amount numeric(12, 2), note text,
        lost_at timestamptz, unique (ref, day)) partition by range (day)`,
      `create table ${stage.fact}_1 partition of ${stage.fact} for values from ('2026-01-01') to ('2026-04-01')`,
      `create table ${stage.fact}_2 partition of ${stage.fact} for values from ('2026-04-01') to ('2027-01-01')`,
      `insert into ${stage.fact} (ref, day, version) values ('ref-00000', '2026-01-01', 0)`,
    );
    expect(await loadedAndAgain(answers)).toEqual([
      { read: 30, inserted: 29, updated: 1 },
      { read: 30, unchanged: 30 },
    ]);
  }
});

test("keys that source and table sort otherwise are met all the same", async () => {
  const odd = ["a", "B", "c", "D", "-e", "F", "ä", "z", "Z", "10", "9", "_"];
  await stage.stage(odd.map((ref, index) => row(ref, "2026-01-01", index)));
  await remake(`alter table ${stage.fact} alter column ref type varchar(9) collate "C"`);
  for (const answers of everyWay) {
    await stage.execute(`delete from ${stage.fact}`);
    expect(await loadedAndAgain({ ...answers, ifSourceLost: { mark: "lost_at", atMost: "100%" } })).toEqual([
      { read: 12, inserted: 12 },
      { read: 12, unchanged: 12 },
    ]);
  }
});

test("values of other types are compared as the table holds them", async () => {
  await stage.stage(manyRows(10));
  await remake(
    `alter table ${stage.fact} alter column note type varchar(20), alter column version type bigint, alter column ref type char(12)`,
    `alter table ${stage.staging} alter column amount type int using 7`,
  );
  expect(await loadedAndAgain({ windows: "whole" })).toEqual([
    { read: 10, inserted: 10 },
    { read: 10, unchanged: 10 },
  ]);
});

test("a text that is too long for its column fails as an insert does, and is never cut short", async () => {
  await stage.stage([row("a", "2026-01-01", 1, "1.00", "much longer than five")]);
  await remake(`alter table ${stage.fact} alter column note type varchar(5)`);
  await expect((await loadOn(stage)).run()).rejects.toMatchObject({ code: "22001" });
  expect(await stage.facts()).toEqual([]);
});

test("blanks behind the length of a column are what an insert cuts off, so that they are no difference", async () => {
  const load = await loadOn(stage, { windows: "whole" });
  await remake(`alter table ${stage.fact} alter column ref type varchar(3), alter column note type varchar(5)`);
  await stage.stage([row("abc  ", "2026-01-01", 1, "1.00", "five    "), row("a ", "2026-01-01", 1, "1.00", "b ")]);
  expect(countsOf(await load.run())).toEqual({ read: 2, inserted: 2 });
  expect((await stage.facts()).map(({ ref, note }) => [ref, note])).toEqual([
    ["a ", "b "],
    ["abc", "five "],
  ]);
  expect(await load.reconcile()).toMatchObject({ equal: true });
  expect(countsOf(await load.run())).toEqual({ read: 2, unchanged: 2 });
  await stage.stage([row("abc", "2026-01-01", 1)]);
  expect(await load.run()).toMatchObject({ because: [{ what: "source-repeats-key", keys: 1, rows: 2 }] });
});

test("texts of an array are loaded into an array of shorter ones, and those that are too long fail", async () => {
  await remake(
    `alter table ${stage.staging} add column tags varchar(20)[]`,
    `alter table ${stage.fact} add column tags varchar(3)[]`,
  );
  await stage.stage(manyRows(3));
  await stage.execute(`update ${stage.staging} set tags = array['a', 'b,c']`);
  const loaded = [
    { read: 3, inserted: 3 },
    { read: 3, unchanged: 3 },
  ];
  expect(await loadedAndAgain({ windows: "whole" })).toEqual(loaded);
  await stage.execute(`update ${stage.staging} set version = 2, tags = array['long']`);
  await expect((await loadOn(stage)).run()).rejects.toMatchObject({ code: "22001" });
});

test("values that the table would round are refused, whatever hides it: a query, an array, a domain", async () => {
  const [domain, name] = [`${stage.fact}_money`, "loses-value"];
  await remake(
    `drop domain if exists ${domain}`,
    `create domain ${domain} as numeric(12, 2)`,
    `alter table ${stage.staging} add column list numeric(12, 4)[], add column at timestamp`,
    `alter table ${stage.fact} add column list numeric(12, 2)[], add column at timestamp(0)`,
  );
  await stage.stage(manyRows(3));
  const columns = (rest: string) => ({ from: { query: `select ref, day, version, ${rest} from ${stage.staging}` } });
  const rounding = ["1.239 as amount", "array[1.239] as list", "timestamp '2026-01-01 00:00:00.5' as at"];
  for (const one of rounding) {
    const refused = await (await loadOn(stage, { name: one, ...columns(one) })).run();
    expect(refused, one).toMatchObject({ because: [{ what: "type-mismatch", is: name }] });
    if (refused.status === "refused") await stage.execute(String(refused.because[0]?.list));
  }
  const whole = "1.23 as amount, array[1.2] as list, timestamp(0) '2026-01-01' as at";
  expect(await (await loadOn(stage, { name: "whole", ...columns(whole) })).run()).toMatchObject({ inserted: 3 });
  expect(await (await loadOn(stage, { columns: ["list"] })).run()).toMatchObject({
    because: [{ what: "type-mismatch", is: name, to: "numeric(12,2)[]" }],
  });
  await remake(
    `alter table ${stage.fact} alter column amount type ${domain}`,
    `alter table ${stage.staging} alter column amount type numeric(12, 4)`,
  );
  expect(await (await loadOn(stage, { columns: ["amount"] })).run()).toMatchObject({
    because: [{ what: "type-mismatch", is: name, to: "numeric(12,2)" }],
  });
  await remake(`drop table ${stage.fact} cascade`, `drop domain ${domain}`);
});

test("keys are met as the table's collation compares, and another spelling of a content is a change", async () => {
  const collation = `${stage.fact}_folded`;
  await remake(
    `create collation ${collation} (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    `alter table ${stage.fact} alter column ref type text collate ${collation}, alter column note type text collate ${collation}`,
    `alter table ${stage.staging} alter column ref type text collate "C", add unique (ref, day), alter column ref set not null, alter column day set not null`,
    `insert into ${stage.fact} (ref, day, version, amount, note) values ('A', '2026-01-01', 1, 1, 'NOTE')`,
  );
  await stage.stage([row("a", "2026-01-01", 2, "1.00", "note"), row("b", "2026-01-01", 1)]);
  const load = await loadOn(stage);
  expect(await load.preview()).toMatchObject({ inserted: 1, updated: 1 });
  expect(countsOf(await load.run())).toEqual({ read: 2, inserted: 1, updated: 1 });
  expect(await load.reconcile()).toMatchObject({ equal: true });
  await stage.execute(`update ${stage.staging} set note = 'Note' where ref = 'a'`);
  expect(countsOf(await load.run())).toEqual({ read: 2, unchanged: 1, tied: 1 });
  expect(await load.reconcile()).toMatchObject({ equal: false, differing: 1 });
  // to the source they are two keys, to the table one
  await stage.stage([row("B", "2026-01-01", 2)]);
  expect(await load.run()).toMatchObject({ because: [{ what: "source-repeats-key", keys: 1, rows: 2 }] });
  await remake(`drop table ${stage.fact} cascade`, `drop collation ${collation}`);
});

test("an instant that depends on a session's time zone is refused", async () => {
  await remake(
    `alter table ${stage.staging} add column seen timestamp`,
    `alter table ${stage.fact} add column seen timestamptz`,
  );
  await stage.stage(manyRows(1));
  expect(await (await loadOn(stage)).run()).toMatchObject({
    because: [{ what: "type-mismatch", is: "depends-on-session", from: "timestamp without time zone" }],
  });
});

test("windows of instants and of whole numbers are cut where a calendar and multiples say", async () => {
  await remake(
    `alter table ${stage.staging} add column at timestamptz, add column number bigint`,
    `alter table ${stage.fact} add column at timestamptz, add column number bigint`,
  );
  await stage.stage(manyRows(24));
  await remake(`update ${stage.staging} set at = day::timestamp at time zone 'UTC', number = substr(ref, 5)::int - 12`);
  expect(done(await (await loadOn(stage, { windows: { by: "at", each: "2mo" } })).run())).toMatchObject({
    read: 24,
    windows: { of: 3 },
  });
  const numbered = await loadOn(stage, { windows: { by: "number", each: 10 } });
  expect(done(await numbered.run())).toMatchObject({ read: 24, windows: { of: 4 } });
  expect(done(await numbered.run({ from: 0, to: 5 }))).toMatchObject({ read: 5, windows: { of: 1 } });
  await remake(`update ${stage.staging} set at = 'infinity' where ref = 'ref-00001'`);
  expect(done(await (await loadOn(stage, { windows: { by: "at", each: "2mo" } })).run())).toMatchObject({ read: 24 });
});

test("a key that the source comes to repeat while it is read is refused then, and what was committed stays", async () => {
  await stage.stage(manyRows(30, 2));
  const load = await loadOn(stage);
  let windows = 0;
  const ledger = await stage.ledger();
  const { sql } = ledger;
  if (sql === undefined) throw new Error("it has no database");
  const changing: Ledger<unknown> = {
    ...ledger,
    sql: {
      ...sql,
      begin: async (work, statementMs) => {
        windows += 1;
        // the first looks, the second begins the run, the others load
        if (windows === 5) await stage.execute(`insert into ${stage.staging} select * from ${stage.staging}`);
        return sql.begin(work, statementMs);
      },
    },
  };
  const result = await (await loadOn(stage, {}, changing)).run();
  expect(result).toMatchObject({ status: "refused", because: [{ what: "source-repeats-key", keys: 30 }] });
  expect((await stage.facts()).length).toBe(10);
  await remake(`delete from ${stage.staging} a using ${stage.staging} b where a.ctid > b.ctid and a.ref = b.ref`);
  expect(await load.run()).toMatchObject({ read: 30, inserted: 30, windows: { skipped: 2, done: 4 } });
});

test("a key that is dropped while a run goes on is refused by the next window, and what was committed stays", async () => {
  await stage.stage(manyRows(30, 2));
  const ledger = await stage.ledger();
  const { sql } = ledger;
  if (sql === undefined) throw new Error("it has no database");
  let transactions = 0;
  const changing: Ledger<unknown> = {
    ...ledger,
    sql: {
      ...sql,
      begin: async (work, statementMs) => {
        transactions += 1;
        if (transactions === 5) await stage.execute(`alter table ${stage.fact} drop constraint natural_key`);
        return sql.begin(work, statementMs);
      },
    },
  };
  const result = await (await loadOn(stage, {}, changing)).run();
  expect(result).toMatchObject({ status: "refused", because: [{ what: "key-missing" }] });
  expect((await stage.facts()).length).toBe(10);
});

test("no value of a row is in what a refusal tells", async () => {
  await stage.stage([row("secret", "2026-01-01", 1), row("secret", "2026-01-01", 1)]);
  const result = await (await loadOn(stage)).run();
  expect(JSON.stringify(result)).not.toContain("secret");
});

test("conflicts are what repeating may end, and nothing else is", () => {
  for (const code of ["40001", "40P01", "23505", "55P03"]) expect(postgresDialect.isConflict({ code })).toBe(true);
  for (const code of ["23503", "42601", "22001", undefined]) expect(postgresDialect.isConflict({ code })).toBe(false);
});

test("a source whose name this library's own statements might use is loaded and reconciled", async () => {
  await stage.stage(manyRows(10));
  for (const name of ["src", "cmp", "met", "found", "written", "gone"]) {
    // found by the connection, without a schema
    await remake(`drop table if exists public.${name}`, `create table public.${name} as table ${stage.staging}`);
    try {
      await stage.execute(`delete from ${stage.fact}`);
      for (const from of [name, { query: `select * from ${name}` }]) {
        const load = await loadOn(stage, { from, ifSourceLost: { mark: "lost_at", atMost: "100%" } });
        expect(await load.run()).toMatchObject({ read: 10, lost: 0 });
        await stage.execute(`insert into ${stage.fact} (ref, day, version) values ('extra', '2026-01-01', 1)`);
        expect(await load.reconcile()).toMatchObject({ missing: 0, differing: 0, extra: 1 });
        await stage.execute(`delete from ${stage.fact} where ref = 'extra'`);
      }
    } finally {
      await stage.execute(`drop table public.${name}`);
    }
  }
});

test("a row that meets another in a second unique key fails soon, for repeating it changes nothing", async () => {
  await stage.stage(manyRows(3));
  await remake(
    `alter table ${stage.fact} add constraint other_key unique (note)`,
    `insert into ${stage.fact} (ref, day, version, note) values ('other', '2026-01-01', 1, 'note 1')`,
  );
  const ledger = await stage.ledger();
  const { sql } = ledger;
  if (sql === undefined) throw new Error("it has no database");
  let transactions = 0;
  const counting: Ledger<unknown> = {
    ...ledger,
    sql: {
      ...sql,
      begin: (work, statementMs) => {
        transactions += 1;
        return sql.begin(work, statementMs);
      },
    },
  };
  const load = await loadOn(stage, { windows: "whole" }, counting);
  await expect(load.run()).rejects.toMatchObject({ code: "23505", constraint: "other_key" });
  // the first looks, the second begins the run
  expect(transactions).toBe(2 + defaults.load.fewAttempts);
});

test("a table that others inherit from is refused, for its key does not hold for their rows", async () => {
  await stage.stage(manyRows(3));
  await remake(`create table ${stage.fact}_old () inherits (${stage.fact})`);
  const load = await loadOn(stage);
  expect(await load.run()).toMatchObject({ status: "refused", because: [{ what: "table-unsafe" }] });
  await remake(`drop table ${stage.fact}_old`);
  expect(countsOf(await load.run())).toEqual({ read: 3, inserted: 3 });
});

test("a key of a source that others inherit from does not forbid that they repeat it", async () => {
  await stage.stage(manyRows(3));
  const old = stage.fact.replace("fact", "staging_old");
  await remake(
    `alter table ${stage.staging} add primary key (ref, day)`,
    `create table ${old} () inherits (${stage.staging})`,
    `insert into ${old} select * from only ${stage.staging}`,
  );
  const refused = { status: "refused", because: [{ what: "source-repeats-key", keys: 3, rows: 6 }] };
  expect(await (await loadOn(stage)).run()).toMatchObject(refused);
  await remake(`drop table ${old}`);
});

test("a column that a sequence fills is written where it is declared, not for its name; one that is always generated is not", async () => {
  await stage.stage(manyRows(3));
  await remake(
    `alter table ${stage.fact} add column line serial, add column place int generated by default as identity`,
    `alter table ${stage.fact} add column made int generated always as (version + 1) stored`,
    `alter table ${stage.staging} add column line int default 70, add column place int default 80, add column made int`,
  );
  const holds = (condition: string) =>
    stage.execute(`do $$ begin
      if (select count(*) from ${stage.fact} where ${condition}) <> 3 then raise exception 'it does not hold'; end if;
    end $$`);
  const loaded = [
    { read: 3, inserted: 3 },
    { read: 3, unchanged: 3 },
  ];
  expect(await loadedAndAgain({ windows: "whole" })).toEqual(loaded);
  await holds("line <> 70 and place <> 80 and made = version + 1");
  await stage.execute(`delete from ${stage.fact}`);
  expect(await loadedAndAgain({ windows: "whole", columns: ["amount", "line", "place"] })).toEqual(loaded);
  await holds("line = 70 and place = 80 and made = version + 1");
});

test("the query that lists repeated keys compares as the table does", async () => {
  await remake(`alter table ${stage.fact} alter column ref type character(10)`);
  await stage.stage([row("a", "2026-01-01", 1), row("a ", "2026-01-01", 1), row("b", "2026-01-01", 1)]);
  const result = await (await loadOn(stage)).run();
  if (result.status !== "refused") throw new Error("the source repeats a key");
  expect(result.because).toMatchObject([{ what: "source-repeats-key", keys: 1, rows: 2 }]);
  const listed = `create table ${stage.fact}_listed (ref text unique, day date, n int check (n = 2))`;
  await remake(listed, `insert into ${stage.fact}_listed ${result.because[0]?.list}`);
  // there is one, so that it cannot be listed again
  await expect(stage.execute(`insert into ${stage.fact}_listed values ('a', null, 2)`)).rejects.toMatchObject({
    code: "23505",
  });
  await remake(`drop table ${stage.fact}_listed`);
});

test("windows of rows are refused where an array is in the key, and no value is told", async () => {
  const columns = "ref text[] not null, version int not null";
  await remake(
    `drop table ${stage.fact}, ${stage.staging} cascade`,
    ...[`${stage.staging} (${columns})`, `${stage.fact} (${columns}, unique (ref))`].map(
      (one) => `create table ${one}`,
    ),
    `insert into ${stage.staging} select array['secret' || n], 1 from generate_series(1, 9) n`,
  );
  const answers = { identity: ["ref"], windows: { rows: 2 } } as const;
  const refused = await (await loadOn(stage, answers)).run();
  expect(refused).toMatchObject({ because: [{ what: "window-column-unfit", column: "ref", type: "text[]" }] });
  expect(JSON.stringify(refused)).not.toContain("secret");
  expect(await (await loadOn(stage, { ...answers, name: "whole", windows: "whole" })).run()).toMatchObject({
    inserted: 9,
  });
});
