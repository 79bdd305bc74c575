import type { Abortable } from "../base/abortable.ts";
import { type Call, createCall } from "./call.ts";
import type { Effects } from "./effects.ts";
import type { Execution } from "./execution.ts";
import { createRefuse } from "./refusing.ts";

/**
 * What the run of external work is handed, its types erased. `signal` is an own member, so that copies have it, and its
 * getter is one function for all: an object with a getter of its own would have a shape of its own, which is dear.
 */
export class Run {
  readonly input: unknown;
  readonly refuse: ReturnType<typeof createRefuse>;
  readonly effect: Effects["effect"];
  readonly pinned: Effects["pinned"];
  readonly transaction: Effects["transaction"];
  readonly call: Call;
  readonly progress: (done: number, total?: number) => void;
  declare readonly signal: AbortSignal;
  readonly #endings: readonly Abortable[];
  #signal: AbortSignal | undefined;

  static readonly #signalMember: PropertyDescriptor & ThisType<Run> = {
    enumerable: true,
    get() {
      // made when the run looks at it, and most never do
      this.#signal ??= AbortSignal.any(this.#endings.map(({ signal }) => signal));
      return this.#signal;
    },
  };

  /** `endings`: what aborts its signal. */
  constructor(
    execution: Execution,
    effects: Effects,
    progress: (done: number, total?: number) => void,
    endings: readonly Abortable[],
  ) {
    this.input = execution.work.input;
    this.refuse = createRefuse(execution.settings);
    this.effect = effects.effect;
    this.pinned = effects.pinned;
    this.transaction = effects.transaction;
    this.call = createCall(execution, effects);
    this.progress = progress;
    this.#endings = endings;
    Object.defineProperty(this, "signal", Run.#signalMember);
  }
}
