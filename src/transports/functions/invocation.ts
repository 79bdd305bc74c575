import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { withDeadline } from "../../base/promise.ts";
import type { Stay } from "../../operation/stay.ts";

/** What functions of every platform may say. */
export interface FunctionOptions {
  /**
   * How long the work takes as a rule, such as `"2s"`: whoever finds somebody at it looks again when it should be over, and so
   * reads the store at most four times. Default: not known; then work of more than 550 ms is looked for more often.
   */
  readonly takes?: Duration | undefined;
  /**
   * Where the platform keeps a process for what goes on after the answer: it is given that. What an outcome needs is never
   * among it: that is stored before the answer. Default: awaited before the answer.
   */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

export interface FunctionSettings {
  readonly takesMs: number | null;
  readonly waitUntil: ((work: Promise<unknown>) => void) | null;
}

/** @throws REPRISE_BAD_DURATION */
export function functionSettingsOf({ takes, waitUntil }: FunctionOptions, where: string): FunctionSettings {
  return {
    takesMs: takes === undefined ? null : milliseconds(takes, `${where}, takes`),
    waitUntil: waitUntil ?? null,
  };
}

/** One call of a function, which the platform ends. By the process's own clock: the platform's is not the store's either. */
export class Invocation {
  readonly #settings: FunctionSettings;
  readonly #endsAt: number;
  readonly #afterwards: Promise<unknown>[] = [];

  /** @param leftMs until the platform ends it */
  constructor(settings: FunctionSettings, leftMs: number) {
    this.#settings = settings;
    this.#endsAt = systemClock.monotonic() + leftMs - defaults.functions.marginMs;
  }

  /** What is left of it, as far as anything may still be done with it. */
  get leftMs(): number {
    return Math.max(0, this.#endsAt - systemClock.monotonic());
  }

  get mayBegin(): boolean {
    return this.leftMs >= defaults.functions.leastMs;
  }

  /** @param waitMs how long to wait for others' work at most */
  stay(waitMs = Infinity): Stay {
    const ms = this.leftMs;
    return {
      ms,
      waitMs: Math.min(ms, waitMs),
      takesMs: this.#settings.takesMs,
      afterwards: (work) => this.#afterwards.push(work),
    };
  }

  /** The last thing before the answer. Never rejects. */
  async end(): Promise<void> {
    if (this.#afterwards.length === 0) return;
    const work = Promise.allSettled(this.#afterwards);
    if (this.#settings.waitUntil !== null) return this.#settings.waitUntil(work);
    await withDeadline(systemClock, this.leftMs, work, () => new Error("the time is up")).catch(() => {});
  }
}
