import { expect } from "vitest";
import type { LoadScenario } from "./load-scenarios.ts";
import { loadOn, manyRows, row } from "./load-stage.ts";

/** What ends a run half way. */
const enough = new Error("enough");

/** What is promised of runs: which one a call goes on with, and what it does once more. Each begins with empty tables. */
export const runScenarios: readonly LoadScenario[] = [
  {
    name: "loads a range, and the same range in other words is the same run",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      const load = await loadOn(stage);
      const result = await load.run({ from: "2026-02", to: "2026-04" });
      expect(result).toMatchObject({ read: 20, inserted: 20, windows: { of: 2 } });
      expect(new Set((await stage.facts()).map(({ day }) => day?.slice(0, 7)))).toEqual(
        new Set(["2026-02", "2026-03"]),
      );
      const named = await load.run({ from: "2026-02", to: "2026-04", run: "backfill" });
      expect(named).toMatchObject({ run: "backfill", unchanged: 20, windows: { done: 2, skipped: 0 } });
      const same = await load.run({ from: "2026-02-01", to: "2026-04-01", run: "backfill" });
      expect(same).toMatchObject({ run: "backfill", unchanged: 20, windows: { done: 0, skipped: 2 } });
      await expect(load.run({ from: "2026-04", to: "2026-02" })).rejects.toMatchObject({
        code: "REPRISE_INPUT_INVALID",
      });
      await expect(load.run({ from: "soon" })).rejects.toMatchObject({ code: "REPRISE_INPUT_INVALID" });
      await expect(load.run({ from: 17 })).rejects.toMatchObject({ code: "REPRISE_INPUT_INVALID" });
    },
  },
  {
    name: "an empty source is loaded, and what comes while a run is unfinished is in a window of it",
    run: async (stage) => {
      const load = await loadOn(stage);
      expect(await load.run()).toMatchObject({ status: "done", read: 0, windows: { done: 1, of: 1 } });
      await stage.stage(manyRows(60));
      const ending = new AbortController();
      const first = load.run({ signal: ending.signal, progress: ({ done }) => done === 2 && ending.abort(enough) });
      await expect(first).rejects.toBe(enough);
      await stage.stage([row("late", "2027-05-05", 1)]);
      expect(await load.run()).toMatchObject({ read: 61, inserted: 61, windows: { of: 6, done: 4, skipped: 2 } });
    },
  },
  {
    name: "a run that ended half way goes on where it was, and its counts add up once",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      for (let stopped = 1; stopped <= 5; stopped++) {
        const ending = new AbortController();
        const load = await loadOn(stage);
        const run = load.run({ signal: ending.signal, progress: () => ending.abort(enough) });
        await expect(run).rejects.toBe(enough);
        const [kept] = await load.runs();
        expect(kept).toMatchObject({ endedAt: null, counts: { read: stopped * 10, inserted: stopped * 10 } });
        expect(kept?.windows.filter(({ counts }) => counts !== null).length).toBe(stopped);
      }
      const load = await loadOn(stage);
      expect(await load.run()).toMatchObject({ read: 60, inserted: 60, windows: { done: 1, skipped: 5, of: 6 } });
      expect(await load.run()).toMatchObject({ read: 60, unchanged: 60, windows: { done: 6, skipped: 0 } });
      const [second, first] = await load.runs();
      expect([first?.counts.inserted, second?.counts.unchanged]).toEqual([60, 60]);
      expect(first?.windows[1]).toMatchObject({ from: "2026-02-01", to: "2026-03-01", counts: { read: 10 } });
    },
  },
  {
    name: "a run that was declared otherwise when it began does not go on, and no row is missing",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      const changes = [
        { from: { query: `select * from ${stage.staging} where version > 0` } },
        { windows: { by: "day", each: "2mo" } },
        { windows: { rows: 5 } },
        { columns: ["amount"] },
        { newer: { none: "it is the last" }, ifSameVersionDiffers: "overwrite" },
        { ifSourceLost: { mark: "lost_at", atMost: "1%" } },
      ] as const;
      for (const run of [undefined, "backfill"]) {
        for (const changed of changes) {
          await stage.reset();
          await stage.stage(manyRows(60));
          const ending = new AbortController();
          const options = run === undefined ? {} : { run };
          const begun = (await loadOn(stage)).run({
            ...options,
            signal: ending.signal,
            progress: () => ending.abort(enough),
          });
          await expect(begun).rejects.toBe(enough);
          await stage.execute(`delete from ${stage.fact}`);
          const load = await loadOn(stage, changed);
          expect(await load.run(options)).toMatchObject({ read: 60, inserted: 60, windows: { skipped: 0 } });
          expect((await stage.facts()).length).toBe(60);
          expect((await load.runs()).map(({ is }) => is)).toEqual(["done", "unfinished"]);
        }
      }
    },
  },
  {
    name: "a named run that is over is done again where it is declared otherwise",
    run: async (stage) => {
      await stage.stage(manyRows(20));
      expect(await (await loadOn(stage, { columns: [] })).run({ run: "backfill" })).toMatchObject({ inserted: 20 });
      const load = await loadOn(stage, { columns: ["note"], ifSameVersionDiffers: "overwrite" });
      expect(await load.run({ run: "backfill" })).toMatchObject({ read: 20, updated: 20 });
      expect(await load.run({ run: "backfill" })).toMatchObject({ updated: 20, windows: { done: 0 } });
    },
  },
];
