import type { Note } from "../contract/ledger.ts";

/** What a schedule offers to its users. */
export interface Schedule {
  readonly name: string;
  /** Its next ticks from now on, by this process's clock; fewer than `count` (default 1) where it names no more dates. */
  readonly next: (count?: number) => readonly Date[];
  /** How it stands, as all instances have written it down. */
  readonly standing: () => Promise<Standing>;
  /**
   * Runs a tick by hand, here and now, paused or not: the newest, or the one of this nominal instant. A tick that has run
   * replays, one that stopped, failed or crashed goes on from what is recorded. `held`: another instance, or this one,
   * runs a tick at this moment; nothing was run.
   * @throws REPRISE_NO_SUCH_TICK
   */
  readonly run: (options?: { readonly at?: Date | undefined }) => Promise<TickEnd | HeldElsewhere>;
  /**
   * From now on no tick starts, in any instance; one that runs is left to its end. False: it is paused already. Who and why
   * are kept, and shown until it resumes.
   * @throws REPRISE_NOTE_MISSING
   */
  readonly pause: (note: Note) => Promise<boolean>;
  /**
   * Ends the pause. What came due meanwhile does not run: it is recorded as paused, in one entry. False: it is not paused.
   * @throws REPRISE_NOTE_MISSING
   */
  readonly resume: (note: Note) => Promise<boolean>;
}

export interface Standing {
  /** When an instance saw the schedule first: earlier ticks are no business of it. `null`: none has. */
  readonly since: Date | null;
  /** Every tick up to this instant runs or has an end. `null`: no instance has seen the schedule. */
  readonly handledUntil: Date | null;
  /** The next tick that is due, or will be; `null`: none, or it is paused. */
  readonly next: Date | null;
  readonly paused: Paused | null;
  /** The tick that runs, or that a crash left behind for whoever takes the lease next; `null`: none. */
  readonly running: RunningTick | null;
  /** The last 200 ends, oldest first. */
  readonly ticks: readonly TickEnd[];
}

export interface Paused extends Note {
  readonly at: Date;
}

export interface RunningTick {
  /** Its nominal instant. */
  readonly at: Date;
  readonly startedAt: Date;
  /** The instance. */
  readonly holder: string;
  readonly token: number;
  /** How often it was taken up; more than once: after a crash, or a lost lease. */
  readonly starts: number;
  /** Whether somebody has asked it to stop. */
  readonly stopping: boolean;
}

/**
 * How a tick ended. `ran`: to its end. `failed`: it threw, as often as it is tried. `unknown`: an effect's answer is lost,
 * and a person settles it. `stopped`: for the next one. `walked-away`: an earlier one was still running. `missed`: nobody
 * could start it in time. `paused`: it came due in a pause.
 */
export type TickResult = "ran" | "failed" | "unknown" | "stopped" | "walked-away" | "missed" | "paused";

export interface TickEnd {
  /** The nominal instant; of several in one entry, the last one's. */
  readonly at: Date;
  readonly is: TickResult;
  /** Of several in one entry, the first one's nominal instant; `null`: it is one tick. */
  readonly from: Date | null;
  /** How many ticks the entry stands for; `null`: more than were counted. */
  readonly ticks: number | null;
  /** `null`: it never started. */
  readonly startedAt: Date | null;
  /** When this was known. */
  readonly endedAt: Date;
  /** From its nominal instant to its start; `null`: it never started. */
  readonly lateMs: number | null;
  /** The instance that ran it, or in whose way it would have been; `null`: none. */
  readonly holder: string | null;
  /** Of its work list; `null`: it has none, or did not come so far. */
  readonly counts: RecordCounts | null;
  /** The class and code of an error, an effect's name, who paused it: never a value. `null`: nothing to say. */
  readonly why: string | null;
}

/** The records of a work list, each under how it ended. */
export interface RecordCounts {
  readonly records: number;
  readonly ran: number;
  /** Their outcome was known, from an earlier tick or another caller. */
  readonly replayed: number;
  readonly refused: number;
  /** An effect's answer is lost, and a person settles it. */
  readonly unknown: number;
  /** They threw; a later tick may list them again. */
  readonly failed: number;
  /** Somebody else was at them for longer than the lease. */
  readonly running: number;
}

export interface HeldElsewhere {
  readonly is: "held";
  /** `null`: the lease store does not tell. */
  readonly holder: string | null;
}
