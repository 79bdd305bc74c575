/** Time, so that a test can hold it still. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. For instants that are stored and shown. */
  readonly now: () => number;
  /** Milliseconds from some start; never jumps. For deadlines inside one process. */
  readonly monotonic: () => number;
  /** Runs `work` once after `ms`. Keeps no process alive, unless it is `holding`. Returns what cancels it. */
  readonly timer: (ms: number, work: () => void, holding?: "holding") => () => void;
}

/** Node's timers hold 31 bits; a longer wait would fire at once. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  timer: (ms, work, holding) => {
    const timer = setTimeout(work, Math.min(ms, longestTimer));
    if (holding === undefined) timer.unref();
    return () => clearTimeout(timer);
  },
};
