import { defaults } from "../base/defaults.ts";
import { isRepriseError } from "../base/errors.ts";
import type { Held } from "../contract/lease.ts";
import { nextAt, overlap } from "./due.ts";
import { isAway } from "./held-tick.ts";
import { acquire, type Hold, type Running } from "./hold.ts";
import type { ScheduleState } from "./state.ts";

/** When to look next. `null`: never. */
interface Plan {
  readonly inMs: number | null;
  /** Whether a tick is due then, as far as this instance knows: the lease is tried for at once. */
  readonly forTick: boolean;
}

/**
 * For a tick that is due in so long. A little before it an instance looks once more: then the store's time is fresh, and the
 * connection open that whoever walks away needs; each at a moment of its own.
 */
function planFor(inMs: number | null): Plan {
  const { least, most } = defaults.schedule.aheadMs;
  if (inMs === null || inMs <= most) return { inMs, forTick: true };
  return { inMs: inMs - Math.round(least + Math.random() * (most - least)), forTick: false };
}

/** Looks for a schedule's due ticks in one instance, and runs those that it gets the lease for. */
export class Loop {
  readonly #running: Running;
  #hold: Hold | undefined;
  #performing: Promise<void> = Promise.resolve();
  #looking: Promise<void> = Promise.resolve();
  #cancelTimer = () => {};
  #awayMs: number = defaults.schedule.awayMs.least;
  #stopped = false;
  #warned = false;

  constructor(running: Running) {
    this.#running = running;
  }

  start(): void {
    this.#plan({ inMs: 0, forTick: false });
  }

  /** Begins nothing any more; resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer();
    await this.#looking;
    await this.#performing;
  }

  #plan({ inMs, forTick }: Plan): void {
    this.#cancelTimer();
    if (this.#stopped || inMs === null) return;
    const { clock, register } = this.#running;
    const dueAt = register.now() + inMs;
    this.#cancelTimer = clock.timer(inMs, () => {
      // a timer may fire early, by a fraction of a millisecond or because it holds no longer wait
      const leftMs = dueAt - register.now();
      if (leftMs > 0) this.#plan({ inMs: leftMs, forTick });
      else this.#looking = this.#lookSafely(forTick);
    });
  }

  async #lookSafely(forTick: boolean): Promise<void> {
    try {
      const plan = await this.#look(forTick);
      this.#awayMs = defaults.schedule.awayMs.least;
      this.#plan(plan);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #look(forTick: boolean): Promise<Plan> {
    const { register } = this.#running;
    if (this.#hold !== undefined) return this.#meetOwn(this.#hold);
    // at a tick the lease is asked for first: whoever walks away is told so in one round trip
    if (!forTick) {
      await register.tellTime();
      const state = await register.change((before) => before);
      const now = register.now();
      if (state.paused !== null || (state.current === null && !this.#isDue(state, now))) return this.#untilNext(state);
    }
    const hold = await acquire(this.#running);
    if (this.#stopped) {
      // closed meanwhile: it performs nothing and releases
      if (hold.is === "acquired") await hold.perform();
      return { inMs: null, forTick: false };
    }
    if (hold.is === "held") return this.#meet(hold);
    this.#hold = hold;
    this.#performing = this.#perform(hold);
    return this.#untilTick(register.now());
  }

  async #perform(hold: Hold): Promise<void> {
    let plan: Plan = { inMs: 0, forTick: false };
    try {
      await hold.perform();
    } catch (error) {
      plan = this.#pauseAfter(error);
    }
    // a look that found this hold plans for the tick after next; what is due now would wait for that
    await this.#looking;
    this.#hold = undefined;
    this.#plan(plan);
  }

  /** A tick that comes due while this instance runs one. */
  async #meetOwn(hold: Hold): Promise<Plan> {
    const { register, settings } = this.#running;
    hold.notice(await register.change((state, now) => overlap(state, now, settings.rules)));
    return this.#untilTick(register.now());
  }

  /** Another instance has the lease: nothing is to be done, unless that runs an earlier tick, or crashes. */
  async #meet({ forMs }: Held): Promise<Plan> {
    const { register, settings } = this.#running;
    await register.tellTime();
    const state = await register.change((before, now) => overlap(before, now, settings.rules));
    const now = register.now();
    const { lookMs } = defaults.schedule;
    if (state.current === null) {
      // the holder has not written down yet what it runs
      return this.#isDue(state, now) ? { inMs: lookMs, forTick: false } : this.#untilNext(state);
    }
    const leaseMs = Math.max(lookMs, forMs ?? settings.leaseMs);
    const next = this.#untilTick(now);
    return next.inMs !== null && next.inMs <= leaseMs ? next : { inMs: leaseMs, forTick: false };
  }

  #isDue(state: ScheduleState, now: number): boolean {
    const at = nextAt(state, now, this.#running.settings.rules);
    return at !== null && at <= now;
  }

  #untilNext(state: ScheduleState): Plan {
    const { register, settings } = this.#running;
    const now = register.now();
    if (state.paused !== null) return { ...this.#untilTick(now), forTick: false };
    const at = nextAt(state, now, settings.rules);
    return planFor(at === null ? null : Math.max(0, at - now));
  }

  #untilTick(now: number): Plan {
    const at = this.#running.settings.rules.cadence.next(now);
    return planFor(at === null ? null : at - now);
  }

  #failed(error: unknown): void {
    this.#plan(this.#pauseAfter(error));
  }

  /** A store that is away is asked again later; whatever else keeps a schedule from running is said once. */
  #pauseAfter(error: unknown): Plan {
    const inMs = this.#awayMs;
    this.#awayMs = Math.min(inMs * 2, defaults.schedule.awayMs.most);
    const isOrdinary =
      isAway(error) || isRepriseError(error, "REPRISE_LEASE_LOST") || isRepriseError(error, "REPRISE_FENCED");
    if (!isOrdinary && !this.#warned) {
      this.#warned = true;
      const kind = isRepriseError(error) ? error.code : error instanceof Error ? error.name : typeof error;
      process.emitWarning(
        `Schedule '${this.#running.settings.name}' cannot go on (${kind}) and is tried again; this is said once.`,
        { code: "REPRISE_SCHEDULE_FAILED" },
      );
    }
    return { inMs, forTick: false };
  }
}
