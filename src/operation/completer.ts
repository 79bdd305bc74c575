import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError } from "../base/errors.ts";
import { restore } from "../base/storable.ts";
import type { AbandonedWork, Ledger } from "../contract/ledger.ts";
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
  const { completeEveryMs, sweepEveryMs, sweepBatch, resumedAtOnce } = defaults.background;
  const resuming = new Set<string>();
  let stopped = false;

  /** Goes on with one piece of work. What nobody can go on with is parked, or it would stand before all others for ever. */
  const resume = async (executor: Executor, work: AbandonedWork): Promise<void> => {
    let attempt: Promise<unknown>;
    try {
      attempt = executor.resume(work.name, restore(work.input));
    } catch (error) {
      const why = isRepriseError(error) ? error.code : "its input cannot be read";
      await ledger.parkStalled(work, why);
      return;
    }
    // a failure is recorded in the ledger, with the time of the next attempt
    await attempt.catch(() => {});
  };

  const complete = async () => {
    const external = executors().filter(({ settings }) => settings.resumesByItself);
    const named = new Map(external.map((executor) => [executor.settings.name, executor]));
    if (named.size === 0 || resuming.size >= resumedAtOnce) return;
    const due = await ledger.abandoned({
      operations: [...named.keys()],
      resumedBelow: defaults.operation.resumeAttempts,
      limit: resumedAtOnce,
    });
    for (const work of due) {
      const executor = named.get(work.operation);
      if (stopped || executor === undefined || resuming.has(work.id) || resuming.size >= resumedAtOnce) continue;
      resuming.add(work.id);
      // not awaited: one run that never ends must not stand in the way of all others
      resume(executor, work)
        .catch(() => {})
        .finally(() => resuming.delete(work.id));
    }
  };
  const park = async () => {
    const abandonable = executors().filter(
      ({ settings }) => settings.declaration.effects === "external" && !settings.resumesByItself,
    );
    const queries = abandonable.map(({ settings }) => ({ operation: settings.name, afterMs: settings.abandonAfterMs }));
    if (queries.length > 0) await ledger.parkAbandoned(queries);
  };
  const sweep = async () => {
    while (!stopped && (await ledger.sweep(sweepBatch)) === sweepBatch);
  };

  const rounds = [
    repeat(clock, completeEveryMs, complete),
    repeat(clock, sweepEveryMs, park),
    repeat(clock, sweepEveryMs, sweep),
  ];
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(rounds.map((round) => round.stop()));
    },
  };
}
