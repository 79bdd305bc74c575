import fc from "fast-check";
import { expect } from "vitest";
import type { LoadDeclaration } from "../../src/load/declaration.ts";
import { countsOf, done, type Fact, type LoadStage, loadOn, manyRows, type Row, row } from "./load-stage.ts";

/** What a load promises, on any database. Each begins with empty tables. */
export interface LoadScenario {
  readonly name: string;
  readonly run: (stage: LoadStage) => Promise<void>;
}

const facts = (rows: readonly Row[]): readonly Fact[] =>
  rows.map(({ ref, day, version, amount, note }) => ({ ref, day, version, amount, note, lost: false }));

export const loadScenarios: readonly LoadScenario[] = [
  {
    name: "loads every row once, in windows that are told, and a rerun writes and locks nothing",
    run: async (stage) => {
      const rows = manyRows(120);
      await stage.stage(rows);
      const load = await loadOn(stage);
      const told: number[] = [];
      const first = await load.run({ progress: ({ done }) => told.push(done) });
      expect(first).toMatchObject({
        status: "done",
        read: 120,
        inserted: 120,
        windows: { done: 6, skipped: 0, of: 6 },
      });
      expect(told).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await stage.facts()).toEqual(facts(rows));

      const trace = await stage.trace();
      const again = await load.run();
      expect(again).toMatchObject({ status: "done", read: 120, unchanged: 120, inserted: 0, windows: { done: 6 } });
      expect(await stage.trace()).toBe(trace);
    },
  },
  {
    name: "loads the same table whether windows are cut by a column, by rows, or not at all",
    run: async (stage) => {
      const rows = manyRows(100);
      await stage.stage(rows);
      await stage.stage([row("late", "2027-01-01", 1)]);
      for (const windows of ["whole", { rows: 20 }, { rows: 1 }, { by: "day", each: "7d" }] as const) {
        await stage.execute(`delete from ${stage.fact}`);
        const result = await (await loadOn(stage, { windows })).run();
        expect(countsOf(result)).toEqual({ read: 101, inserted: 101 });
        expect((await stage.facts()).length).toBe(101);
        const again = await (await loadOn(stage, { windows })).run();
        expect(countsOf(again)).toEqual({ read: 101, unchanged: 101 });
      }
      const byRows = done(await (await loadOn(stage, { windows: { rows: 20 } })).run());
      expect(byRows.windows.of).toBeGreaterThan(3);
      // fewer than four windows of rows cost less in one
      expect(done(await (await loadOn(stage, { windows: { rows: 30 } })).run()).windows.of).toBe(1);
    },
  },
  {
    name: "writes what is newer, and refuses what is older",
    run: async (stage) => {
      await stage.stage(manyRows(50, 5));
      const load = await loadOn(stage);
      await load.run();
      await stage.clearStaging();
      const [newer, older] = [manyRows(5, 6), manyRows(50, 4).slice(5)];
      await stage.stage([...newer.map((one) => ({ ...one, note: "newer" })), ...older]);
      expect(countsOf(await load.run())).toEqual({ read: 50, updated: 5, refusedOlder: 45 });
      const after = await stage.facts();
      expect(after.filter(({ note }) => note === "newer").length).toBe(5);
      expect(after.every(({ version }) => version === 5 || version === 6)).toBe(true);
    },
  },
  {
    name: "of the same version with other content the table's stays, or what comes later where that is declared",
    run: async (stage) => {
      await stage.stage(manyRows(10));
      await (await loadOn(stage)).run();
      await stage.clearStaging();
      await stage.stage(manyRows(10).map((one, index) => (index < 4 ? { ...one, note: "other" } : one)));
      const trace = await stage.trace();
      expect(countsOf(await (await loadOn(stage)).run())).toEqual({ read: 10, tied: 4, unchanged: 6 });
      expect(await stage.trace()).toBe(trace);
      const overwriting = await loadOn(stage, { ifSameVersionDiffers: "overwrite" });
      expect(countsOf(await overwriting.run())).toEqual({ read: 10, updated: 4, unchanged: 6 });
      expect((await stage.facts()).filter(({ note }) => note === "other").length).toBe(4);
    },
  },
  {
    name: "without a version what comes later overwrites, and what is the same is not written",
    run: async (stage) => {
      await stage.stage(manyRows(10));
      const answers = { newer: { none: "files come in order" }, ifSameVersionDiffers: "overwrite" } as const;
      const load = await loadOn(stage, answers);
      expect(countsOf(await load.run())).toEqual({ read: 10, inserted: 10 });
      await stage.clearStaging();
      await stage.stage(manyRows(10).map((one, index) => (index < 3 ? { ...one, note: null } : one)));
      expect(countsOf(await load.run())).toEqual({ read: 10, updated: 3, unchanged: 7 });
      expect((await stage.facts()).filter(({ note }) => note === null).length).toBe(3);
    },
  },
  {
    name: "of a key that the source repeats the newest is loaded, where that is declared",
    run: async (stage) => {
      await stage.stage([row("a", "2026-01-01", 1), row("a", "2026-01-01", 3, "3.00"), row("a", "2026-01-01", 2)]);
      await stage.stage([row("b", "2026-02-01", 1), row("b", "2026-02-01", 1, "9.00")]);
      const refusing = await (await loadOn(stage)).run();
      expect(refusing).toMatchObject({ because: [{ what: "source-repeats-key", keys: 2, rows: 5 }] });
      const load = await loadOn(stage, { ifSourceRepeatsKey: "newest" });
      expect(countsOf(await load.run())).toEqual({ read: 5, inserted: 2, duplicates: 3 });
      expect((await stage.facts())[0]).toMatchObject({ ref: "a", version: 3, amount: "3.00" });
      const trace = await stage.trace();
      expect(countsOf(await load.run())).toEqual({ read: 5, unchanged: 2, duplicates: 3 });
      expect(await stage.trace()).toBe(trace);
    },
  },
  {
    name: "counts rows without a whole key, in whatever windows, and never writes them",
    run: async (stage) => {
      await stage.stage(manyRows(30));
      await stage.stage([
        { ...row("x", "2026-01-01", 1), ref: null },
        { ...row("y", "2026-01-01", 1), day: null },
        { ref: null, day: null, version: 1, amount: "0.00", note: null },
      ]);
      for (const windows of ["whole", { rows: 5 }, { by: "day", each: "1mo" }] as const) {
        await stage.execute(`delete from ${stage.fact}`);
        const load = await loadOn(stage, { windows });
        expect(countsOf(await load.run())).toEqual({ read: 33, inserted: 30, keyless: 3 });
        expect(await load.preview()).toMatchObject({ read: 33, unchanged: 30, keyless: 3 });
      }
      expect((await stage.facts()).length).toBe(30);
    },
  },
  {
    name: "counts a row without a key once where all others are in one window",
    run: async (stage) => {
      const rows = [row("a", "2026-01-01", 1), row("b", "2026-01-02", 1), { ...row("c", "", 1), day: null }];
      await stage.stage(rows);
      const load = await loadOn(stage);
      expect(await load.preview()).toMatchObject({ read: 3, inserted: 2, keyless: 1 });
      expect(countsOf(await load.run())).toEqual({ read: 3, inserted: 2, keyless: 1 });
      expect(countsOf(await load.run())).toEqual({ read: 3, unchanged: 2, keyless: 1 });
    },
  },
  {
    name: "marks a lost row that is in no window, for the table has no value of what windows are cut by",
    run: async (stage) => {
      await stage.stage(manyRows(12));
      for (const table of [stage.staging, stage.fact]) await stage.execute(`alter table ${table} add column turn int`);
      await stage.execute(`update ${stage.staging} set turn = case when ref < 'ref-00006' then 1 else 2 end`);
      const load = await loadOn(stage, {
        windows: { by: "turn", each: 1 },
        ifSourceLost: { mark: "lost_at", atMost: "100%" },
      });
      expect(await load.run()).toMatchObject({ inserted: 12, windows: { of: 2 } });
      await stage.execute(`update ${stage.fact} set turn = null where ref = 'ref-00000'`);
      await stage.execute(`delete from ${stage.staging} where ref = 'ref-00000'`);
      expect(await load.preview()).toMatchObject({ read: 11, unchanged: 11, lost: 1, marked: 1 });
      expect(countsOf(await load.run())).toEqual({ read: 11, unchanged: 11, lost: 1, marked: 1 });
      expect(await load.reconcile()).toMatchObject({ equal: true });
      expect(countsOf(await load.run())).toEqual({ read: 11, unchanged: 11 });
    },
  },
  {
    name: "of rows of one key and version a reconciliation takes the one that a run takes",
    run: async (stage) => {
      const notes = ["p", "z", "b", "Z", "q", "B"];
      await stage.stage(notes.map((note) => row("a", "2026-01-01", 1, "1.00", note)));
      const load = await loadOn(stage, { ifSourceRepeatsKey: "newest" });
      expect(countsOf(await load.run())).toEqual({ read: 6, inserted: 1, duplicates: 5 });
      expect(await load.reconcile()).toMatchObject({ equal: true });
      await stage.clearStaging();
      await stage.stage(notes.reverse().map((note) => row("a", "2026-01-01", 1, "1.00", note)));
      expect(countsOf(await load.run())).toEqual({ read: 6, unchanged: 1, duplicates: 5 });
      expect(await load.reconcile()).toMatchObject({ equal: true });
    },
  },
  {
    name: "keeps rows that the source lost, or marks them up to the declared share, and unmarks those that are back",
    run: async (stage) => {
      const rows = manyRows(60);
      await stage.stage(rows);
      await (await loadOn(stage)).run();
      await stage.clearStaging();
      const months = (ref: string | null) => Number(ref?.slice(-2)) % 6;
      // one of ten in the first month, all of the second
      await stage.stage(rows.filter(({ ref }) => ref !== "ref-00000" && months(ref) !== 1));
      expect(countsOf(await (await loadOn(stage)).run())).toEqual({ read: 49, unchanged: 49 });
      const marking = await loadOn(stage, { ifSourceLost: { mark: "lost_at", atMost: "20%" } });
      const preview = await marking.preview();
      expect(preview).toMatchObject({ status: "previewed", read: 49, lost: 11 });
      const result = await marking.run();
      expect(result).toMatchObject({ lost: 11, marked: 1, windows: { markRefused: 1 } });
      expect((await stage.facts()).filter(({ lost }) => lost).map(({ ref }) => ref)).toEqual(["ref-00000"]);
      expect(countsOf(await marking.run())).toEqual({ read: 49, unchanged: 49, lost: 10 });

      await stage.stage(rows.filter(({ ref }) => ref === "ref-00000" || months(ref) === 1));
      expect(countsOf(await marking.run())).toEqual({ read: 60, unchanged: 59, updated: 1 });
      expect((await stage.facts()).some(({ lost }) => lost)).toBe(false);
    },
  },
  {
    name: "the declared share is one of what the table held before, in whole numbers, to a preview and to a run",
    run: async (stage) => {
      const rows = manyRows(100);
      await stage.stage(rows);
      await (await loadOn(stage)).run();
      await stage.clearStaging();
      await stage.stage(rows.slice(29));
      const lossOf = async (atMost: `${number}%`, windows: LoadDeclaration["windows"]) => {
        const load = await loadOn(stage, { ifSourceLost: { mark: "lost_at", atMost }, windows });
        return [await load.preview(), await load.run()].map((told) => "lost" in told && [told.lost, told.marked]);
      };
      // a hundredth of a percent less, and one row too many
      expect(await lossOf("28.99%", "whole")).toEqual([
        [29, 0],
        [29, 0],
      ]);
      // in binary fractions it would be 28.999…
      expect(await lossOf("29%", "whole")).toEqual([
        [29, 29],
        [29, 29],
      ]);
      // 71 unmarked are held, 36 of them lost: more than half, though not of the 106 that are there afterwards
      await stage.clearStaging();
      await stage.stage([...rows.slice(65), ...manyRows(171).slice(100)]);
      expect(await lossOf("50%", { rows: 1_000 })).toEqual([
        [36, 0],
        [36, 0],
      ]);
    },
  },
  {
    name: "a truncated source marks nothing",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      const answers = { ifSourceLost: { mark: "lost_at", atMost: "5%" } } as const;
      for (const windows of ["whole", { by: "day", each: "1mo" }, { rows: 10 }] as const) {
        const load = await loadOn(stage, { ...answers, windows });
        await load.run();
      }
      await stage.clearStaging();
      for (const windows of ["whole", { by: "day", each: "1mo" }, { rows: 10 }] as const) {
        const load = await loadOn(stage, { ...answers, windows });
        expect(countsOf(await load.run())).toEqual({ lost: 60 });
      }
      expect((await stage.facts()).some(({ lost }) => lost)).toBe(false);
    },
  },
  {
    name: "a row whose window moved is not lost",
    run: async (stage) => {
      await stage.execute(`delete from ${stage.fact}`);
      const answers = {
        identity: ["ref"],
        ifSourceLost: { mark: "lost_at", atMost: "100%" },
      } as const;
      // a key of its own for this case
      const refused = await (await loadOn(stage, answers)).run();
      if (refused.status !== "refused") throw new Error("the key should be missing");
      for (const statement of refused.because[0]?.mend ?? []) await stage.execute(statement);
      await stage.stage([row("moves", "2026-01-10", 1), row("stays", "2026-01-11", 1)]);
      const load = await loadOn(stage, answers);
      expect(countsOf(await load.run())).toEqual({ read: 2, inserted: 2 });
      await stage.clearStaging();
      await stage.stage([row("moves", "2026-03-10", 2)]);
      expect(countsOf(await load.run())).toEqual({ read: 1, updated: 1, lost: 1, marked: 1 });
      expect(await stage.facts()).toMatchObject([
        { ref: "moves", day: "2026-03-10", lost: false },
        { ref: "stays", lost: true },
      ]);
    },
  },
  {
    name: "previews what a run then does, writing nothing",
    run: async (stage) => {
      await stage.stage(manyRows(40, 2));
      await (await loadOn(stage)).run();
      await stage.clearStaging();
      await stage.stage([
        ...manyRows(10, 3),
        ...manyRows(20, 1).slice(10),
        ...manyRows(30, 2)
          .slice(20)
          .map((one) => ({ ...one, note: "tied" })),
        ...manyRows(50, 2).slice(30),
      ]);
      const load = await loadOn(stage);
      const trace = await stage.trace();
      const preview = await load.preview();
      expect(await stage.trace()).toBe(trace);
      const { status: _, ...counts } = preview as { status: string };
      expect(counts).toMatchObject({ read: 50, inserted: 10, updated: 10, refusedOlder: 10, tied: 10, unchanged: 10 });
      expect(await load.run()).toMatchObject(counts);
    },
  },
  {
    name: "reconciles: tells which keys are missing, differ, are older and are extra, and when all is equal",
    run: async (stage) => {
      await stage.stage(manyRows(12, 2));
      const load = await loadOn(stage);
      await load.run();
      expect(await load.reconcile()).toMatchObject({ status: "compared", equal: true, keys: [] });
      await stage.clearStaging();
      const [first, second, third, , ...rest] = manyRows(12, 2);
      if (first === undefined || second === undefined || third === undefined) throw new Error("there are twelve");
      await stage.stage([{ ...first, version: 1 }, { ...second, version: 3 }, { ...third, note: "other" }, ...rest]);
      await stage.stage([row("new", "2026-01-01", 1)]);
      const trace = await stage.trace();
      expect(await load.reconcile()).toEqual({
        ...{ status: "compared", equal: false, missing: 1, differing: 2, older: 1, extra: 1 },
        keys: [
          { is: "missing", key: { ref: "new", day: "2026-01-01" } },
          { is: "older", key: { ref: "ref-00000", day: "2026-01-01" } },
          { is: "differing", key: { ref: "ref-00001", day: "2026-02-02" } },
          { is: "differing", key: { ref: "ref-00002", day: "2026-03-03" } },
          { is: "extra", key: { ref: "ref-00003", day: "2026-04-04" } },
        ],
      });
      expect(await stage.trace()).toBe(trace);
      expect(await load.reconcile({ list: 1 })).toMatchObject({ extra: 1, keys: [{ is: "missing" }] });
      expect(await load.reconcile({ from: "2026-05" })).toMatchObject({ equal: true });
    },
  },
  {
    name: "loads from a query, whose names are the table's",
    run: async (stage) => {
      await stage.stage(manyRows(20).map((one) => ({ ...one, delivery: 1 })));
      await stage.stage(
        manyRows(30)
          .slice(20)
          .map((one) => ({ ...one, delivery: 2 })),
      );
      const query = `select ref, day, version, amount, note from ${stage.staging} where delivery = 2 -- the second;\n;`;
      const load = await loadOn(stage, { from: { query } });
      expect(countsOf(await load.run())).toEqual({ read: 10, inserted: 10 });
      expect(countsOf(await load.run())).toEqual({ read: 10, unchanged: 10 });
      expect(await load.reconcile()).toMatchObject({ equal: true });
    },
  },
  {
    name: "writes the declared columns alone",
    run: async (stage) => {
      await stage.stage(manyRows(5));
      const load = await loadOn(stage, { columns: ["amount"] });
      expect(countsOf(await load.run())).toEqual({ read: 5, inserted: 5 });
      expect((await stage.facts()).every(({ note }) => note === null)).toBe(true);
      expect(countsOf(await load.run())).toEqual({ read: 5, unchanged: 5 });
    },
  },
  {
    name: "deliveries with recurring keys leave one table forward, backward, shuffled and repeated",
    run: async (stage) => {
      const deliveries = Array.from({ length: 6 }, (_, month) => delivery(month + 1));
      await stage.stage(deliveries.flat());
      const orders = [
        [1, 2, 3, 4, 5, 6],
        [6, 5, 4, 3, 2, 1],
        [3, 1, 6, 2, 5, 4],
        [2, 2, 4, 1, 4, 6, 5, 3, 3, 1],
      ];
      const tables: unknown[] = [];
      for (const order of orders) {
        await stage.execute(`delete from ${stage.fact}`);
        for (const number of order) done(await (await loadOn(stage, deliveryOf(stage, number))).run());
        tables.push(await stage.facts());
      }
      expect(tables[0]).toHaveLength(130);
      for (const table of tables) expect(table).toEqual(tables[0]);
    },
  },
  {
    name: "any history of deliveries, in any order and cut, leaves the table of the newest rows",
    run: async (stage) => {
      const ledger = await stage.ledger();
      const cell = fc.record({ key: fc.nat(6), version: fc.nat(4), note: fc.constantFrom("a", "b") });
      const history = fc.array(fc.uniqueArray(cell, { maxLength: 8, selector: ({ key }) => key }), { maxLength: 4 });
      const cuts = fc.constantFrom(
        "whole",
        { rows: 1 },
        { rows: 2 },
        { by: "day", each: "1d" },
        { by: "day", each: "1mo" },
      );
      await fc.assert(
        fc.asyncProperty(history, cuts, fc.boolean(), async (deliveries, windows, replays) => {
          await stage.execute(`delete from ${stage.fact}`);
          const model = new Map<number, { readonly version: number; readonly note: string }>();
          const load = await loadOn(stage, { windows: windows as never }, ledger);
          for (const rows of replays ? [...deliveries, ...deliveries] : deliveries) {
            await stage.clearStaging();
            await stage.stage(
              rows.map(({ key, version, note }) => row(`k${key}`, `2026-01-0${key + 1}`, version, "1.00", note)),
            );
            const expected = { inserted: 0, updated: 0, unchanged: 0, refusedOlder: 0, tied: 0 };
            for (const { key, version, note } of rows) {
              const before = model.get(key);
              if (before === undefined) expected.inserted += 1;
              else if (before.version > version) expected.refusedOlder += 1;
              else if (before.version < version) expected.updated += 1;
              else expected[before.note === note ? "unchanged" : "tied"] += 1;
              if (before === undefined || before.version < version) model.set(key, { version, note });
            }
            expect(await load.run()).toMatchObject({ read: rows.length, ...expected });
          }
          const table = (await stage.facts()).map(({ ref, version, note }) => ({ ref, version, note }));
          const wanted = [...model].sort(([a], [b]) => a - b).map(([key, cell]) => ({ ref: `k${key}`, ...cell }));
          expect(table).toEqual(wanted);
        }),
        { numRuns: 25 },
      );
    },
  },
];

/** Each brings thirty rows: ten of its own, and twenty that others bring in other versions. */
export function delivery(number: number): readonly Row[] {
  return Array.from({ length: 30 }, (_, index) => {
    const key = index < 10 ? number * 1_000 + index : (number * 10 + index) % 70;
    const day = `2026-01-${String((key % 28) + 1).padStart(2, "0")}`;
    return { ...row(`key-${key}`, day, number, `${number}.00`, `of ${number}`), delivery: number };
  });
}
export function deliveryOf(stage: LoadStage, number: number) {
  const query = `select ref, day, version, amount, note from ${stage.staging} where delivery = ${number}`;
  return { name: `sales.${number}`, from: { query }, windows: { rows: 5 } } as const;
}
