import { defaults } from "../base/defaults.ts";
import type { EndedTick } from "./state.ts";
import type { RecordCounts, TickResult } from "./surface.ts";

/** The ticks whose ends one instance has written since its process started, each under how it ended. */
export type ScheduleCounters = Record<TickResult, number>;

export function createScheduleCounters(): ScheduleCounters {
  return { ran: 0, failed: 0, unknown: 0, stopped: 0, "walked-away": 0, missed: 0, paused: 0 };
}

export function countEnd(counters: ScheduleCounters, { is, ticks }: EndedTick): void {
  counters[is] += leastOf(ticks);
}

/** Of more than were counted, as many as were. */
export function leastOf(ticks: number | null): number {
  return ticks ?? defaults.schedule.lookedThrough;
}

/** Records that have no end which stays: a later tick, a person or whoever is at them brings it. */
export function withoutEnd({ failed, unknown, running }: RecordCounts): number {
  return failed + unknown + running;
}
