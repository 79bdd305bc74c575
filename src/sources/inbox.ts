import { onAbort } from "../base/signals.ts";

/** What a broker pushes, kept until it is pulled. */
export class Inbox<T> {
  #waiting: T[] = [];
  #broken: Error | undefined;
  #wake = () => {};

  add(one: T): void {
    this.#waiting.push(one);
    this.#wake();
  }

  /** Whoever pulls is told; what waits is not handed out any more. The first reason stays. */
  break(reason: Error): void {
    this.#broken ??= reason;
    this.#waiting = [];
    this.#wake();
  }

  /** Lets whoever pulls look again. */
  wake(): void {
    this.#wake();
  }

  /** What nobody has pulled, and stays. */
  get waiting(): readonly T[] {
    return this.#waiting;
  }

  /** What nobody has pulled. */
  drain(): readonly T[] {
    return this.#waiting.splice(0);
  }

  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /**
   * At least one, or none where the signal aborts. Rejects where it is broken.
   * @param ask called before each wait
   */
  async pull(most: number, signal: AbortSignal, ask: () => void = () => {}): Promise<readonly T[]> {
    for (;;) {
      if (this.#broken !== undefined) throw this.#broken;
      if (this.#waiting.length > 0) return this.#waiting.splice(0, most);
      if (signal.aborted) return [];
      ask();
      await new Promise<void>((resolve) => {
        const stop = onAbort(signal, resolve);
        this.#wake = () => {
          stop();
          resolve();
        };
      });
    }
  }
}
