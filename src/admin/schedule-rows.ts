import { leastOf } from "../schedule/counters.ts";
import type { Paused, RunningTick, TickEnd } from "../schedule/surface.ts";
import type { ShownSchedule } from "./schedules.ts";

/** What people are told of schedules: as they stand, with instants as numbers, so that they can be sent. */

export interface ScheduleRow extends Omit<ShownSchedule, "owner" | "standing"> {
  readonly owner: string | null;
  /** The next tick that is due, or will be; `null`: none, or it is paused. */
  readonly next: number | null;
  readonly paused: Sent<Paused> | null;
  readonly running: Sent<RunningTick> | null;
  /** Oldest first. */
  readonly ticks: readonly TickRow[];
}
export interface TickRow extends Sent<TickEnd> {
  /** `ticks`, or of more than were counted as many as were: for sums. */
  readonly atLeast: number;
}

/** Instants as milliseconds since the epoch. */
type Sent<T> = {
  readonly [K in keyof T]: T[K] extends Date ? number : T[K] extends Date | null ? number | null : T[K];
};

export function scheduleRow({ name, owner, times, timeZone, each, standing }: ShownSchedule): ScheduleRow {
  const { next, paused, running, ticks } = standing;
  return {
    ...{ name, owner: owner ?? null, times, timeZone, each },
    next: next?.getTime() ?? null,
    paused: paused === null ? null : { ...paused, at: paused.at.getTime() },
    running: running === null ? null : { ...running, at: running.at.getTime(), startedAt: running.startedAt.getTime() },
    ticks: ticks.map(tickRow),
  };
}

export function tickRow(tick: TickEnd): TickRow {
  const { at, from, startedAt, endedAt } = tick;
  return {
    ...tick,
    atLeast: leastOf(tick.ticks),
    at: at.getTime(),
    from: from?.getTime() ?? null,
    startedAt: startedAt?.getTime() ?? null,
    endedAt: endedAt.getTime(),
  };
}
