import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { pause } from "../base/promise.ts";
import type { Grip, Held, LeaseStore } from "../contract/lease.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Lease } from "../lease/lease.ts";
import { type Taken, takeLease } from "../lease/take.ts";
import { labelOf } from "../operation/endings.ts";
import type { RuntimeOperation } from "../operation/operations.ts";
import { withoutEnd } from "./counters.ts";
import { begin, beginAsked, type Came, end, endOf } from "./due.ts";
import { HeldTick, isAway } from "./held-tick.ts";
import type { StateRegister } from "./register.ts";
import type { Settings } from "./settings.ts";
import { type EndedTick, isCounts, type ScheduleState } from "./state.ts";
import { tickInput } from "./tick-operation.ts";

/** A schedule on its stores, in one instance. */
export interface Running {
  readonly settings: Settings;
  readonly instance: string;
  readonly clock: Clock;
  readonly ledger: Ledger<unknown>;
  readonly leases: LeaseStore<unknown>;
  /** Of the lease and of the register. */
  readonly key: string;
  readonly register: StateRegister;
  readonly operation: RuntimeOperation;
  /** The ticks that this process holds, for their runs. */
  readonly held: Map<number, HeldTick>;
  /** Aborted when the instance begins to close: nothing begins any more. */
  readonly draining: Abortable;
  /** Aborted when it waits no longer. */
  readonly closing: Abortable;
}

/** Takes the schedule's lease, or says who has it. */
export async function acquire(running: Running): Promise<Hold | Held> {
  const { leases, key, instance, settings, clock, closing } = running;
  const taken = await takeLease({
    ...{ clock, leases, name: key, holder: instance, closing },
    ...{ operation: settings.name, leaseMs: settings.leaseMs },
  });
  return taken.is === "held" ? taken : new Hold(running, taken);
}

/** The right to run a schedule's ticks, from its acquisition to its release. */
export class Hold {
  readonly is = "acquired";
  readonly #running: Running;
  readonly #grip: Grip;
  readonly #lease: Lease;
  readonly #giveBack: () => Promise<void>;
  #tick: HeldTick | undefined;

  constructor(running: Running, { grip, lease, giveBack }: Taken) {
    this.#running = running;
    this.#grip = grip;
    this.#lease = lease;
    this.#giveBack = giveBack;
  }

  /**
   * Runs what is due until nothing is, or the tick that was asked for. Told is how that one ended; `undefined`: it has no
   * end, and whoever takes the lease next goes on with it.
   */
  async perform(asked?: number): Promise<EndedTick | undefined> {
    const { settings, instance, register, draining } = this.#running;
    const holder = { name: instance, token: this.#grip.token };
    try {
      while (draining.reason === undefined) {
        this.#lease.check();
        let tick: number | null = null;
        await register.change((state, now) => {
          const begun =
            asked === undefined
              ? begin(state, now, holder, settings.rules)
              : beginAsked(state, asked, now, holder, settings.rules);
          tick = begun.tick;
          return begun.state;
        });
        if (tick === null) return undefined;
        const came = await this.#run(tick);
        if (came === undefined) return undefined;
        let last: EndedTick | undefined;
        await register.change((state, now) => {
          // an answer that was lost: it is written already
          if (state.current?.token === holder.token) last = endOf(state, state.current, came, now);
          return end(state, came, now, holder);
        });
        if (tick === asked) return last;
      }
      return undefined;
    } finally {
      await this.#giveBack();
    }
  }

  /** Tells the tick under way that somebody has asked it to stop. */
  notice({ stop }: ScheduleState): void {
    if (this.#tick === undefined || stop !== this.#tick.at) return;
    this.#tick.stopping.abort(new RepriseError("REPRISE_TICK_STOPPED", { schedule: this.#running.settings.name }));
  }

  /** Tries a tick as often as it is tried. `undefined`: it is left to whoever takes the lease next. */
  async #run(at: number): Promise<Came | undefined> {
    const { ledger, leases, held, draining, settings, clock, register } = this.#running;
    const tick = new HeldTick(at, this.#grip, this.#lease, leases, ledger, draining);
    this.#tick = tick;
    held.set(at, tick);
    const stopLooking = settings.rules.ifStillRunning === "stop-it" ? this.#lookForStop() : () => {};
    try {
      const pausesMs: readonly number[] = defaults.schedule.retryPausesMs;
      for (let tries = 0; ; tries += 1) {
        try {
          return await this.#attempt(tick);
        } catch (error) {
          if (this.#lease.losing.reason !== undefined || draining.reason !== undefined) return undefined;
          if (tick.stopping.reason !== undefined) return { is: "stopped", counts: tick.counts, why: null };
          // the store's absence is no failure of the work: the tick is taken up again when it is back
          if (isAway(error)) throw error;
          const now = register.now();
          const pauseMs = pausesMs[tries];
          const next = settings.rules.cadence.next(now);
          if (pauseMs === undefined || (next !== null && next <= now + pauseMs)) {
            return { is: "failed", counts: tick.counts, why: labelOf(error) };
          }
          // what ends it is found at the next attempt
          await pause(clock, pauseMs, this.#ending(tick)).catch(() => {});
        }
      }
    } finally {
      stopLooking();
      held.delete(at);
      this.#tick = undefined;
    }
  }

  /** One execution of the tick's work, or what became of an earlier one. */
  async #attempt(tick: HeldTick): Promise<Came> {
    const { settings, clock, operation } = this.#running;
    const { least, most } = defaults.schedule.recordLookMs;
    // a crashed holder's claim ends within a lease of its own
    const until = clock.monotonic() + 2 * settings.leaseMs;
    for (let waitMs: number = least; ; waitMs = Math.min(waitMs * 2, most)) {
      tick.checkNext();
      const outcome = await operation.execute(tickInput(tick.at));
      switch (outcome.status) {
        case "done": {
          const counts = settings.declaration.work !== undefined && isCounts(outcome.value) ? outcome.value : null;
          const open = counts === null ? 0 : withoutEnd(counts);
          const why = open === 0 ? null : `${open} of ${counts?.records} records did not end`;
          return { is: "ran", counts, why, replayed: outcome.replayed };
        }
        case "unknown":
          return { is: "unknown", counts: tick.counts, why: outcome.effect };
        case "running":
          if (clock.monotonic() >= until) {
            const { retryAfterMs } = outcome;
            throw new RepriseError("REPRISE_RUNNING", { operation: settings.name, retryAfterMs });
          }
          await pause(clock, waitMs, this.#ending(tick));
          break;
        default:
          return { is: "failed", counts: tick.counts, why: outcome.status };
      }
    }
  }

  #ending(tick: HeldTick): AbortSignal {
    return AbortSignal.any([...tick.endings, tick.draining].map(({ signal }) => signal));
  }

  /** Looks whether another instance asks for the end of the tick. */
  #lookForStop(): () => void {
    const { clock, register } = this.#running;
    let stopped = false;
    let cancel = () => {};
    const look = () => {
      register
        .read()
        .then((state) => state !== null && this.notice(state))
        .catch(() => {})
        .finally(() => {
          if (!stopped) cancel = clock.timer(defaults.schedule.stopLookMs, look);
        });
    };
    cancel = clock.timer(defaults.schedule.stopLookMs, look);
    return () => {
      stopped = true;
      cancel();
    };
  }
}
