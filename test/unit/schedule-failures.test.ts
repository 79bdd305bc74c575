import { describe, expect, test } from "vitest";
import { RepriseError } from "../../src/index.ts";
import { faultyLedger } from "../../src/testing/index.ts";
import { declare, gated, minute, quarter, stand, told } from "./schedule-stand.ts";

describe("stores that fail", () => {
  test("a ledger without registers refuses to start, as does one without leases", async () => {
    for (const [missing, why] of [
      ["registers", "keeps no registers"],
      ["leases", "keeps no leases"],
    ] as const) {
      const { ledger, instance } = stand();
      const reprise = instance("a", { ...ledger, [missing]: undefined });
      declare(reprise, { run: async () => {} });
      await expect(reprise.start()).rejects.toThrow(why);
      await reprise.close();
    }
  });

  test("a store that is away for a while delays ticks, by the rule for missed ones", async () => {
    const { clock, ledger, instance } = stand();
    let away = false;
    const failing = <T extends object>(members: T): T =>
      new Proxy(members, {
        get: (target, name) => {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          return async (...args: unknown[]) => {
            if (away) throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "test" });
            return (member as (...args: unknown[]) => unknown)(...args);
          };
        },
      });
    const { registers, leases } = ledger;
    if (registers === undefined || leases === undefined) throw new Error("memory keeps both");
    const reprise = instance("a", { ...ledger, registers: failing(registers), leases: failing(leases) });
    const schedule = declare(reprise, { run: async () => {} });
    await reprise.start();
    await clock.advance(minute);
    away = true;
    await clock.advance(30 * minute);
    away = false;
    await clock.advance(minute);
    expect(await told(schedule)).toEqual([
      [15, "missed"],
      [30, "ran"],
    ]);
    await reprise.close();
  });

  test("an answer of the ledger's that is lost while a tick is ended is found again", async () => {
    const { clock, ledger, instance } = stand();
    const faulty = faultyLedger(ledger);
    const reprise = instance("a", { ...faulty.ledger, rows: ledger.rows });
    let runs = 0;
    const schedule = declare(reprise, {
      run: async ({ effect }) => {
        await effect("bill", {
          ifUnknown: "retry",
          run: async () => {
            runs += 1;
          },
        });
      },
    });
    faulty.lose("complete");
    await reprise.start();
    await clock.advance(quarter + minute);
    expect(runs).toBe(1);
    expect(await told(schedule)).toEqual([[15, "ran"]]);
    await reprise.close();
  });
});

describe("closing", () => {
  test("waits for the tick that runs, and begins none", async () => {
    const { clock, instance } = stand();
    const reprise = instance("a");
    const { started, run } = gated();
    declare(reprise, { run });
    await reprise.start();
    await clock.advance(quarter);
    const closing = reprise.close();
    await clock.advance(1_000);
    started[0]?.end();
    await closing;
    expect(started).toHaveLength(1);
    await clock.advance(30 * minute);
    expect(started).toHaveLength(1);
    const other = instance("b");
    expect(await told(declare(other, { run }))).toEqual([[15, "ran"]]);
    await other.close();
  });

  test("aborts one that does not end, and the next instance goes on with it at once", async () => {
    const { clock, instance } = stand();
    const first = instance("a");
    const { started, run } = gated();
    declare(first, { run });
    await first.start();
    await clock.advance(quarter);
    const closing = first.close();
    await clock.advance(11_000);
    await closing;
    expect(started[0]?.signal.aborted).toBe(true);
    const second = instance("b");
    const schedule = declare(second, { run });
    await second.start();
    await clock.advance(1_000);
    expect(await schedule.standing()).toMatchObject({ running: { holder: "b", starts: 2 } });
    started[1]?.end();
    await clock.advance(1_000);
    expect(await told(schedule)).toEqual([[15, "ran"]]);
    await second.close();
  });
});
