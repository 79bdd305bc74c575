import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";

/** One thing at a time, in the order of asking: what a single connection needs when its users work asynchronously. */
export interface Turns {
  /**
   * Runs `work` when its turn comes; `deadline` is the monotonic time by which it should hold its lock.
   * @throws REPRISE_LEDGER_SELF_WAIT at once, when the caller's own turn is what it would wait for
   * @throws REPRISE_LEDGER_BUSY when the turn did not come in time
   */
  readonly take: <T>(work: (deadline: number) => Promise<T>) => Promise<T>;
  /** Marks `work` as running inside a turn, so that waiting for it from within is noticed. */
  readonly within: <T>(work: () => Promise<T>) => Promise<T>;
  /** Resolves when nobody works or waits. */
  readonly idle: () => Promise<void>;
}

interface Holder {
  readonly place: unknown;
  readonly outer: Holder | undefined;
  open: boolean;
}

/** Made at the first use: on Node 20 every await of a process costs more once one exists. */
let holders: AsyncLocalStorage<Holder> | undefined;

/** `place` is what turns are taken at (a file by its path), so that two ledgers on one file notice each other. */
export function createTurns(options: {
  readonly ledger: string;
  readonly place: unknown;
  readonly clock: Clock;
  readonly waitMs: number;
}): Turns {
  const { ledger, place, clock, waitMs } = options;
  const waiting: (() => void)[] = [];
  const watchers: (() => void)[] = [];
  let taken = false;

  const pass = () => {
    const next = waiting.shift();
    if (next !== undefined) return next();
    taken = false;
    for (const watcher of watchers.splice(0)) watcher();
  };

  const wait = () =>
    new Promise<void>((resolve, reject) => {
      const start = () => {
        cancel();
        resolve();
      };
      const cancel = clock.timer(waitMs, () => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(new RepriseError("REPRISE_LEDGER_BUSY", { ledger, afterMs: waitMs }));
      });
      waiting.push(start);
    });

  return {
    take: async (work) => {
      for (let holder = holders?.getStore(); holder !== undefined; holder = holder.outer) {
        if (holder.open && holder.place === place) throw new RepriseError("REPRISE_LEDGER_SELF_WAIT", { ledger });
      }
      const deadline = clock.monotonic() + waitMs;
      if (taken) await wait();
      taken = true;
      try {
        return await work(deadline);
      } finally {
        pass();
      }
    },
    within: async (work) => {
      holders ??= new AsyncLocalStorage();
      const holder: Holder = { place, outer: holders.getStore(), open: true };
      try {
        return await holders.run(holder, work);
      } finally {
        // what the work left running may wait from now on
        holder.open = false;
      }
    },
    idle: () => (taken ? new Promise((resolve) => watchers.push(resolve)) : Promise.resolve()),
  };
}
