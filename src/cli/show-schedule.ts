import pc from "picocolors";
import type { ScheduleRow, TickRow } from "../admin/schedule-rows.ts";
import type { TickResult } from "../schedule/surface.ts";
import { printable } from "./print.ts";
import { count, inWords } from "./show-pairs.ts";

/** Schedules as a person reads them on a terminal. */

/** `2026-11-29 11:15:00 Europe/Berlin`; in UTC where the schedule knows no zone. */
export function inZone(at: number, timeZone: string | null): string {
  const zone = timeZone ?? "UTC";
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
  return `${parts.format(at)} ${zone}`;
}

export function scheduleLines(schedule: ScheduleRow, listed: number): readonly string[] {
  const { name, times, timeZone, owner, next, paused, running, ticks } = schedule;
  const zone = timeZone === null ? "" : `  ${timeZone}`;
  return [
    `${pc.bold(printable(name))}  ${printable(times)}${zone}  ${printable(owner ?? "no owner")}`,
    ...(paused === null
      ? []
      : [
          pc.yellow(
            `  paused by ${printable(paused.who)} since ${inZone(paused.at, timeZone)}: ${printable(paused.why)}`,
          ),
        ]),
    ...(running === null
      ? []
      : [
          `  running at ${printable(running.holder)}: ${inZone(running.at, timeZone)}${running.starts > 1 ? `, start ${running.starts}` : ""}${running.stopping ? ", asked to stop" : ""}`,
        ]),
    ...(next === null ? [] : [`  next     ${inZone(next, timeZone)}`]),
    ...(ticks.length === 0 ? ["  No tick has come due yet."] : [`  ${summaryOf(ticks)}`]),
    ...ticks
      .slice(-listed)
      .reverse()
      .flatMap((tick) => tickLines(tick, timeZone))
      .map((line) => `  ${line}`),
  ];
}

function summaryOf(ticks: readonly TickRow[]): string {
  const counts = new Map<TickResult, number>();
  for (const { is, atLeast } of ticks) counts.set(is, (counts.get(is) ?? 0) + atLeast);
  const parts = [...counts].map(([is, many]) => `${many} ${words[is]}`);
  return pc.dim(`kept     ${parts.join(", ")}`);
}

const words: Readonly<Record<TickResult, string>> = {
  ran: "ran",
  failed: "failed",
  unknown: "unknown",
  stopped: "stopped",
  "walked-away": "walked away",
  missed: "missed",
  paused: "paused",
};
const needsALook: ReadonlySet<TickResult> = new Set(["failed", "unknown", "missed"]);

export function tickLines(tick: TickRow, timeZone: string | null): readonly string[] {
  const { at, from, ticks, is, startedAt, endedAt, lateMs, why } = tick;
  const several = from === null ? "" : ` (${ticks ?? "many"} ticks from ${inZone(from, timeZone)})`;
  const result = needsALook.has(is) ? pc.yellow(words[is]) : words[is];
  const times = startedAt === null ? [] : [`took ${inWords(endedAt - startedAt)}`];
  const late = (lateMs ?? 0) >= 1_000 ? [`${inWords(lateMs ?? 0)} late`] : [];
  const about = [...late, ...times, ...(why === null ? [] : [printable(why)])].join(", ");
  const records = recordsOf(tick);
  return [
    `${inZone(at, timeZone)}  ${result}${several}${about === "" ? "" : `  ${about}`}`,
    ...(records === null ? [] : [pc.dim(`    ${records}`)]),
  ];
}

function recordsOf({ counts }: TickRow): string | null {
  if (counts === null) return null;
  const { records, ...rest } = counts;
  const parts = Object.entries(rest).flatMap(([name, value]) => (value === 0 ? [] : [`${value} ${name}`]));
  return `${count(records, "record")}${parts.length === 0 ? "" : `: ${parts.join(", ")}`}`;
}
