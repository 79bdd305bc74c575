import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import { type MaybePromise, pause, untilAborted, withDeadline } from "../base/promise.ts";
import { attempt } from "./attempt.ts";
import { backoff, leavesDoubt, type Pauses, retryAfterMs } from "./retry.ts";

export interface Bounds {
  readonly clock: Clock;
  /** All together, and one attempt. */
  readonly deadlineMs: number;
  readonly attemptMs: number;
  readonly pauseMs: Pauses;
  readonly signal: AbortSignal | undefined;
}

export interface Told {
  readonly response: Response;
  /** Whether an attempt before this answer may have done the work, or begun it. */
  readonly inDoubt: boolean;
}

/** One call from its beginning to its deadline: its attempts and the pauses between. */
export interface Course {
  /** @throws REPRISE_KEYS_UNUSABLE; the signal's reason */
  readonly withKeys: <T>(work: () => MaybePromise<T>) => Promise<T>;
  /**
   * Sends until an answer is not `passing`.
   *
   * @param key for the error
   * @param previous an answer that says when to come back
   * @throws REPRISE_MAY_HAVE_HAPPENED; the signal's reason
   */
  readonly ask: (
    send: (signal: AbortSignal) => Promise<Response>,
    passing: (response: Response) => MaybePromise<boolean>,
    key: string,
    previous?: Response,
  ) => Promise<Told>;
}

export function createCourse({ clock, deadlineMs, attemptMs, pauseMs, signal }: Bounds): Course {
  const begun = clock.monotonic();
  const left = () => Math.max(1, begun + deadlineMs - clock.monotonic());
  let attempts = 0;

  const pauseAfter = (made: number, response: Response | null): number => {
    const asked = response === null ? null : retryAfterMs(response.headers, clock.now());
    // drawn on top of what the server asks for: it may have told many the same
    return (asked ?? 0) + backoff(made, pauseMs, Math.random());
  };

  const ask: Course["ask"] = async (send, passing, key, previous) => {
    let inDoubt = false;
    let waitMs = previous === undefined ? 0 : pauseAfter(1, previous);
    let last = "accepted";
    let cause: unknown;
    for (let made = 1; ; made += 1) {
      // no attempt would fit before the deadline: whoever waits is told now
      if (waitMs >= left()) {
        const afterMs = Math.round(clock.monotonic() - begun);
        throw new RepriseError("REPRISE_MAY_HAVE_HAPPENED", { key, attempts, afterMs, last }, cause);
      }
      if (waitMs > 0) await pause(clock, waitMs, signal);
      attempts += 1;
      const told = await attempt(send, { clock, ms: Math.min(attemptMs, left()), signal });
      if (told.status === "answered") {
        const { response } = told;
        if (!(await passing(response))) return { response, inDoubt };
        inDoubt ||= leavesDoubt(response);
        last = `status ${response.status}`;
        cause = undefined;
      } else {
        inDoubt = true;
        last = told.why;
        cause = told.cause;
      }
      waitMs = pauseAfter(made, told.status === "answered" ? told.response : null);
    }
  };

  const withKeys: Course["withKeys"] = async (work) => {
    const unusable = (why: string, cause?: unknown) => new RepriseError("REPRISE_KEYS_UNUSABLE", { why }, cause);
    const late = () => unusable("they gave no answer before the deadline");
    try {
      return await untilAborted(withDeadline(clock, left(), (async () => work())(), late), signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw error instanceof RepriseError ? error : unusable("they failed, as the cause tells", error);
    }
  };

  return { ask, withKeys };
}
