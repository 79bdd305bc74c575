import { expect, test } from "vitest";
import { metricsReader } from "../../src/observe/read.ts";
import { declare, gated, minute, quarter, stand, told } from "./schedule-stand.ts";

test("the end of each tick is told once, by the instance that wrote it, and counted in the figures by how it ended", async () => {
  const { clock, instance } = stand();
  const { started, run } = gated();
  const [one, two] = [instance("a"), instance("b")];
  const heard: (readonly [string, string, number | null])[] = [];
  for (const reprise of [one, two]) {
    declare(reprise, { run });
    reprise.on("schedule.tick", ({ schedule, at, is, ticks }) => {
      expect(schedule).toBe("enrich");
      heard.push([at.toISOString().slice(11, 16), is, ticks]);
    });
  }
  await Promise.all([one.start(), two.start()]);
  await clock.advance(2 * quarter + minute);
  started[0]?.end();
  await clock.advance(quarter);
  // it fails as often as it is tried
  for (const index of [1, 2, 3]) {
    started[index]?.end(new TypeError("a text that nobody is told"));
    await clock.advance(20_000);
  }
  expect(heard).toEqual([
    ["00:30", "walked-away", 1],
    ["00:15", "ran", 1],
    ["00:45", "failed", 1],
  ]);
  const reader = metricsReader(one["~inside"]);
  await clock.advance(minute);
  const { schedules } = await reader.read({ range: "1h" });
  reader.stop();
  expect(schedules).toEqual([
    {
      name: "enrich",
      total: { ran: 1, failed: 1, unknown: 0, stopped: 0, "walked-away": 1, missed: 0, paused: 0 },
    },
  ]);
  await Promise.all([one.close(), two.close()]);
});

test("an end that nobody answered for is found again, and not told twice", async () => {
  const { clock, ledger, instance } = stand();
  const { registers } = ledger;
  if (registers === undefined) throw new Error("memory keeps registers");
  let loses = false;
  const reprise = instance("a", {
    ...ledger,
    registers: {
      ...registers,
      replace: async (...args: Parameters<typeof registers.replace>) => {
        const written = await registers.replace(...args);
        // another instance was first, as far as this one knows
        if (loses && JSON.parse(args[1]).ticks.length > 0) {
          loses = false;
          return null;
        }
        return written;
      },
    },
  });
  const heard: string[] = [];
  const schedule = declare(reprise, { run: async () => {} });
  reprise.on("schedule.tick", ({ is }) => heard.push(is));
  await reprise.start();
  loses = true;
  await clock.advance(quarter);
  expect(await told(schedule)).toEqual([[15, "ran"]]);
  expect(heard).toEqual([]);
  await clock.advance(quarter);
  expect(heard).toEqual(["ran"]);
  await reprise.close();
});
