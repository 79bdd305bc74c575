import type { Clock } from "../base/clock.ts";

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /**
   * Moves both times on by `ms` and runs the timers that come due, earliest first, each at its own instant. Promises
   * settle before the first timer, after each and at the end, so what a timer set going is done as far as it can be.
   */
  readonly advance: (ms: number) => Promise<void>;
  /** Moves `now` alone, as a corrected system clock does; no timer runs. */
  readonly jump: (ms: number) => void;
  /** How many timers wait. */
  readonly pending: () => number;
}

interface Timer {
  readonly due: number;
  readonly work: () => void;
}

/**
 * Starts at `now` (milliseconds since the epoch; by default the start of 2026), its monotonic time at 0.
 *
 * @example
 * const clock = manualClock();
 * const late = pause(clock, 1_000);
 * await clock.advance(1_000);
 * await late;
 */
export function manualClock(options: { readonly now?: number | undefined } = {}): ManualClock {
  let offset = options.now ?? Date.UTC(2026, 0, 1);
  let elapsed = 0;
  const timers = new Set<Timer>();

  const earliest = (until: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) {
      if (timer.due <= until && (first === undefined || timer.due < first.due)) first = timer;
    }
    return first;
  };

  return {
    now: () => offset + elapsed,
    monotonic: () => elapsed,
    timer: (ms, work) => {
      const timer = { due: elapsed + Math.max(ms, 0), work };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: async (ms) => {
      const until = elapsed + ms;
      await settle();
      for (let timer = earliest(until); timer !== undefined; timer = earliest(until)) {
        timers.delete(timer);
        elapsed = Math.max(elapsed, timer.due);
        timer.work();
        await settle();
      }
      elapsed = Math.max(elapsed, until);
      await settle();
    },
    jump: (ms) => {
      offset += ms;
    },
    pending: () => timers.size,
  };
}

/** An immediate runs after every promise that needs nothing from outside has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
