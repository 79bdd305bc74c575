import { setMaxListeners } from "node:events";
import { UnderWay } from "./under-way.ts";

/** What can be aborted, and whose signal is made when somebody asks for it: most work never looks at one. */
export class Abortable {
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  #callbacks: UnderWay<(reason: Error) => void> | undefined;

  /** `undefined`: it is not aborted. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // whoever works may listen as often as it likes
      setMaxListeners(0, this.#controller.signal);
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The first reason stays. */
  abort(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const aborted of this.#callbacks ?? []) aborted(reason);
  }

  /**
   * Calls `aborted` once when it is aborted, at once if it was, unless the function that it returns was called before.
   * Makes no signal for that. A callback must not throw.
   */
  onAbort(aborted: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) {
      aborted(this.#reason);
      return noop;
    }
    this.#callbacks ??= new UnderWay();
    return this.#callbacks.add(aborted);
  }
}

function noop(): void {}
