import { UnderWay } from "./under-way.ts";

/** What waits for each signal, behind the one listener that this module has there. */
const waiting = new WeakMap<AbortSignal, UnderWay<() => void>>();

/**
 * Calls `aborted` once when the signal aborts, unless the function that it returns was called before. However many wait,
 * a signal gets one listener, and loses it when nobody waits any more: Node takes an eleventh for a leak and says so.
 * Nothing is called for a signal that has aborted already. A callback must not throw: those after it would not hear.
 *
 * @example
 * const stop = onAbort(signal, () => reject(signal.reason));
 * work.then(resolve, reject).finally(stop);
 */
export function onAbort(signal: AbortSignal, aborted: () => void): () => void {
  if (signal.aborted) return noop;
  const callbacks = waiting.get(signal) ?? listenTo(signal);
  const leave = callbacks.add(aborted);
  return () => {
    if (!leave() || callbacks.size > 0) return;
    waiting.delete(signal);
    signal.removeEventListener("abort", tell);
  };
}

function listenTo(signal: AbortSignal): UnderWay<() => void> {
  const callbacks = new UnderWay<() => void>();
  waiting.set(signal, callbacks);
  signal.addEventListener("abort", tell, { once: true });
  return callbacks;
}

/** One function for all signals, so that it can be taken off again. */
function tell(this: AbortSignal): void {
  const callbacks = waiting.get(this);
  waiting.delete(this);
  for (const callback of callbacks ?? []) callback();
}

function noop(): void {}
