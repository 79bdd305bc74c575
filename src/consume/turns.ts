import type { Abortable } from "../base/abortable.ts";

/** At most so many at work at once. Whoever waits has a turn in the order in which it came. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether it has a turn, which it is to end; false: `ending` came before. */
  take(ending: Abortable): Promise<boolean> {
    if (this.#free > 0) {
      this.#free -= 1;
      return Promise.resolve(true);
    }
    if (ending.reason !== undefined) return Promise.resolve(false);
    return new Promise((resolve) => {
      const begin = () => {
        ignore();
        resolve(true);
      };
      const ignore = ending.onAbort(() => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        resolve(false);
      });
      this.#waiting.push(begin);
    });
  }

  end(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
