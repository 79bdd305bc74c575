import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { restore } from "../base/storable.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { Executor } from "./execute.ts";

/** Background work that can be stopped. */
export interface Background {
  /** Resolves when a round that is under way has ended. */
  readonly stop: () => Promise<void>;
}

/**
 * Calls `round` again and again, `everyMs` after the last one ended. A round that fails is no error of anybody's: the
 * ledger was away, and the next one finds the same work.
 */
function repeat(clock: Clock, everyMs: number, round: () => Promise<void>): Background {
  let stopped = false;
  let cancel = () => {};
  let current = Promise.resolve();
  const later = () => {
    cancel = clock.timer(everyMs, () => {
      current = round()
        .catch(() => {})
        .then(() => {
          if (!stopped) later();
        });
    });
  };
  later();
  return {
    stop: () => {
      stopped = true;
      cancel();
      return current;
    },
  };
}

/**
 * Finishes what a crash left behind: resumes work that keeps its input, parks work whose lost answer nobody came back
 * for, and deletes what is past its keep. Every instance runs one; claims decide who gets what.
 */
export function startCompleter(
  clock: Clock,
  ledger: Ledger<unknown>,
  executors: () => readonly Executor[],
): Background {
  const { completeEveryMs, sweepEveryMs, sweepBatch } = defaults.background;
  let stopped = false;

  const complete = async () => {
    const external = executors().filter(({ settings }) => settings.declaration.effects === "external");
    const resuming = new Map(
      external.filter(({ settings }) => settings.resumesByItself).map((executor) => [executor.settings.name, executor]),
    );
    if (resuming.size > 0) {
      for (const work of await ledger.abandoned({ operations: [...resuming.keys()], limit: 10 })) {
        if (stopped) return;
        // its failure is recorded in the ledger, with the time of its next attempt
        await resuming
          .get(work.operation)
          ?.resume(restore(work.input))
          .catch(() => {});
      }
    }
    for (const { settings } of external) {
      if (stopped) return;
      if (!settings.resumesByItself) {
        await ledger.parkAbandoned({ operation: settings.name, afterMs: settings.abandonAfterMs });
      }
    }
  };
  const sweep = async () => {
    while (!stopped && (await ledger.sweep(sweepBatch)) === sweepBatch);
  };

  const rounds = [repeat(clock, completeEveryMs, complete), repeat(clock, sweepEveryMs, sweep)];
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(rounds.map((round) => round.stop()));
    },
  };
}
