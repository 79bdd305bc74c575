import { defaults } from "../base/defaults.ts";

/** Of a caller whom its platform lets stay for a while only: the invocation of a function. */
export interface Stay {
  /**
   * From now on, in milliseconds: what has not ended by then is told as running (REPRISE_RUNNING; REPRISE_LEDGER_AWAY where
   * the ledger has told nothing of it), and no lease lasts longer, so that whoever comes next takes over at once what a
   * platform has stopped.
   */
  readonly ms: number;
  /** So long it waits for work that somebody else is at; at most `ms`. */
  readonly waitMs: number;
  /** How long the work takes as a rule; `null`: nobody says. */
  readonly takesMs: number | null;
  /** Is given what is still under way when the caller is answered. */
  readonly afterwards: (work: Promise<unknown>) => void;
}

/**
 * How long to leave alone what has run for `runningMs`. Each look is a read of the store, and may be one of many callers':
 * none before the work should be over, then in steps that grow with how long it takes beyond that.
 */
export function lookAgainMs(runningMs: number, takesMs: number | null): number {
  const { leastMs, longestMs, growth, marginMs } = defaults.functions.look;
  // a clock that was set back must not make that an hour
  const overMs = Math.max(0, runningMs) - (takesMs ?? 0);
  if (overMs < 0) return marginMs - overMs;
  return Math.min(longestMs, leastMs + overMs * growth);
}
