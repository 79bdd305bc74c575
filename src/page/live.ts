import type { Clock } from "../base/clock.ts";
import { events } from "./answers.ts";

/** One sampling each second for everybody who listens; none while nobody does. */
export interface Feed {
  readonly listen: () => Response;
  readonly stop: () => void;
}

const everyMs = 1_000;
/** A listener that is so many messages behind gets none until it has caught up. */
const behindAtMost = 8;

export function feedOf(clock: () => Clock, sample: () => Promise<unknown>): Feed {
  const listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  const encoder = new TextEncoder();
  let sampling = false;
  let stopped = false;
  let cancel: (() => void) | undefined;

  const send = (event: string, data: string) => {
    const bytes = encoder.encode(`event: ${event}\ndata: ${data}\n\n`);
    for (const listener of listeners) {
      if ((listener.desiredSize ?? 0) > -behindAtMost) listener.enqueue(bytes);
    }
  };
  const publish = async () => {
    // a sample that takes longer than a second, because a ledger is away, must not look like a lost connection
    if (sampling) return send("beat", "{}");
    sampling = true;
    try {
      send("live", JSON.stringify(await sample()));
    } catch {
      send("beat", "{}");
    } finally {
      sampling = false;
    }
  };
  const tick = () => {
    if (listeners.size === 0 || stopped) {
      cancel = undefined;
      return;
    }
    cancel = clock().timer(everyMs, tick);
    void publish();
  };
  const leave = (listener: ReadableStreamDefaultController<Uint8Array>) => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    cancel?.();
    cancel = undefined;
  };

  return {
    listen: () => {
      let own: ReadableStreamDefaultController<Uint8Array> | undefined;
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => {
          own = controller;
          if (stopped) return controller.close();
          listeners.add(controller);
          // the newcomer has its figures at once, not with the next tick
          if (cancel === undefined) tick();
          else if (!sampling) void publish();
        },
        cancel: () => {
          if (own !== undefined) leave(own);
        },
      });
      return events(body);
    },
    stop: () => {
      stopped = true;
      cancel?.();
      for (const listener of listeners) listener.close();
      listeners.clear();
    },
  };
}
