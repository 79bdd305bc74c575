import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { onAbort } from "../base/signals.ts";

/**
 * Waits between looks for messages: shortly at first, longer while nothing comes, shortly again once somebody published in
 * this process. A commit tells nobody, so the look after a publication comes a moment later, and others soon after it. Its
 * timer keeps no process alive.
 */
export class Waiter {
  #nextMs: number = defaults.outbox.lookMs.least;
  #hurry: () => void = () => {};

  /** Something was published, and is committed soon. */
  published(): void {
    this.#nextMs = defaults.outbox.lookMs.least;
    this.#hurry();
  }

  /** Something was found. */
  found(): void {
    this.#nextMs = defaults.outbox.lookMs.least;
  }

  /** Until it is time to look again, or the signal aborts. */
  wait(clock: Clock, signal: AbortSignal): Promise<void> {
    const { lookMs } = defaults.outbox;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(waitMs * 2, lookMs.most);
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      let cancel = () => {};
      const end = () => {
        cancel();
        stop();
        this.#hurry = () => {};
        resolve();
      };
      const stop = onAbort(signal, end);
      cancel = clock.timer(waitMs, end);
      this.#hurry = () => {
        cancel();
        cancel = clock.timer(lookMs.least, end);
        // however many follow, that look is not put off
        this.#hurry = () => {};
      };
    });
  }
}
