import type { Clock } from "../../src/base/clock.ts";

/** A clock for waits beside real sockets. */
export interface HurryingClock extends Clock {
  /** The pauses that were made, in milliseconds. */
  readonly pauses: readonly number[];
  /** The platform's. The timer that is set right after it is called bounds it. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Its time moves by pauses alone, and each is over at once: what a test asks for is how long was waited, not to wait.
 * What bounds real sockets does not fire: the timer of a `fetch`, and any of `never` milliseconds or more.
 */
export function hurryingClock(never: number): HurryingClock {
  const start = Date.UTC(2026, 0, 1);
  const pauses: number[] = [];
  let elapsed = 0;
  let sending = false;
  return {
    pauses,
    now: () => start + elapsed,
    monotonic: () => elapsed,
    timer: (ms, work) => {
      const bounds = sending || ms >= never;
      sending = false;
      if (bounds) return () => undefined;
      pauses.push(ms);
      elapsed += ms;
      const immediate = setImmediate(work);
      return () => clearImmediate(immediate);
    },
    fetch: (url, init) => {
      sending = true;
      return fetch(url, init);
    },
  };
}
