import { expect, test } from "vitest";
import { createReprise } from "../../src/index.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";
import { manualClock } from "../../src/testing/index.ts";

test("smoke", async () => {
  const clock = manualClock();
  const ledger = memoryLedger({ clock });
  const reprise = createReprise({ service: "shop", owner: "team", ledger, clock, instance: "a" });
  const seen: string[] = [];
  const schedule = reprise.schedule({
    name: "x", at: "*/15 * * * *", timeZone: "UTC", ifStillRunning: "walk-away", ifMissed: { run: "latest", within: "6h" },
    costIfTwice: "money", retention: "90d",
    run: async ({ tick, pinned, transaction, token }) => {
      const now = await pinned("now", new Date(clock.now()));
      await transaction(async (tx) => tx.set(`t${token}`, tick.at));
      seen.push(`${tick.at.toISOString()} ${now.toISOString()}`);
      return 1;
    },
  });
  await reprise.start();
  await clock.advance(60 * 60_000 + 1000);
  console.log(seen, JSON.stringify(await schedule.standing(), null, 1));
  expect(seen).toHaveLength(4);
  await reprise.close();
});
