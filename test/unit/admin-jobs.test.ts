import { expect, test } from "vitest";
import { administer } from "../../src/admin/index.ts";
import { loadChoices, scheduleChoices } from "../../src/admin/job-choices.ts";
import { loadRow, loadRunRow, windowRows } from "../../src/admin/load-rows.ts";
import { scheduleRow } from "../../src/admin/schedule-rows.ts";
import { scheduleLines } from "../../src/cli/show-schedule.ts";
import { createReprise, type TickEnd } from "../../src/index.ts";
import { noCounts } from "../../src/load/counts.ts";
import type { LoadRun } from "../../src/load/surface.ts";
import { memoryLedger } from "../../src/stores/memory/index.ts";

const from = Date.parse("2026-01-01T00:00:00Z");

/** `done` of them, the first `skipped` by an earlier call, one a second. */
function run(windows: number, done: number, skipped: number, is: LoadRun["is"]): LoadRun {
  return {
    ...{
      run: "sales#1",
      from: null,
      to: null,
      startedAt: new Date(from),
      endedAt: null,
      is,
      holder: null,
      rows: 1_000,
    },
    counts: { ...noCounts, read: done * 10, unchanged: done * 10 },
    windows: Array.from({ length: windows }, (_, index) => ({
      ...{ from: String(index), to: String(index + 1), skipped: index < skipped },
      counts: index < done ? { ...noCounts, read: 10, unchanged: 9, tied: 1, lost: index === 3 ? 5 : 0 } : null,
      doneAt: index < done ? new Date(from + index * 1_000) : null,
    })),
  };
}

test("windows are told one by one, or several in one where there are too many; nothing is lost between", () => {
  const each = windowRows(run(6, 4, 2, "running"), 10);
  expect(each.map(({ done, skipped, running }) => [done, skipped, running])).toEqual([
    ...[
      [1, 1, false],
      [1, 1, false],
      [1, 0, false],
      [1, 0, false],
    ],
    ...[
      [0, 0, true],
      [0, 0, false],
    ],
  ]);
  expect(each[3]).toMatchObject({ from: "3", to: "4", markRefused: 1, counts: { read: 10, tied: 1 } });

  const many = windowRows(run(1_000, 707, 300, "running"), 240);
  expect(many).toHaveLength(200);
  expect(many.reduce((sum, { of }) => sum + of, 0)).toBe(1_000);
  expect(many.reduce((sum, { done }) => sum + done, 0)).toBe(707);
  expect(many.filter(({ running }) => running)).toEqual([expect.objectContaining({ from: "705", to: "710", done: 2 })]);
  expect(windowRows(run(6, 4, 2, "unfinished"), 10).some(({ running }) => running)).toBe(false);
});

test("how fast a run goes is told by the windows of the call that is at it", () => {
  // windows 2 to 5, of which the last three took three seconds; four are left
  expect(loadRunRow(run(10, 6, 2, "running")).pace).toEqual({ rowsPerSecond: 10, remainingMs: 4_000 });
  expect(loadRunRow(run(10, 3, 2, "running")).pace).toBeNull();
  expect(loadRunRow(run(10, 6, 2, "unfinished")).pace).toBeNull();
});

test("a load that is running is looked at only, one that stopped says where it goes on", () => {
  const row = (newest: LoadRun | null) =>
    loadRow({ name: "sales", owner: undefined, from: "staging", into: "fact", newest, refusal: null });
  expect(loadChoices(row(null), true).map(({ does, asks }) => [does, asks])).toEqual([
    ...[
      ["run", "range"],
      ["preview", "range"],
      ["reconcile", "range"],
    ],
  ]);
  expect(loadChoices(row(run(6, 4, 2, "running")), false).map(({ does }) => does)).toEqual(["preview", "reconcile"]);
  expect(loadChoices(row(run(6, 4, 2, "unfinished")), false)[0]?.says).toContain(
    "4 of 6 windows are done and are skipped",
  );
});

function shop() {
  const reprise = createReprise({ service: "shop", owner: "crm", ledger: memoryLedger() });
  reprise.schedule({
    ...{ name: "nightly", at: "0 3 * * *", timeZone: "Europe/Berlin", ifStillRunning: "walk-away" },
    ...{ ifMissed: "skip", costIfTwice: "money", retention: "90d" },
    run: async () => 1,
  });
  return { reprise, ...administer(reprise) };
}

test("a schedule is looked at, paused and resumed by name, and sent with its instants as numbers", async () => {
  const { reprise, schedules } = shop();
  expect((await schedules.list()).map(({ name, times, timeZone }) => [name, times, timeZone])).toEqual([
    ["nightly", "0 3 * * *", "Europe/Berlin"],
  ]);
  const note = { who: "ann", why: "the API is down" };
  expect([await schedules.pause("nightly", note), await schedules.pause("nightly", note)]).toEqual([true, false]);
  const row = scheduleRow(await schedules.show("nightly"));
  expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  expect(row.paused).toMatchObject({ ...note, at: expect.any(Number) });
  expect(scheduleChoices(row, "money").map(({ does }) => does)).toEqual(["resume", "run"]);
  expect(await schedules.resume("nightly", note)).toBe(true);
  expect(schedules.next("nightly", 3)).toHaveLength(3);
  expect(await schedules.run("nightly")).toMatchObject({ is: "ran" });
  await reprise.close();
});

test.each([
  ["no name", { who: " ", why: "x" }],
  ["a reason of several lines", { who: "ann", why: "a\nb" }],
  ["a book", { who: "ann", why: "x".repeat(1_001) }],
])("a pause with %s is refused", async (_, note) => {
  const { reprise, schedules } = shop();
  await expect(schedules.pause("nightly", note)).rejects.toMatchObject({ code: "REPRISE_NOTE_MISSING" });
  await reprise.close();
});

test("what is not declared here is refused, with what there is", async () => {
  const { reprise, loads, schedules } = shop();
  await expect(loads.run("sales")).rejects.toThrow(/load 'sales'.*There is: none/);
  await expect(schedules.run("daily")).rejects.toThrow(/schedule 'daily'.*There is: nightly/);
  await reprise.close();
});

test("an instance that stays aside runs no due tick and resumes nothing, and does what it is asked", async () => {
  let ticks = 0;
  const reprise = createReprise({ service: "shop", owner: "crm", ledger: memoryLedger() });
  reprise["~inside"].stayAside();
  reprise.schedule({
    ...{ name: "always", every: "1ms", ifStillRunning: "walk-away", ifMissed: { run: "latest", within: "1d" } },
    ...{ costIfTwice: "nothing", retention: "1d" },
    run: async () => {
      ticks += 1;
    },
  });
  await reprise.start();
  const { schedules } = administer(reprise);
  expect(await schedules.run("always")).toMatchObject({ is: "ran" });
  expect(ticks).toBe(1);
  expect((await schedules.show("always")).standing.ticks).toHaveLength(1);
  await reprise.close();
});

test("an entry for more ticks than were counted is summed up as the thousand that were, not as one", () => {
  const instant = new Date(from);
  const ended = { startedAt: null, endedAt: instant, lateMs: null, holder: null, counts: null, why: null };
  const ticks: readonly TickEnd[] = [
    { at: instant, is: "missed", from: new Date(from - 3_600_000), ticks: null, ...ended },
  ];
  const standing = { since: instant, handledUntil: instant, next: null, paused: null, running: null, ticks };
  const shown = { name: "poll", owner: "crm", times: "* * * * * *", timeZone: "UTC", each: null, standing };
  expect(scheduleLines(scheduleRow(shown), 0).join("\n")).toContain("1000 missed");
});
