import { createWriteBehind, type WriteBehindSettings } from "../../src/cache/write/queue.ts";
import { newestWriteJournal } from "../../src/contract/newest-writes.ts";
import type { WriteJournal } from "../../src/contract/write-journal.ts";
import { manualClock } from "../../src/testing/clock.ts";

export interface Sent {
  readonly scope: object;
  readonly value: unknown;
  readonly version: number;
}

/** One call of the source, as the test holds it. */
export interface Call {
  readonly writes: readonly Sent[];
  readonly signal: AbortSignal;
  readonly arrive: () => void;
  readonly fail: (error: unknown) => void;
}

/** A source that keeps the newest version of each key and remembers every call. */
export function createSource() {
  const values = new Map<string, unknown>();
  const versions = new Map<string, number>();
  const batches: string[][] = [];
  const outOfOrder: string[] = [];
  return {
    values,
    batches,
    /** Writes that came after a newer one of their key. */
    outOfOrder,
    take: (writes: readonly Sent[]) => {
      for (const { scope, value, version } of writes) {
        const { id } = scope as { readonly id: string };
        if (version < (versions.get(id) ?? 0)) outOfOrder.push(`${id}=${String(value)}`);
        versions.set(id, version);
        values.set(id, value);
      }
    },
  };
}

/** A queue on a clock that stands still, over one journal, which a second queue may share. */
export function writeBehindStand(options: Partial<WriteBehindSettings> = {}) {
  const clock = manualClock();
  const source = createSource();
  const calls: Call[] = [];
  let poisoned: (write: Sent) => boolean = () => false;
  let isHeld = false;
  let isAway = false;
  const inMemory = newestWriteJournal(
    () => clock.now(),
    async (_, work) => work(),
  );
  const journal: { current: WriteJournal } = { current: inMemory };

  const writeMany = (writes: readonly Sent[], { signal }: { readonly signal: AbortSignal }): Promise<void> => {
    source.batches.push(writes.map(({ scope, value }) => `${(scope as { id: string }).id}=${String(value)}`));
    if (isHeld) {
      return new Promise((resolve, reject) => {
        calls.push({
          ...{ writes, signal, fail: reject },
          arrive: () => {
            source.take(writes);
            resolve();
          },
        });
      });
    }
    if (isAway) return Promise.reject(new TypeError("the source is away: SECRET"));
    if (writes.some(poisoned)) return Promise.reject(new RangeError("no such value: SECRET"));
    source.take(writes);
    return Promise.resolve();
  };

  const create = (more: Partial<WriteBehindSettings> = {}) =>
    createWriteBehind({
      cache: "views",
      journal: async () => journal.current,
      acceptLoss: undefined,
      writeMany,
      clock: () => clock,
      random: () => 0,
      ...options,
      ...more,
    });
  const queue = create();

  return {
    clock,
    source,
    calls,
    journal,
    inMemory,
    queue,
    create,
    write: (id: string, value: unknown, signal?: AbortSignal) => queue.write(id, { id }, value, signal),
    poison: (is: (write: Sent) => boolean) => {
      poisoned = is;
    },
    hold: (held: boolean) => {
      isHeld = held;
    },
    away: (away: boolean) => {
      isAway = away;
    },
    call: (place: number): Call => {
      const one = calls[place];
      if (one === undefined) throw new Error(`call ${place} was not made`);
      return one;
    },
  };
}
