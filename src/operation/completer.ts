import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError } from "../base/errors.ts";
import type { AbandonedWork, Ledger } from "../contract/ledger.ts";
import type { Executor } from "./execute.ts";
import { decodeKept } from "./record.ts";
import type { Told } from "./told.ts";

/** Background work that can be stopped. */
export interface Background {
  /** Resolves when a round that is under way has ended. */
  readonly stop: () => Promise<void>;
}
export interface Completer extends Background {
  /** There is work to claim now: the next round does not wait for its time. */
  readonly wake: () => void;
}

/**
 * Calls `round` again and again, `everyMs` after the last one ended. A round that fails is no error of anybody's: the
 * ledger was away, and the next one finds the same work.
 */
function repeat(clock: Clock, everyMs: number, round: () => Promise<void>): Completer {
  let stopped = false;
  let cancel = () => {};
  let underWay = false;
  let again = false;
  let current = Promise.resolve();
  // whoever wakes it is some request: what it runs must not see whose
  const outside = AsyncLocalStorage.snapshot();
  const begin = () => {
    underWay = true;
    again = false;
    current = round()
      .catch(() => {})
      .then(() => {
        underWay = false;
        if (!stopped) cancel = clock.timer(again ? 0 : everyMs, begin);
      });
  };
  cancel = clock.timer(everyMs, begin);
  return {
    wake: () => {
      // one that is awaited already must not be put off: woken all the time it would never begin
      if (stopped || again) return;
      // a round that is under way may have looked before there was something to find
      again = true;
      if (underWay) return;
      cancel();
      outside(() => {
        cancel = clock.timer(0, begin);
      });
    },
    stop: () => {
      stopped = true;
      cancel();
      return current;
    },
  };
}

/** Goes on with one piece of work. What nobody can go on with is parked, or it would stand before all others for ever. */
export async function resumeWork(
  ledger: Ledger<unknown>,
  executor: Executor,
  work: AbandonedWork,
  endsAt: number | null = null,
): Promise<void> {
  let attempt: Promise<Told>;
  try {
    if (work.resumes >= defaults.operation.resumeAttempts) {
      await ledger.parkStalled(work, `${work.resumes} attempts ended without an answer`);
      return;
    }
    attempt = executor.resume(work.name, decodeKept(work.input), endsAt);
  } catch (error) {
    const why = isRepriseError(error) ? error.code : "its input cannot be read";
    await ledger.parkStalled(work, why);
    return;
  }
  // a failure is recorded in the ledger, with the time of the next attempt
  const told = await attempt.catch(() => undefined);
  if (told?.outcome.status === "mismatch") await ledger.parkStalled(work, "its input is no longer what was asked for");
}

/** Those whose work an instance may go on with, by how long others leave it alone. */
export function byIdleTime(executors: readonly Executor[]): ReadonlyMap<number, readonly Executor[]> {
  const groups = new Map<number, Executor[]>();
  for (const executor of executors) {
    const { resumesByItself, broughtWithinMs } = executor.settings;
    if (resumesByItself) groups.set(broughtWithinMs, [...(groups.get(broughtWithinMs) ?? []), executor]);
  }
  return groups;
}

/** Parks work whose lost answer nobody came back for. */
export async function parkAbandoned(ledger: Ledger<unknown>, executors: readonly Executor[]): Promise<void> {
  const abandonable = executors.filter(
    ({ settings }) => settings.declaration.effects === "external" && !settings.resumesByItself,
  );
  const queries = abandonable.map(({ settings }) => ({ operation: settings.name, afterMs: settings.abandonAfterMs }));
  if (queries.length > 0) await ledger.parkAbandoned(queries);
}

/**
 * Runs what was accepted, and finishes what a crash left behind: goes on with work that keeps its input, parks work whose
 * lost answer nobody came back for, and deletes what is past its keep. Every instance runs one; claims decide who gets what.
 *
 * @param workers how many runs it has under way at most; 0: it runs none
 */
export function startCompleter(
  clock: Clock,
  ledger: Ledger<unknown>,
  executors: () => readonly Executor[],
  workers: number,
): Completer {
  const { completeEveryMs, sweepEveryMs, sweepBatch } = defaults.background;
  const resuming = new Set<string>();
  /** More is due than the workers could take: whoever ends looks for the next. */
  let moreIsDue = false;
  let stopped = false;

  /** Goes on with what is due of operations whose work others leave alone for as long. True: there may be more. */
  const completeAfter = async (idleMs: number, group: readonly Executor[]): Promise<boolean> => {
    const named = new Map(group.map((executor) => [executor.settings.name, executor]));
    // what is being claimed at this moment is still found
    const limit = workers + resuming.size;
    const due = await ledger.abandoned({ operations: [...named.keys()], idleMs, limit });
    for (const work of due) {
      const executor = named.get(work.operation);
      if (stopped || executor === undefined || resuming.has(work.id) || resuming.size >= workers) continue;
      resuming.add(work.id);
      // not awaited: one run that never ends must not stand in the way of all others
      resumeWork(ledger, executor, work)
        .catch(() => {})
        .finally(() => {
          resuming.delete(work.id);
          if (moreIsDue) completing.wake();
        });
    }
    return due.length === limit;
  };
  const complete = async () => {
    moreIsDue = false;
    for (const [idleMs, group] of byIdleTime(executors())) {
      const isFull = resuming.size >= workers;
      moreIsDue = isFull || (await completeAfter(idleMs, group)) || moreIsDue;
    }
  };
  const park = () => parkAbandoned(ledger, executors());
  const sweep = async () => {
    while (!stopped && (await ledger.sweep(sweepBatch)) === sweepBatch);
  };

  const completing = repeat(clock, completeEveryMs, complete);
  const rounds = [completing, repeat(clock, sweepEveryMs, park), repeat(clock, sweepEveryMs, sweep)];
  return {
    wake: completing.wake,
    stop: async () => {
      stopped = true;
      await Promise.all(rounds.map((round) => round.stop()));
    },
  };
}
