import type { Clock } from "../base/clock.ts";
import { RepriseError } from "../base/errors.ts";
import { unchecked } from "../base/schema.ts";
import type { OperationDeclaration } from "../operation/declaration.ts";
import type { Run } from "../operation/run.ts";
import type { ScheduleRun } from "./declaration.ts";
import { type HeldTick, signalOf } from "./held-tick.ts";
import type { Settings } from "./settings.ts";
import { runWorkList } from "./work-list.ts";

interface TickInput {
  /** The nominal instant, as ISO 8601 in UTC. */
  readonly tick: string;
}

/** The operation whose executions are the runs of a schedule's ticks: the nominal instant is their identity. */
export function tickOperation(
  settings: Settings,
  clock: () => Clock,
  held: (at: number) => HeldTick | undefined,
): OperationDeclaration {
  const { name, declaration } = settings;
  return {
    name,
    owner: declaration.owner,
    input: unchecked<TickInput>(),
    effects: "external",
    ifRunsAgain: "replays",
    costIfTwice: declaration.costIfTwice,
    principal: "everyone",
    identity: ({ tick }: TickInput) => [tick],
    retention: declaration.retention,
    lease: `${settings.leaseMs}ms`,
    "~schedule": true,
    run: (run: Run) => {
      const tick = held(Date.parse((run.input as TickInput).tick));
      // the lease went between the claim and this
      if (tick === undefined) throw new RepriseError("REPRISE_LEASE_LOST", { operation: name });
      if (declaration.work !== undefined) return runWorkList(settings, clock(), tick, run);
      return (declaration.run as (run: ScheduleRun<unknown>) => Promise<unknown>)(runOf(name, tick, run));
    },
  };
}

export function tickInput(at: number): TickInput {
  return { tick: new Date(at).toISOString() };
}

/** Whatever cannot be taken back asks first whether the schedule is still this holder's. */
function runOf(name: string, tick: HeldTick, run: Run): ScheduleRun<unknown> {
  const guarded =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      tick.check();
      return work(...args);
    };
  return {
    tick: { at: new Date(tick.at) },
    token: tick.grip.token,
    signal: signalOf(tick, run),
    effect: guarded(run.effect) as ScheduleRun<unknown>["effect"],
    pinned: guarded(run.pinned) as ScheduleRun<unknown>["pinned"],
    call: guarded(run.call) as ScheduleRun<unknown>["call"],
    progress: run.progress,
    transaction: guarded((work: (tx: unknown) => Promise<unknown>, options?: { readonly name?: string | undefined }) =>
      run.transaction(
        async (tx) => {
          const value = await work(tx);
          await tick.fence(tx, name);
          return value;
        },
        { name: options?.name },
      ),
    ) as ScheduleRun<unknown>["transaction"],
  };
}
