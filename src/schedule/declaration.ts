import type { Config, Decision, Owned, RefusedCall } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { MaybePromise } from "../base/promise.ts";
import type { LeaseStore } from "../contract/lease.ts";
import type { Cost, ExternalRun, Storable } from "../operation/declaration.ts";
import type { Schedule } from "./surface.ts";

/** What a schedule declares, and what the compiler refuses of it. */

/** A time for which work is due. */
export interface Tick {
  /**
   * Its nominal instant: what the cron expression names, however late it starts. The identity of its run; a time that a
   * rerun must meet again is made of this one, never of the clock's.
   */
  readonly at: Date;
}

/** What the work list of a tick is read with. */
export type Look<Tx> = {
  readonly tick: Tick;
  /** Aborted when the tick is to end. */
  readonly signal: AbortSignal;
} & ([Tx] extends [never]
  ? unknown
  : {
      /** A transaction of the ledger, for reading: it ends before the first record starts. */
      readonly tx: Tx;
    });

/** What the run of a tick is given: a run with external effects, and what fences outside resources. */
export interface ScheduleRun<Tx>
  // biome-ignore lint/complexity/noBannedTypes: no refusals at all
  extends Pick<ExternalRun<never, {}, Tx>, "effect" | "pinned" | "call" | "progress"> {
  readonly tick: Tick;
  /** Greater with each holder of the schedule: an outside resource that compares it refuses one that was replaced. */
  readonly token: number;
  /** Aborted when the lease is lost, when the tick is asked to stop, and when the instance closes without waiting longer. */
  readonly signal: AbortSignal;
  /**
   * Commits what `work` writes together with its own record: it happens once in a tick, however often that is resumed. It
   * commits only if nobody has taken the tick over, nor, where the ledger keeps the leases, the schedule.
   */
  readonly transaction: [Tx] extends [never]
    ? RefusedCall<"this ledger has no transactions">
    : <T>(work: (tx: Tx) => Promise<T>, options?: { readonly name?: string | undefined }) => Promise<T>;
}

/** An operation that the records of a work list are run with: each under the identity that the operation makes of it. */
export interface Each<in In> {
  readonly name: string;
  readonly execute: (record: In) => Promise<{ readonly status: string }>;
}

export type IfStillRunning = "walk-away" | "after-it" | "stop-it";
export type IfMissed =
  | "skip"
  | { readonly run: "latest"; readonly within: Duration }
  | { readonly run: "every"; readonly within: Duration; readonly atMost: number };

interface Zoned {
  /** Whose wall clock `at` names: `"Europe/Berlin"`, `"UTC"`. */
  readonly timeZone: string;
  readonly every?: "a schedule has 'at' or 'every', not both" | undefined;
}
interface Stepped {
  /** From the epoch on, in steps of so long: `"5m"` is due at :00, :05, :10. It knows no time zone. */
  readonly every: Duration;
  readonly timeZone?: "'every' counts from the epoch and knows no time zone: use 'at'" | undefined;
}

interface Answers {
  /** Unique among the schedules and operations of an instance; part of every record's identity. */
  readonly name: string;
  /**
   * What becomes of a tick that comes due while an earlier one still runs. `"walk-away"`: it is recorded and does not run.
   * `"after-it"`: it waits for its end. `"stop-it"`: the earlier one's `signal` is aborted, and the tick runs when that has
   * ended. No two ticks of a schedule ever run on purpose at the same time.
   */
  readonly ifStillRunning: IfStillRunning;
  /**
   * What becomes of ticks that nobody could start in time. `"skip"`: they are recorded as missed (a minute late is in
   * time). `latest`: the newest runs, if it is no older than `within`. `every`: all no older than `within` run, oldest
   * first, at most `atMost` (2 or more) between one tick and the next. What is older is recorded as missed.
   */
  readonly ifMissed: IfMissed;
  /** How long the outcome of a tick is kept: within it, running the tick by hand again repeats nothing. */
  readonly retention: Duration;
  /** Of the right to run, renewed at a third of it; a crash is felt for as long. Default 30 s. */
  readonly lease?: Duration | undefined;
  /** Who keeps that lease. Default: the ledger. */
  readonly leases?: LeaseStore<unknown> | undefined;
}

interface Runs<O, Tx> {
  /** What a tick does. What it returns is its outcome, kept for `retention`. */
  readonly run: (run: ScheduleRun<Tx>) => Promise<Storable<O>>;
  readonly work?: "a schedule has 'run', or 'work' and 'each'" | undefined;
  readonly atOnce?: "'atOnce' is for the records of 'work' and 'each'" | undefined;
}
interface Works<In, Tx> {
  /**
   * The work list of a tick. Its upper bound is `tick.at`, so that a rerun lists no more than the first run did; what is
   * done already may be left out, and what is listed again is replayed.
   */
  readonly work: (look: Look<Tx>) => MaybePromise<readonly In[]>;
  /** So many records at once. Default 4. */
  readonly atOnce?: number | undefined;
  readonly run?: "a schedule has 'run', or 'work' and 'each'" | undefined;
}

/**
 * Declares work that is due by the clock. Every instance that has started looks for due ticks; one of them runs each.
 *
 * @throws REPRISE_BAD_DECLARATION also for an expression that names no date, and for a time zone that is none;
 *   REPRISE_NAME_TWICE, REPRISE_BAD_DURATION
 * @example
 * const enrich = reprise.schedule({
 *   name: "customers.enrich", at: "*\/15 * * * *", timeZone: "Europe/Berlin",
 *   ifStillRunning: "walk-away", ifMissed: { run: "latest", within: "6h" }, costIfTwice: "money", retention: "90d",
 *   work: ({ tick, tx }) => pending(tx, tick.at), each: enrichCustomer,
 * });
 */
export type ScheduleVerb<C extends Config> = <
  O,
  A extends string | undefined = undefined,
  E extends Each<never> | undefined = undefined,
>(
  declaration: Answers & {
    /**
     * A cron expression of five fields, or of six with seconds first. A time that a change of the clocks skips comes at its
     * end, one that comes twice is taken once; an expression with a wildcard hour goes through both.
     */
    readonly at?: A;
    /** Runs each record as a piece of work of its own: a crash between two of them, or within one, repeats none. */
    readonly each?: E;
    // undefined first, in both: without `strict` it is a string, and an operation, too
  } & ([A] extends [undefined] ? Stepped : Zoned) &
    Owned<C> &
    Decision<C, { readonly costIfTwice: Cost }> &
    ([E] extends [undefined] ? Runs<O, C["tx"]> : E extends Each<infer In> ? Works<In, C["tx"]> : never),
) => Schedule;

/** A declaration as `createReprise` received it, its types checked by the compiler, its rest by `settingsOf`. */
export interface ScheduleDeclaration {
  readonly name: string;
  readonly owner?: string | undefined;
  readonly at?: string | undefined;
  readonly timeZone?: string | undefined;
  readonly every?: Duration | undefined;
  readonly ifStillRunning: IfStillRunning;
  readonly ifMissed: IfMissed;
  readonly costIfTwice?: Cost | undefined;
  readonly retention: Duration;
  readonly lease?: Duration | undefined;
  readonly leases?: LeaseStore<unknown> | undefined;
  readonly atOnce?: number | undefined;
  readonly work?: ((look: never) => MaybePromise<readonly unknown[]>) | undefined;
  readonly each?: Each<never> | undefined;
  readonly run?: ((run: never) => Promise<unknown>) | undefined;
}
