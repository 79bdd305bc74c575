import type { Clock } from "../base/clock.ts";
import { pause, withDeadline } from "../base/promise.ts";
import { lookAgainMs, type Stay } from "./stay.ts";
import type { Told } from "./told.ts";

/** How a caller waits for work that somebody else is at: it attempts it again, and is told what stands. */

/** The first pause before a waiting caller asks again; it doubles up to a second. */
const firstPollMs = 25;
const longestPollMs = 1_000;

/** @param until by the monotonic clock */
export async function attemptUntil(
  clock: Clock,
  until: number,
  signal: AbortSignal | undefined,
  attempt: () => Promise<Told>,
): Promise<Told> {
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 2, longestPollMs)) {
    const answer = await attempt();
    const left = until - clock.monotonic();
    if (!isUnsettled(answer) || left <= 0) return answer;
    await pause(clock, Math.min(pollMs, left), signal);
  }
}

/**
 * Looks as seldom as it can, for every look is a read of the store that many callers share.
 * @param endedHere resolves when an attempt of this process at the same work has ended; `undefined`: none is at it
 */
export async function attemptWhile(
  clock: Clock,
  stay: Stay,
  endedHere: () => Promise<void> | undefined,
  attempt: () => Promise<Told>,
): Promise<Told> {
  const beganAt = clock.monotonic();
  const until = beganAt + stay.waitMs;
  for (;;) {
    const answer = await attempt();
    const { outcome } = answer;
    const leftMs = until - clock.monotonic();
    if (outcome.status !== "running" || leftMs <= 0) return answer;
    const here = endedHere();
    if (here === undefined) {
      // a store's clock may be ahead of this one, and some tell only by when it had begun: it was there when this began
      const runningMs = Math.max(clock.now() - outcome.since.getTime(), clock.monotonic() - beganAt);
      await pause(clock, Math.min(lookAgainMs(runningMs, stay.takesMs), leftMs));
    } else {
      const late = new Error("it still runs");
      await withDeadline(clock, leftMs, here, () => late).catch(() => {});
    }
  }
}

/** Whether whoever waits asks again. */
function isUnsettled({ outcome }: Told): boolean {
  return outcome.status === "running" || outcome.status === "accepted";
}
