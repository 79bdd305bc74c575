import type { Abortable } from "./abortable.ts";
import type { Clock } from "./clock.ts";
import { onAbort } from "./signals.ts";

export type MaybePromise<T> = T | Promise<T>;

/**
 * `work`, or the rejection that `late` makes when it has not settled after `ms`. What settles later is ignored, and its
 * rejection is no unhandled one. Somebody awaits it, so the deadline holds the process: a script whose work hangs must
 * end with the error, not with nothing.
 */
export function withDeadline<T>(clock: Clock, ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.timer(ms, () => reject(late()), "holding");
    work.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}

/**
 * Resolves after `ms`, or rejects with the signal's reason. Somebody awaits it to go on with work, so it holds the
 * process: a script that waits for a lock must not end, with exit code 0, before it had its turn.
 */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    let stopWaiting = () => {};
    const cancel = clock.timer(
      ms,
      () => {
        stopWaiting();
        resolve();
      },
      "holding",
    );
    if (signal === undefined) return;
    stopWaiting = onAbort(signal, () => {
      cancel();
      reject(signal.reason as Error);
    });
  });
}

/** For a time, or until the signal aborts. Its timer keeps no process alive. */
export function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const cancel = clock.timer(ms, () => {
      stop();
      resolve();
    });
    const stop = onAbort(signal, () => {
      cancel();
      resolve();
    });
  });
}

/** Resolves when `work` has settled, or one of these is aborted. */
export function untilEither(work: Promise<unknown>, ...endings: readonly Abortable[]): Promise<void> {
  return new Promise((resolve) => {
    const ignore = endings.map((ending) => ending.onAbort(() => resolve()));
    const settled = () => {
      for (const stop of ignore) stop();
      resolve();
    };
    work.then(settled, settled);
  });
}

/** `work`, or the signal's reason if it aborts first; `work` itself goes on. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const aborted = () => reject(signal.reason as Error);
    if (signal.aborted) aborted();
    work.then(resolve, reject).finally(onAbort(signal, aborted));
  });
}
