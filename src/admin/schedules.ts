import type { Note } from "../contract/ledger.ts";
import type { Inside } from "../observe/inside.ts";
import type { DeclaredSchedule } from "../schedule/schedules.ts";
import type { HeldElsewhere, Standing, TickEnd } from "../schedule/surface.ts";
import { find } from "./declared.ts";

export interface ShownSchedule {
  readonly name: string;
  readonly owner: string | undefined;
  /** The cron expression, or how often. */
  readonly times: string;
  /** `null`: from the epoch on, in no zone. */
  readonly timeZone: string | null;
  /** The operation that its records are run with; `null`: it has no work list. */
  readonly each: string | null;
  readonly standing: Standing;
}

/**
 * The schedules that are declared in this process, by their names: each verb does what the schedule's own does.
 *
 * @throws REPRISE_BAD_DECLARATION for a name that is not declared here; what the schedule's own verb throws
 */
export interface ScheduleAdministration {
  readonly list: () => Promise<readonly ShownSchedule[]>;
  readonly show: (name: string) => Promise<ShownSchedule>;
  /** Its next ticks by this process's clock, one unless `count` says otherwise, whether it is paused or not. */
  readonly next: (name: string, count?: number) => readonly Date[];
  readonly run: (name: string, options?: { readonly at?: Date | undefined }) => Promise<TickEnd | HeldElsewhere>;
  readonly pause: (name: string, note: Note) => Promise<boolean>;
  readonly resume: (name: string, note: Note) => Promise<boolean>;
}

export function administerSchedules(inside: Inside): ScheduleAdministration {
  const scheduleOf = (name: string) => find("schedule", inside.schedules(), name);
  return {
    list: async () => {
      const shown: ShownSchedule[] = [];
      // one after the other: whoever looks takes one connection, not all
      for (const declared of inside.schedules()) shown.push(await show(declared));
      return shown;
    },
    show: async (name) => show(scheduleOf(name)),
    next: (name, count) => scheduleOf(name).next(count),
    run: async (name, options) => scheduleOf(name).run(options),
    pause: async (name, note) => scheduleOf(name).pause(note),
    resume: async (name, note) => scheduleOf(name).resume(note),
  };
}

async function show(schedule: DeclaredSchedule): Promise<ShownSchedule> {
  const { name, owner, declaration } = schedule;
  const { at, every, timeZone = null, each } = declaration;
  const times = at ?? `every ${every}`;
  return { name, owner, times, timeZone, each: each?.name ?? null, standing: await schedule.standing() };
}
