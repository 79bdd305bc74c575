import { expect } from "vitest";
import { newAttemptId } from "../../src/base/names.ts";
import type { Ledger } from "../../src/contract/ledger.ts";
import { delivery, deliveryOf, type LoadScenario } from "./load-scenarios.ts";
import { done, loadOn, manyRows, row } from "./load-stage.ts";

/** Several at once, and one that is too late. */
export const racingScenarios: readonly LoadScenario[] = [
  {
    name: "of two runs at once one loads and the other is told who runs",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      const [load, other] = [await loadOn(stage), await loadOn(stage)];
      const met: unknown[] = [];
      const asked: Promise<unknown>[] = [];
      const result = await load.run({ progress: () => asked.push(other.run().then((one) => met.push(one))) });
      await Promise.all(asked);
      expect(result).toMatchObject({ status: "done", inserted: 60 });
      // the last one asks when all is written, and may find the lease given back
      expect(met.length).toBe(6);
      const running = met.filter((one) => (one as { status: string }).status === "running");
      expect(running.length).toBeGreaterThanOrEqual(5);
      expect(running[0]).toMatchObject({ holder: expect.any(String), forMs: expect.any(Number) });
      expect((await stage.facts()).length).toBe(60);
    },
  },
  {
    name: "who lost its lease to another writes nothing more: its window is rolled back",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      const ledger = await stage.ledger();
      const taken: unknown[] = [];
      let transactions = 0;
      // where one alone writes, nobody takes anything inside a transaction: it is taken before one
      const overtaken = (stage.writesAtOnce ? beforeCheck : beforeFenced)(ledger, async (name) => {
        transactions += 1;
        // the first writes down the run, the others a window each
        if (transactions !== 4) return;
        await stage.endLeases();
        const request = { name, holder: "another", attempt: newAttemptId(), leaseMs: 60_000 };
        taken.push(await ledger.leases?.acquire(request));
      });
      const load = await loadOn(stage, {}, overtaken);
      await expect(load.run()).rejects.toMatchObject({ code: "REPRISE_FENCED" });
      expect(taken).toMatchObject([{ is: "acquired", token: 2 }]);
      expect((await stage.facts()).length).toBe(20);
      expect((await load.runs())[0]?.counts.read).toBe(20);
      expect(await load.run()).toMatchObject({ status: "running", holder: "another" });
      await stage.endLeases();
      expect(await (await loadOn(stage)).run()).toMatchObject({
        read: 60,
        inserted: 60,
        windows: { skipped: 2, done: 4 },
      });
    },
  },
  {
    name: "who lost its lease before it began writes down no run: a named one that another has ended stays ended",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      let transactions = 0;
      const overtaken = beforeFenced(await stage.ledger(), async () => {
        transactions += 1;
        if (transactions !== 1) return;
        await stage.endLeases();
        expect(await (await loadOn(stage)).run({ run: "night" })).toMatchObject({ inserted: 60, windows: { done: 6 } });
      });
      const load = await loadOn(stage, {}, overtaken);
      await expect(load.run({ run: "night" })).rejects.toMatchObject({ code: "REPRISE_FENCED" });
      expect(await load.runs()).toMatchObject([{ run: "night", endedAt: expect.any(Date) }]);
      await stage.endLeases();
      const again = await (await loadOn(stage)).run({ run: "night" });
      expect(again).toMatchObject({ inserted: 60, windows: { done: 0, skipped: 6 } });
    },
  },
  {
    name: "a commit whose answer is lost is found done, and counted once",
    run: async (stage) => {
      await stage.stage(manyRows(60));
      const ledger = await stage.ledger();
      const { sql } = ledger;
      if (sql === undefined) throw new Error("it has no database");
      let lost = 0;
      const losing: Ledger<unknown> = {
        ...ledger,
        sql: {
          ...sql,
          begin: async (work, statementMs) => {
            const value = await sql.begin(work, statementMs);
            if (typeof value === "object" && value !== null && "inserted" in value && ++lost % 2 === 1) {
              throw Object.assign(new Error("40001"), { code: "40001", errno: 1213, errcode: 5 });
            }
            return value;
          },
        },
      };
      const result = await (await loadOn(stage, {}, losing)).run();
      expect(result).toMatchObject({ read: 60, inserted: 60, unchanged: 0, windows: { done: 6, skipped: 0 } });
      expect(lost).toBeGreaterThan(2);
    },
  },
  {
    name: "six deliveries, two at once, leave the table of one after the other",
    run: async (stage) => {
      await stage.stage(Array.from({ length: 6 }, (_, index) => delivery(index + 1)).flat());
      for (const number of [1, 2, 3, 4, 5, 6]) done(await (await loadOn(stage, deliveryOf(stage, number))).run());
      const table = await stage.facts();
      await stage.execute(`delete from ${stage.fact}`);
      for (const pair of [
        [6, 1],
        [2, 5],
        [4, 3],
      ]) {
        const loads = await Promise.all(pair.map((number) => loadOn(stage, deliveryOf(stage, number))));
        for (const result of await Promise.all(loads.map((load) => load.run()))) done(result);
      }
      expect(await stage.facts()).toEqual(table);
    },
  },
  {
    name: "eight writers of sixty overlapping windows each meet no deadlock and write no row twice",
    run: async (stage) => {
      const rows = Array.from({ length: 600 }, (_, index) =>
        row(`ref-${String((index * 37) % 600).padStart(4, "0")}`, "2026-01-01", 1, "1.00", "first"),
      );
      await stage.stage(rows);
      const writers = await Promise.all(
        Array.from({ length: 8 }, (_, writer) => {
          const query = `select ref, day, version + ${writer} as version, amount, 'by ${writer}' as note from ${stage.staging}`;
          return loadOn(stage, { name: `writer.${writer}`, from: { query }, windows: { rows: 10 } });
        }),
      );
      const results = await Promise.all(writers.map((load) => load.run()));
      for (const result of results) {
        expect(done(result)).toMatchObject({ read: 600, tied: 0, keyless: 0 });
        expect(done(result).windows.of).toBeGreaterThanOrEqual(55);
      }
      expect(results.reduce((sum, result) => sum + done(result).inserted, 0)).toBe(600);
      const table = await stage.facts();
      expect(table.length).toBe(600);
      expect(table.every(({ version, note }) => version === 8 && note === "by 7")).toBe(true);
    },
  },
];

/** The ledger, where something happens before a window's last statement. */
function beforeCheck(ledger: Ledger<unknown>, happens: (name: string) => Promise<void>): Ledger<unknown> {
  const { leases } = ledger;
  if (leases?.check === undefined) throw new Error("it has no leases");
  const check = leases.check.bind(leases);
  return {
    ...ledger,
    leases: {
      ...leases,
      check: async (tx, grip) => {
        await happens(grip.name);
        return check(tx, grip);
      },
    },
  };
}

/** The same before a transaction that commits only under the lease. */
function beforeFenced(ledger: Ledger<unknown>, happens: (name: string) => Promise<void>): Ledger<unknown> {
  const { leases, sql } = ledger;
  if (leases === undefined || sql === undefined) throw new Error("it has no leases");
  let lease: string | undefined;
  let transactions = 0;
  return {
    ...ledger,
    leases: {
      ...leases,
      acquire: (request) => {
        lease = request.name;
        return leases.acquire(request);
      },
    },
    sql: {
      ...sql,
      begin: async (work, statementMs) => {
        transactions += 1;
        // the first one looks
        if (transactions > 1 && lease !== undefined) await happens(lease);
        return sql.begin(work, statementMs);
      },
    },
  };
}
