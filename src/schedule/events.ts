import type { TickResult } from "./surface.ts";

/** What schedules tell while they work: names and instants, never a value. For all else there are counters. */
export type ScheduleEvents = {
  /**
   * A tick has its end, written down by this instance: whoever ran it, or was the first to find that it walked away or was
   * missed. An end whose writing got no answer is not told; `standing()` has it. A tick that failed or was stopped, and is
   * run again by hand, ends again; one that had run does not.
   */
  readonly "schedule.tick": {
    readonly schedule: string;
    /** The nominal instant; of several in one entry, the last one's. */
    readonly at: Date;
    readonly is: TickResult;
    /** How many ticks the entry stands for; `null`: more than were counted. */
    readonly ticks: number | null;
  };
};

/** Tells an event; it is made only if somebody listens. */
export type TellSchedule = <N extends keyof ScheduleEvents>(name: N, make: () => ScheduleEvents[N]) => void;
