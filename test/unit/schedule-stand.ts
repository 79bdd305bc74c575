import { createReprise, type Schedule, type ScheduleRun } from "../../src/index.ts";
import type { ScheduleDeclaration } from "../../src/schedule/declaration.ts";
import { type MemoryLedger, type MemoryTransaction, memoryLedger } from "../../src/stores/memory/index.ts";
import { type ManualClock, manualClock } from "../../src/testing/index.ts";

export const minute = 60_000;
export const quarter = 15 * minute;
/** The clock of a stand begins with the year 2026. */
export const begin = Date.UTC(2026, 0, 1);

export const answers = {
  name: "enrich",
  at: "*/15 * * * *",
  timeZone: "UTC",
  ifStillRunning: "walk-away",
  ifMissed: { run: "latest", within: "6h" },
  costIfTwice: "money",
  retention: "90d",
} as const;

export interface Stand {
  readonly clock: ManualClock;
  readonly ledger: MemoryLedger;
  /** Another instance of the service, on the same store. */
  readonly instance: (name: string, ledger?: MemoryLedger) => ReturnType<typeof shop>;
}

function shop(name: string, ledger: MemoryLedger, clock: ManualClock) {
  return createReprise({ service: "shop", owner: "team", ledger, clock, instance: name });
}

export function stand(): Stand {
  const clock = manualClock({ now: begin });
  const ledger = memoryLedger({ clock });
  // one instance that closes must not close the store of the others
  return { clock, ledger, instance: (name, other = ledger) => shop(name, { ...other, close: async () => {} }, clock) };
}

/** Declares with answers that a test varies; the compiler's part is tested elsewhere. */
export function declare(
  reprise: ReturnType<typeof shop>,
  given: Partial<Omit<ScheduleDeclaration, "run">> & {
    readonly run?: (run: ScheduleRun<MemoryTransaction>) => Promise<unknown>;
  },
): Schedule {
  return (reprise.schedule as unknown as (declaration: object) => Schedule)({ ...answers, ...given });
}

/** A run that a test lets end. */
export function gated() {
  const started: { readonly at: number; readonly signal: AbortSignal; readonly end: (error?: Error) => void }[] = [];
  const run = ({ tick, signal }: ScheduleRun<MemoryTransaction>): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (error?: Error) => (error === undefined ? resolve() : reject(error));
      started.push({ at: tick.at.getTime(), signal, end });
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  return { started, run };
}

/** Instant since the stand began, in minutes, and how it ended. */
export async function told(schedule: Schedule): Promise<readonly (readonly [number, string])[]> {
  return (await schedule.standing()).ticks.map(({ at, is }) => [(at.getTime() - begin) / minute, is]);
}
