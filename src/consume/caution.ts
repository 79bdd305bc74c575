import { defaults } from "../base/defaults.ts";

/**
 * Whether messages go together. Where sharing a transaction does not pay, because one of them undoes it or because it takes
 * long, many go singly before it is tried again: twice as many after each failure, half as many after each success.
 */
export class Caution {
  /** So many go singly after the next failure, halved; 0: nothing is known against sharing. */
  #penalty = 0;
  /** So many more go singly. */
  #singly = 0;
  /** What was begun before the last failure says nothing new. */
  #failures = 0;
  /** How long one takes by itself, in the mean; `null`: none has. */
  #aloneMs: number | null = null;

  /** @param busy transactions that are shared at this moment */
  maySend(busy: number): boolean {
    return this.#singly === 0 && busy < (this.#penalty === 0 ? defaults.consume.batch.atOnce : 1);
  }

  /** Whether one that comes now is not to wait for others, which counts it as gone singly. */
  goesSingly(busy: number): boolean {
    if (this.#singly > 0) {
      this.#singly -= 1;
      return true;
    }
    // one transaction tells whether it pays again
    return this.#penalty > 0 && busy > 0;
  }

  /** A transaction that takes longer costs more than it spares. */
  get longestMs(): number {
    const { least, ofAlone } = defaults.consume.batch.longestMs;
    return Math.max((this.#aloneMs ?? 0) * ofAlone, least);
  }

  /** So long one waits for those before it. */
  get longestWaitMs(): number {
    return Math.min(this.longestMs, defaults.consume.batch.longestMs.wait);
  }

  /** @param ms from its beginning to its answer */
  wentAlone(ms: number): void {
    this.#aloneMs = this.#aloneMs === null ? ms : this.#aloneMs + (ms - this.#aloneMs) / 16;
  }

  /** Returns what is told how a shared transaction, or a wait for one, has ended. */
  begin(): (ms: number, isWhole: boolean) => void {
    const failures = this.#failures;
    return (ms, isWhole) => {
      if (failures !== this.#failures) return;
      if (isWhole && ms <= this.longestMs) this.#succeed();
      else this.#fail();
    };
  }

  #succeed(): void {
    const { least } = defaults.consume.batch.singly;
    this.#penalty = this.#penalty < 2 * least ? 0 : this.#penalty / 2;
  }

  #fail(): void {
    const { least, most } = defaults.consume.batch.singly;
    this.#failures += 1;
    this.#penalty = Math.min(Math.max(this.#penalty * 2, least), most);
    this.#singly = this.#penalty;
  }
}
