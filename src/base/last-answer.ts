import type { Clock } from "./clock.ts";

export interface AskedNow<T> {
  readonly clock: Clock;
  readonly ask: () => Promise<T>;
  /** What is told where nobody has answered, or not in time. */
  readonly unknown: T;
  readonly everyMs: number;
  readonly withinMs: number;
}

/** What was answered last: whoever draws a figure waits for nobody. */
export class LastAnswer<T> {
  readonly #asked: AskedNow<T>;
  #last: T;
  #askedAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(asked: AskedNow<T>) {
    this.#asked = asked;
    this.#last = asked.unknown;
  }

  /** Asks anew behind what it answers, now and then. */
  get latest(): T {
    const { clock, everyMs } = this.#asked;
    const now = clock.monotonic();
    if (!this.#stopped && now - this.#askedAt >= everyMs) {
      this.#askedAt = now;
      void this.#ask();
    }
    return this.#last;
  }

  /** Asks no more, and keeps what was answered. */
  stop(): void {
    this.#stopped = true;
  }

  /** Never rejects, and holds no process that would end. */
  async #ask(): Promise<void> {
    const { clock, ask, unknown, withinMs } = this.#asked;
    let cancel = () => {};
    const late = new Promise<T>((resolve) => {
      cancel = clock.timer(withinMs, () => resolve(unknown));
    });
    // an old figure would be taken for one of now
    const told = (async () => ask())().catch(() => unknown);
    this.#last = await Promise.race([told, late]);
    cancel();
  }
}
