import type { Clock } from "../base/clock.ts";
import { untilAborted } from "../base/promise.ts";

export type Attempt =
  | { readonly status: "answered"; readonly response: Response }
  /** Whether it arrived is unknown. */
  | { readonly status: "lost"; readonly why: string; readonly cause: unknown };

/**
 * One attempt, bounded by `ms`. A response counts once its body has come too: a connection that is cut in the middle of an
 * answer has not told it. The body of what is returned is in memory.
 *
 * @throws the reason of `signal`, when it aborts first
 */
export async function attempt(
  send: (signal: AbortSignal) => Promise<Response>,
  bounds: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal | undefined },
): Promise<Attempt> {
  const { clock, ms, signal } = bounds;
  signal?.throwIfAborted();
  const bound = new AbortController();
  const stop = () => bound.abort(signal?.reason);
  const late = new DOMException(`no answer in ${Math.ceil(ms)} ms`, "TimeoutError");
  const answer = async (): Promise<Response> => {
    const response = await send(bound.signal);
    const whole = response.clone();
    await response.arrayBuffer();
    return whole;
  };
  signal?.addEventListener("abort", stop, { once: true });
  const answering = answer();
  const cancel = clock.timer(ms, () => bound.abort(late), "holding");
  try {
    // a `fetch` that does not heed its signal is left behind
    return { status: "answered", response: await untilAborted(answering, bound.signal) };
  } catch (cause) {
    signal?.throwIfAborted();
    return { status: "lost", why: bound.signal.aborted ? "no answer in time" : "no whole answer", cause };
  } finally {
    cancel();
    signal?.removeEventListener("abort", stop);
  }
}
