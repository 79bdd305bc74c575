import type { Clock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import { onAbort } from "../../base/signals.ts";
import type { Appended, WriteJournal } from "../../contract/write-journal.ts";

export interface EncodedWrite {
  readonly key: string;
  readonly scope: string;
  readonly value: string;
}

/** Writes on their way into the journal. */
export interface Inbox {
  /**
   * Resolves when the write is journalled. What it rejects with from the journal leaves open whether it was.
   * @throws REPRISE_WRITE_QUEUE_FULL
   */
  readonly add: (write: EncodedWrite, signal: AbortSignal | undefined) => Promise<void>;
  /** Something arrived: whoever waits for room looks at once. */
  readonly roomMade: () => void;
  /** Resolves when nobody waits. */
  readonly idle: () => Promise<void>;
}

interface Waiting {
  readonly write: EncodedWrite;
  readonly since: number;
  readonly end: (error?: unknown) => void;
}

/**
 * Group commit: what is written while a transaction of the journal is under way goes into the next one together. Writes
 * enter in the order of their calls; one that finds no room stays before all others, or a later write of its key would
 * be overtaken by it.
 */
export function createInbox(options: {
  readonly cache: string;
  readonly queue: string;
  readonly journal: () => Promise<WriteJournal>;
  readonly clock: () => Clock;
  readonly most: number;
  readonly roomMs: number;
  readonly journalled: (appended: Appended) => void;
}): Inbox {
  const { cache, queue, journal, clock, most, roomMs, journalled } = options;
  const { appendBatch, roomLookMs } = defaults.writeBehind;
  const waiting = new Set<Waiting>();
  let running: Promise<void> | undefined;
  let lookAgain = () => {};

  const room = () =>
    new Promise<void>((resolve) => {
      const cancel = clock().timer(roomLookMs, () => lookAgain(), "holding");
      lookAgain = () => {
        lookAgain = () => {};
        cancel();
        resolve();
      };
    });

  /** Whether there was room for all. */
  const append = async (batch: readonly Waiting[]): Promise<boolean> => {
    try {
      const writes = batch.map(({ write }) => write);
      const appended = await (await journal()).append({ queue, writes, most });
      journalled(appended);
      const left = batch.filter((one, index) => {
        const hadRoom = typeof appended.versions[index] === "number";
        if (hadRoom) one.end();
        return !hadRoom && waiting.has(one);
      });
      const now = clock().monotonic();
      for (const one of left) {
        if (now - one.since >= roomMs) {
          one.end(new RepriseError("REPRISE_WRITE_QUEUE_FULL", { cache, most, afterMs: roomMs }));
        }
      }
      return !left.some((one) => waiting.has(one));
    } catch (error) {
      for (const one of batch) one.end(error);
      return true;
    }
  };

  const run = async (): Promise<void> => {
    // a turn of the event loop: requests that arrive together are committed together
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.size > 0) {
      const batch = [...waiting].slice(0, appendBatch);
      if (!(await append(batch))) await room();
    }
    running = undefined;
  };

  return {
    add: (write, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason as Error);
        const one: Waiting = {
          write,
          since: clock().monotonic(),
          end: (error) => {
            waiting.delete(one);
            stopWaiting();
            if (error === undefined) resolve();
            else reject(error as Error);
          },
        };
        const stopWaiting = signal === undefined ? () => {} : onAbort(signal, () => one.end(signal.reason));
        waiting.add(one);
        running ??= run();
      }),
    roomMade: () => lookAgain(),
    idle: async () => {
      await running;
    },
  };
}
