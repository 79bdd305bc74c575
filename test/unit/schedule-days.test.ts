import { expect, test } from "vitest";
import { Abortable } from "../../src/base/abortable.ts";
import { createOperations } from "../../src/operation/operations.ts";
import { cadenceOfCron } from "../../src/schedule/cadence.ts";
import type { IfMissed } from "../../src/schedule/declaration.ts";
import { createSchedules } from "../../src/schedule/schedules.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";

const hour = 3_600_000;
const day = 24 * hour;
const from = Date.UTC(2026, 0, 1);
const days = 400;
/** Days after the beginning, and for how long nobody is there: over a spring gap, over a double hour, and two weeks. */
const outages = [
  [87, 2],
  [297, 1],
  [151, 14],
] as const;

/** Two instances, all but their background work, through every day: what ran, by its nominal instant. */
async function live(timeZone: string, ifMissed: IfMissed): Promise<ReadonlyMap<number, number>> {
  const clock = manualClock({ now: from });
  const ledger = memoryLedger({ clock });
  const runs = new Map<number, number>();
  const begin = (instance: string) => {
    const closing = new Abortable();
    const host = { service: "shop", instance, clock: () => clock, closing };
    const operations = createOperations(
      { ...host, ledger: async () => ledger, ledgerName: () => ledger.name, committed: () => {}, tell: () => {} },
      undefined,
      1,
    );
    const schedules = createSchedules(
      { ...host, connected: async () => ledger, operation: operations.declare, tell: () => {} },
      undefined,
      true,
    );
    schedules.declare({
      ...{ name: "nightly", at: "30 2 * * *", timeZone, ifStillRunning: "walk-away", ifMissed, retention: "900d" },
      run: async ({ tick }: { readonly tick: { readonly at: Date } }) => {
        runs.set(tick.at.getTime(), (runs.get(tick.at.getTime()) ?? 0) + 1);
      },
    });
    schedules.start(ledger);
    return schedules;
  };
  let present = [begin("a"), begin("b")];
  for (let passed = 0; passed < days; passed += 1) {
    const outage = outages.find(([at]) => at === passed);
    if (outage === undefined) await clock.advance(day);
    else {
      await Promise.all(present.map((schedules) => schedules.drain()));
      passed += outage[1] - 1;
      await clock.advance(outage[1] * day);
      present = [begin("a"), begin("b")];
    }
  }
  await clock.advance(12 * hour);
  await Promise.all(present.map((schedules) => schedules.drain()));
  return runs;
}

const zones = [
  ...["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago", "UTC"],
];
test.each(zones)(
  "through 400 days with 3 outages two instances lose no tick and run none twice, in %s",
  async (zone) => {
    const cadence = cadenceOfCron("30 2 * * *", zone, "s", 1_000);
    const due = cadence.count(from, from + days * day + 12 * hour);
    const every = await live(zone, { run: "every", within: "30d", atMost: 3 });
    expect([...every.values()].every((count) => count === 1)).toBe(true);
    expect(every.size).toBe(due);
    const latest = await live(zone, { run: "latest", within: "6h" });
    expect([...latest.values()].every((count) => count === 1)).toBe(true);
    expect(latest.size).toBeLessThan(every.size);
  },
  120_000,
);
