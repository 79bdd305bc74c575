import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { withDeadline } from "../base/promise.ts";
import type { Ledger } from "../contract/ledger.ts";
import { byIdleTime, parkAbandoned, resumeWork } from "./completer.ts";
import type { Executor } from "./execute.ts";

/** What a completer does again and again, done once, by a process that the platform ends. */

export interface UpkeepOptions {
  readonly clock: Clock;
  /** How many runs it has under way at most. */
  readonly workers: number;
  /** By the monotonic clock. No lease lasts longer, and nothing begins after it. */
  readonly endsAt: number;
}

/**
 * Parks what nobody came back for, goes on with accepted and abandoned work until none is due or the time is up, and deletes
 * what is past its keep. Resolves at the latest when the time is up; what then still runs is taken over by the next.
 */
export async function keepUp(
  ledger: Ledger<unknown>,
  executors: readonly Executor[],
  { clock, workers, endsAt }: UpkeepOptions,
): Promise<void> {
  const leftMs = () => endsAt - clock.monotonic();
  const { sweepBatch } = defaults.background;
  const upkeep = async () => {
    await parkAbandoned(ledger, executors);
    // first, for it is quick: runs may take all of the time
    while (leftMs() > 0 && (await ledger.sweep(sweepBatch)) === sweepBatch);
    for (const [idleMs, group] of byIdleTime(executors))
      await complete(ledger, group, { idleMs, workers, endsAt, leftMs });
  };
  const late = new Error("the time is up");
  await withDeadline(clock, Math.max(0, leftMs()), upkeep(), () => late).catch((error: unknown) => {
    if (error !== late) throw error;
  });
}

interface Round {
  readonly idleMs: number;
  readonly workers: number;
  readonly endsAt: number;
  readonly leftMs: () => number;
}

async function complete(
  ledger: Ledger<unknown>,
  group: readonly Executor[],
  { idleMs, workers, endsAt, leftMs }: Round,
): Promise<void> {
  const named = new Map(group.map((executor) => [executor.settings.name, executor]));
  const tried = new Set<string>();
  while (leftMs() > defaults.functions.leastMs) {
    const due = await ledger.abandoned({ operations: [...named.keys()], idleMs, limit: workers });
    // what failed is due again later: whoever comes next finds it
    const fresh = due.filter(({ id }) => !tried.has(id));
    if (fresh.length === 0) return;
    await Promise.all(
      fresh.map(async (work) => {
        tried.add(work.id);
        const executor = named.get(work.operation);
        if (executor !== undefined) await resumeWork(ledger, executor, work, endsAt);
      }),
    );
  }
}
