import { describe, expect, test } from "vitest";
import { begin, declare, gated, minute, quarter, stand, told } from "./schedule-stand.ts";

describe("several instances", () => {
  test("twenty on one store: one runs the tick, nineteen walk away", async () => {
    const { clock, instance } = stand();
    const { started, run } = gated();
    const instances = Array.from({ length: 20 }, (_, index) => instance(`i${index}`));
    const schedules = instances.map((reprise) => declare(reprise, { run }));
    await Promise.all(instances.map((reprise) => reprise.start()));
    await clock.advance(quarter + minute);
    expect(started).toHaveLength(1);
    started[0]?.end();
    await clock.advance(minute);
    expect(started).toHaveLength(1);
    for (const schedule of schedules) expect(await told(schedule)).toEqual([[15, "ran"]]);
    await Promise.all(instances.map((reprise) => reprise.close()));
  });

  test.each([1, 3])(
    "walk-away: a tick that comes due while one runs is recorded once, with %d instances",
    async (n) => {
      const { clock, instance } = stand();
      const { started, run } = gated();
      const instances = Array.from({ length: n }, (_, index) => instance(`i${index}`));
      const [schedule] = instances.map((reprise) => declare(reprise, { run }));
      if (schedule === undefined) throw new Error("none");
      await Promise.all(instances.map((reprise) => reprise.start()));
      await clock.advance(46 * minute);
      started[0]?.end();
      await clock.advance(quarter);
      expect(started.map(({ at }) => at - begin)).toEqual([quarter, 4 * quarter]);
      started[1]?.end();
      await clock.advance(1);
      expect(await told(schedule)).toEqual([
        [15, "ran"],
        [30, "walked-away"],
        [45, "walked-away"],
        [60, "ran"],
      ]);
      await Promise.all(instances.map((reprise) => reprise.close()));
    },
  );

  test("after-it: the tick waits for the end of the earlier one, and runs late", async () => {
    const { clock, instance } = stand();
    const { started, run } = gated();
    const [one, two] = [instance("a"), instance("b")];
    const schedule = declare(one, { run, ifStillRunning: "after-it" });
    declare(two, { run, ifStillRunning: "after-it" });
    await Promise.all([one.start(), two.start()]);
    await clock.advance(40 * minute);
    expect(started).toHaveLength(1);
    started[0]?.end();
    await clock.advance(1_000);
    started[1]?.end();
    await clock.advance(1_000);
    expect((await schedule.standing()).ticks).toMatchObject([
      { is: "ran", lateMs: 0 },
      { is: "ran", at: new Date(begin + 30 * minute), lateMs: 10 * minute },
    ]);
    await Promise.all([one.close(), two.close()]);
  });

  test("stop-it: the earlier one is stopped, also where another instance asks for it, and the newer one runs", async () => {
    const { clock, ledger, instance } = stand();
    const { started, run } = gated();
    const [one, two] = [instance("a"), instance("b")];
    const schedule = declare(one, { run, ifStillRunning: "stop-it" });
    declare(two, { run, ifStillRunning: "stop-it" });
    await Promise.all([one.start(), two.start()]);
    await clock.advance(30 * minute + 2_000);
    expect(started.map(({ at }) => at - begin)).toEqual([quarter, 2 * quarter]);
    expect(started[0]?.signal.reason).toMatchObject({ code: "REPRISE_TICK_STOPPED" });
    started[1]?.end();
    await clock.advance(1);
    expect(await told(schedule)).toEqual([
      [15, "stopped"],
      [30, "ran"],
    ]);
    expect((await ledger.recent({ limit: 5, operation: "enrich" })).length).toBeGreaterThan(0);
    await Promise.all([one.close(), two.close()]);
  });

  test("a holder that loses its lease is told by its signal, and another goes on with the same tick", async () => {
    const { clock, ledger, instance } = stand();
    const { started, run } = gated();
    let cut = false;
    const { leases } = ledger;
    if (leases === undefined) throw new Error("memory keeps leases");
    const cutOff = {
      ...ledger,
      leases: {
        ...leases,
        renew: (...args: Parameters<typeof leases.renew>) =>
          cut ? new Promise<boolean>(() => {}) : leases.renew(...args),
        release: (...args: Parameters<typeof leases.release>) =>
          cut ? new Promise<boolean>(() => {}) : leases.release(...args),
      },
    };
    const [one, two] = [instance("a", cutOff), instance("b")];
    declare(one, { run });
    const schedule = declare(two, { run });
    await one.start();
    await clock.advance(quarter);
    await two.start();
    cut = true;
    await clock.advance(2 * minute);
    expect(started.map(({ at }) => at - begin)).toEqual([quarter, quarter]);
    expect(started[0]?.signal.reason).toMatchObject({ code: "REPRISE_LEASE_LOST" });
    expect(await schedule.standing()).toMatchObject({ running: { holder: "b", starts: 2, token: 2 } });
    started[1]?.end();
    await clock.advance(1);
    expect(await told(schedule)).toEqual([[15, "ran"]]);
    await two.close();
  });
});
