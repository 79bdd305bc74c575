import { describe, expect, test } from "vitest";
import { RepriseError } from "../../src/base/errors.ts";
import type { LeaseStore } from "../../src/contract/lease.ts";
import type { Registers } from "../../src/contract/registers.ts";
import { type MemoryLedger, memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { begin, declare, gated, minute, quarter, stand, told } from "./schedule-stand.ts";

/** A ledger whose leases and registers are called by way of `between`, which may hold a call up or fail it. */
function between(ledger: MemoryLedger, by: (call: string) => Promise<void> | undefined): MemoryLedger {
  const watched = <T extends object>(members: T): T =>
    new Proxy(members, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return async (...args: unknown[]) => {
          await by(String(name));
          return (member as (...args: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  return {
    ...ledger,
    registers: watched(ledger.registers as Registers<never>),
    leases: watched(ledger.leases as LeaseStore<never>),
  } as MemoryLedger;
}

/** Calls that wait until a test lets them go. */
function gate() {
  let open = () => {};
  let waiting = false;
  return {
    wait: () =>
      new Promise<void>((resolve) => {
        waiting = true;
        open = resolve;
      }),
    open: () => open(),
    isWaitedFor: () => waiting,
  };
}

describe("a tick that comes due while the one before it is being released", () => {
  test("runs at once, though a look had met that and planned for the tick after", async () => {
    const { clock, ledger, instance } = stand();
    const { started, run } = gated();
    const [releasing, reading] = [gate(), gate()];
    const held = new Set<string>();
    const reprise = instance(
      "a",
      between(ledger, (call) => {
        if (!held.delete(call)) return undefined;
        return call === "release" ? releasing.wait() : reading.wait();
      }),
    );
    const schedule = declare(reprise, { run });
    await reprise.start();
    await clock.advance(2 * quarter - 1);
    held.add("release");
    started[0]?.end();
    await clock.advance(0);
    expect(releasing.isWaitedFor()).toBe(true);
    held.add("read");
    await clock.advance(1);
    expect(reading.isWaitedFor()).toBe(true);
    // both are answered before any timer of the loop's
    releasing.open();
    await new Promise((resolve) => setImmediate(resolve));
    reading.open();
    await clock.advance(1_000);
    expect(started.map(({ at }) => at - begin)).toEqual([quarter, 2 * quarter]);
    started[1]?.end();
    await clock.advance(0);
    expect(await told(schedule)).toEqual([
      [15, "ran"],
      [30, "ran"],
    ]);
    await reprise.close();
  });
});

describe("the store's time", () => {
  test("is found also where others write between a write and its reading, before anything is run by a wrong clock", async () => {
    const store = manualClock({ now: begin });
    const clock = manualClock({ now: begin + 20 * minute });
    const ledger = memoryLedger({ clock: store });
    let disturbing = 3;
    let written = false;
    const reprise = stand().instance(
      "a",
      between(ledger, async (call) => {
        // another instance is between the write and the reading
        if (call === "read" && written && disturbing > 0) {
          disturbing -= 1;
          const [register] = (await ledger.registers?.list({ prefix: "schedule/", after: null, limit: 1 })) ?? [];
          if (register !== undefined) {
            await ledger.registers?.replace(register.name, register.value, register.version);
          }
        }
        written = call === "replace";
      }),
    );
    const { started, run } = gated();
    declare(reprise, { run });
    await reprise.start({ clock });
    for (let passed = 0; passed < 14; passed += 1) {
      await store.advance(minute);
      await clock.advance(minute);
    }
    expect(disturbing).toBe(0);
    expect(started).toHaveLength(0);
    await store.advance(2 * minute);
    await clock.advance(2 * minute);
    expect(started.map(({ at }) => at - begin)).toEqual([quarter]);
    started[0]?.end();
    await reprise.close();
  });

  test("is found anew after the machine slept: its timers stood still, its wall clock did not", async () => {
    const store = manualClock({ now: begin });
    const clock = manualClock({ now: begin });
    const ledger = memoryLedger({ clock: store });
    const [awake, slept] = [stand().instance("a", ledger), stand().instance("b", ledger)];
    const runs: string[] = [];
    for (const [name, reprise] of Object.entries({ awake, slept })) {
      declare(reprise, {
        at: "*/20 * * * *",
        run: async ({ tick }) => void runs.push(`${(tick.at.getTime() - begin) / minute} ${name}`),
      });
    }
    await awake.start({ clock: store });
    await slept.start({ clock });
    const pass = async (minutes: number) => {
      for (let passed = 0; passed < minutes; passed += 1) {
        await store.advance(minute);
        await clock.advance(minute);
      }
    };
    await pass(1);
    await store.advance(15 * minute);
    clock.jump(15 * minute);
    // its timer for the first tick has slept too, and fires when that is long over
    await pass(21);
    await awake.close();
    await pass(4);
    expect(runs).toEqual(["20 awake", "40 slept"]);
    await slept.close();
  });

  test("is asked for before a tick or after it: whoever walks away asks for the lease first", async () => {
    const { clock, ledger, instance } = stand();
    const { started, run } = gated();
    const calls: string[] = [];
    const one = instance("a");
    const two = instance(
      "b",
      between(ledger, async (call) => void calls.push(`${call} at ${(clock.now() - begin) / minute}`)),
    );
    for (const reprise of [one, two]) declare(reprise, { run, at: "0 */6 * * *" });
    await one.start();
    await two.start();
    await clock.advance(6 * 60 * minute);
    expect(started).toHaveLength(1);
    // hours after the time was found: at the tick nothing comes before the lease
    expect(calls.filter((call) => call.endsWith(" at 360"))[0]).toBe("acquire at 360");
    started[0]?.end();
    await Promise.all([one.close(), two.close()]);
  });
});

describe("the store", () => {
  test("that is away in the middle of a tick makes no failure of it, also where the next one is near", async () => {
    const { clock, ledger, instance } = stand();
    const reprise = instance("a", ledger);
    let tries = 0;
    const schedule = declare(reprise, {
      every: "1s",
      at: undefined,
      timeZone: undefined,
      run: async () => {
        tries += 1;
        if (tries === 1) throw new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "memory", doing: "test" });
      },
    });
    await reprise.start();
    await clock.advance(1_000);
    expect(tries).toBe(1);
    await clock.advance(2_500);
    expect(tries).toBeGreaterThan(1);
    expect((await schedule.standing()).ticks[0]).toMatchObject({ is: "ran", at: new Date(begin + 1_000) });
    await reprise.close();
  });

  test("that never takes a lease back holds no tick up for longer than one is waited for", async () => {
    const { clock, ledger, instance } = stand();
    let hangs = true;
    const reprise = instance(
      "a",
      between(ledger, (call) => (call === "release" && hangs ? new Promise<void>(() => {}) : undefined)),
    );
    const schedule = declare(reprise, { run: async () => {} });
    await reprise.start();
    await clock.advance(quarter + minute);
    hangs = false;
    await clock.advance(quarter);
    expect(await told(schedule)).toEqual([
      [15, "ran"],
      [30, "ran"],
    ]);
    await reprise.close();
  });
});
