import assert from "node:assert/strict";
import { alone, column, type Gate, gate, identities, type TransactionsScenario } from "./transactions-kit.ts";

export const queryScenarios: readonly TransactionsScenario[] = [
  {
    name: "what the work wrote is committed when it resolves, and its value is returned",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      const value = await begin(async (tx) => {
        await query(tx, table.insert, ["a", 1]);
        await query(tx, table.insert, ["b", 2]);
        return { of: "the work" };
      });
      assert.deepEqual(value, { of: "the work" });
      assert.deepEqual(await identities(stage, table), ["a", "b"]);
    },
  },
  {
    name: "queries and the mapper's own handle share one transaction: each reads what the other wrote",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      const values = await begin(async (tx) => {
        await query(tx, table.insert, ["theirs", 1]);
        await stage.own(tx, `insert into ${table.name} (identity, number) values ('own', 2)`);
        const all = `select identity from ${table.name} order by identity`;
        return {
          own: (await stage.own(tx, all)).map(({ identity }) => identity),
          theirs: column(await query(tx, all, []), "identity"),
          ids: [...(await stage.own(tx, table.idOfTransaction)), ...(await query(tx, table.idOfTransaction, [])).rows],
          outside: await identities(stage, table),
        };
      });
      assert.deepEqual(values.own, ["own", "theirs"]);
      assert.deepEqual(values.theirs, ["own", "theirs"]);
      assert.equal(values.ids.length, 2);
      assert.deepEqual(values.ids[0], values.ids[1]);
      assert.deepEqual(values.outside, []);
      assert.deepEqual(await identities(stage, table), ["own", "theirs"]);
    },
  },
  {
    name: "two transactions at once have a connection each, and neither sees what the other did not commit",
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      /** What one has done before the other goes on. */
      interface Steps {
        readonly wrote: Gate;
        readonly read: Gate;
      }
      const [first, second]: [Steps, Steps] = [
        { wrote: gate(), read: gate() },
        { wrote: gate(), read: gate() },
      ];
      const writing = (identity: string, mine: Steps, other: Steps) =>
        begin(async (tx) => {
          await query(tx, table.insert, [identity, 1]);
          mine.wrote.open();
          await other.wrote.opened;
          const id = column(await query(tx, table.idOfBackend, []), "id")[0];
          const seen = column(await query(tx, `select identity from ${table.name}`, []), "identity");
          mine.read.open();
          await other.read.opened;
          return { id, seen };
        });
      const [a, b] = await Promise.all([writing("a", first, second), writing("b", second, first)]);
      assert.notEqual(a.id, b.id);
      assert.deepEqual([a.seen, b.seen], [["a"], ["b"]]);
      assert.deepEqual(await identities(stage, table), ["a", "b"]);
    },
  },
  {
    name: "a savepoint outlives a failed statement: what came before it stays, what came after it goes",
    needs: ["savepoints"],
    run: async (stage, table) => {
      const { begin, query } = stage.transactions;
      await begin(async (tx) => {
        await query(tx, table.insert, ["before", 1]);
        assert.deepEqual(await query(tx, "savepoint suite", []), { rows: [], count: 0 });
        await query(tx, table.insert, ["inside", 2]);
        await query(tx, table.insert, ["before", 3]).then(
          () => assert.fail("a duplicate was inserted"),
          (error: unknown) => assert.equal(table.codeOf(error), table.codes.duplicate),
        );
        await query(tx, "rollback to savepoint suite", []);
        await query(tx, "release savepoint suite", []);
        await query(tx, table.insert, ["after", 4]);
      });
      assert.deepEqual(await identities(stage, table), ["after", "before"]);
    },
  },
  {
    name: "counts and rows are right for what inserts, selects, updates and deletes, and for what matches nothing",
    run: async (stage, { name, insert }) => {
      assert.deepEqual(await alone(stage, insert, ["a", 1]), { rows: [], count: 1 });
      assert.deepEqual(await alone(stage, `insert into ${name} values ('b', 2), ('c', 3)`), { rows: [], count: 2 });
      assert.deepEqual(await alone(stage, `select identity, number from ${name} where number > 1 order by identity`), {
        rows: [
          { identity: "b", number: 2 },
          { identity: "c", number: 3 },
        ],
        count: 2,
      });
      assert.deepEqual(await alone(stage, `select * from ${name} where number > 9`), { rows: [], count: 0 });
      assert.deepEqual(await alone(stage, `update ${name} set number = number + 1`), { rows: [], count: 3 });
      assert.deepEqual(await alone(stage, `update ${name} set number = 0 where number > 9`), { rows: [], count: 0 });
      assert.deepEqual(await alone(stage, `delete from ${name} where number > 9`), { rows: [], count: 0 });
      assert.deepEqual(await alone(stage, `delete from ${name} where number > 2`), { rows: [], count: 2 });
    },
  },
  {
    name: "rows and counts are right for what returns what it changed",
    only: "postgres",
    run: async (stage, { name, insert }) => {
      assert.deepEqual(await alone(stage, `${insert} returning number as row_number`, ["a", 1]), {
        rows: [{ row_number: 1 }],
        count: 1,
      });
      assert.deepEqual(await alone(stage, `${insert} on conflict do nothing returning number`, ["a", 2]), {
        rows: [],
        count: 0,
      });
      const update = `update ${name} set number = $1 where identity = $2 returning identity, number`;
      assert.deepEqual(await alone(stage, update, [5, "a"]), { rows: [{ identity: "a", number: 5 }], count: 1 });
      assert.deepEqual(await alone(stage, update, [6, "b"]), { rows: [], count: 0 });
      const cte = `with gone as (delete from ${name} returning identity) select identity from gone`;
      assert.deepEqual(await alone(stage, cte), { rows: [{ identity: "a" }], count: 1 });
    },
  },
  {
    name: "parameters of every kind arrive as they are, in any order and more than once",
    only: "postgres",
    run: async (stage) => {
      const at = new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789));
      const { rows, count } = await alone(
        stage,
        `select $2::text as text, $1::text as first, $2::text = $2::text as twice, $3::int4::text as number,
           $4::int8::text as wide, encode($5::bytea, 'hex') as bytes, $6::text is null as nothing, $7::boolean::text as flag,
           to_char($8::timestamptz at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS') as instant, $9::uuid::text as uuid,
           array_to_string($10::text[], '|') as texts, array_to_string($11::int4[], '|') as numbers,
           'b' = any($10::text[]) as within, array_length($12::text[], 1) is null as empty, $13::float8::text as real`,
        [
          "first",
          `it's "$1" \\ ? é`,
          -7,
          2n ** 62n,
          Buffer.from([0, 255, 39, 92]),
          null,
          false,
          at,
          "0190a1b2-c3d4-7000-8000-0123456789ab",
          ["a", "b", 'c"d,{e}\\', "NULL"],
          [1, 2],
          [],
          0.1,
        ],
      );
      assert.equal(count, 1);
      assert.deepEqual(
        { ...rows[0] },
        {
          text: `it's "$1" \\ ? é`,
          first: "first",
          twice: true,
          number: "-7",
          wide: "4611686018427387904",
          bytes: "00ff275c",
          nothing: true,
          flag: "false",
          instant: "2026-02-03 04:05:06.789",
          uuid: "0190a1b2-c3d4-7000-8000-0123456789ab",
          texts: 'a|b|c"d,{e}\\|NULL',
          numbers: "1|2",
          within: true,
          empty: true,
          real: "0.1",
        },
      );
    },
  },
  {
    name: "the text is sent as it is: literals, quotes, comments and operators keep their $ and ?",
    only: "postgres",
    run: async (stage) => {
      const { rows } = await alone(
        stage,
        `select '$1 ? \\? $name $$' as literal, "left".a$1 as "a?$1", $$ $1 ? $$ as dollars, $body$ ? $1 $$ $body$ as tagged,
           '{"a": 1}'::jsonb ? 'a' as has, $1::text as given /* ? $3 */ -- $4 ? it's
         from (select 7 as a$1) "left"`,
        ["given"],
      );
      assert.deepEqual(
        { ...rows[0] },
        {
          literal: "$1 ? \\? $name $$",
          "a?$1": 7,
          dollars: " $1 ? ",
          tagged: " ? $1 $$ ",
          has: true,
          given: "given",
        },
      );
    },
  },
  {
    name: "parameters of every kind arrive as they are, in order",
    only: "mysql",
    run: async (stage) => {
      const { rows, count } = await alone(
        stage,
        `select ? as text, cast(? as char) as number, cast(? as char) as wide, hex(?) as bytes, ? is null as nothing,
           cast(? as char) as flag, date_format(?, '%Y-%m-%d %H:%i:%s') as instant`,
        [`it's "a" \\ ? é`, -7, 2n ** 62n, Buffer.from([0, 255, 39, 92]), null, false, new Date(2026, 1, 3, 4, 5, 6)],
      );
      assert.equal(count, 1);
      const { flag, ...rest } = { ...rows[0] };
      assert.ok(flag === "0" || flag === "false");
      assert.deepEqual(rest, {
        text: `it's "a" \\ ? é`,
        number: "-7",
        wide: "4611686018427387904",
        bytes: "00FF275C",
        nothing: 1,
        instant: "2026-02-03 04:05:06",
      });
    },
  },
  {
    name: "text, numbers, bytes and null come back as they are, under the names that the statement gave",
    run: async (stage, table) => {
      const bytes = table.codes.duplicate === 1062 ? "x'00ff'" : "'\\x00ff'::bytea";
      const { rows } = await alone(
        stage,
        `select 'a' as some_text, 7 as a_number, ${bytes} as "someBytes", null as "NOTHING"`.replaceAll(
          '"',
          table.codes.duplicate === 1062 ? "`" : '"',
        ),
      );
      const { someBytes, ...rest } = { ...rows[0] };
      assert.deepEqual(rest, { some_text: "a", a_number: 7, NOTHING: null });
      assert.ok(someBytes instanceof Uint8Array);
      assert.deepEqual([...someBytes], [0, 255]);
    },
  },
];
