import { systemClock } from "../base/clock.ts";
import { isRepriseError, type RepriseError } from "../base/errors.ts";
import { untilAborted, withDeadline } from "../base/promise.ts";
import { onAbort } from "../base/signals.ts";

export interface Calling {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The error of a store that is away, from what is known of the failure: never its own text, which may hold values. */
  readonly away: (why: string, cause?: Error) => RepriseError;
}

/**
 * One call of a store, however many requests it makes. It ends by its deadline or with the caller's signal, even if a
 * request heeds neither; `work` is given a signal of its own, which then aborts.
 */
export async function calling<T>(
  { deadlineMs, signal, away }: Calling,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const late = (): RepriseError => {
    const error = away(`no answer in ${deadlineMs} ms`);
    stop.abort(error);
    return error;
  };
  const leave = signal && onAbort(signal, () => stop.abort(signal.reason));
  try {
    return await withDeadline(systemClock, deadlineMs, untilAborted(work(stop.signal), signal), late);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (isRepriseError(error)) throw error;
    const label = labelOf(error);
    // a client hangs the request to its error, with its address, its headers and the key in them
    throw away(label, new Error(label));
  } finally {
    leave?.();
  }
}

/** The code that a store or a system gave, else the error's class. */
function labelOf(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const { code, statusCode } = error as { readonly code?: unknown; readonly statusCode?: unknown };
  if (typeof code === "string" && /^[A-Za-z][A-Za-z0-9_]*$/.test(code)) return code;
  return typeof statusCode === "number" ? `HTTP ${statusCode}` : error.name;
}
