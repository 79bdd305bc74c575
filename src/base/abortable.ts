import { setMaxListeners } from "node:events";

/** What can be aborted, and whose signal is made when somebody asks for it: most work never looks at one. */
export interface Abortable {
  readonly signal: AbortSignal;
  /** `undefined`: it is not aborted. */
  readonly reason: Error | undefined;
  /** The first reason stays. */
  readonly abort: (reason: Error) => void;
}

export function abortable(): Abortable {
  let controller: AbortController | undefined;
  let reason: Error | undefined;
  return {
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        // whoever works may listen as often as it likes
        setMaxListeners(0, controller.signal);
        if (reason !== undefined) controller.abort(reason);
      }
      return controller.signal;
    },
    get reason() {
      return reason;
    },
    abort: (given) => {
      reason ??= given;
      controller?.abort(reason);
    },
  };
}
