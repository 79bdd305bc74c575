import type { AttemptRecord, EffectRecord, RunState, RunSummary } from "../contract/ledger.ts";
import type { Shown } from "./administration.ts";
import type { Choice } from "./choices.ts";

/** What people are told of runs, on the page and on a terminal: field by field, so that no value or answer is among it. */

export const runStates = ["open", "running", "unknown", "done"] as const satisfies readonly RunState[];

export interface RunRow extends Omit<RunSummary, "id" | "print"> {
  readonly id: string;
  /** `v1 · 9c1e40`: enough to compare two by eye. */
  readonly fingerprint: string;
}

export interface ShownRow {
  readonly run: RunRow;
  readonly effects: readonly Omit<EffectRecord, "answer" | "settlesInMs">[];
  readonly attempts: readonly AttemptRecord[];
  readonly choices: readonly Choice[];
}

export function runRow(run: RunSummary): RunRow {
  const { id, operation, identity, principal, key, owner, state, refused, createdAt, endedAt } = run;
  const { leaseUntil, keepUntil, token, why, print, progress, cancelled } = run;
  const fingerprint = `v${print.version} · ${print.hash.slice(0, 6)}`;
  return {
    ...{ id, operation, identity, principal, key, owner, state, refused, createdAt, endedAt },
    ...{ leaseUntil, keepUntil, token, why, fingerprint, progress, cancelled },
  };
}

export function shownRow({ run, effects, attempts, choices }: Shown): ShownRow {
  return {
    run: runRow(run),
    effects: effects.map(({ effect, kind, state, startedAt, pinnedAt, token }) => {
      return { effect, kind, state, startedAt, pinnedAt, token };
    }),
    attempts: attempts.map(({ at, what, owner, token, why }) => ({ at, what, owner, token, why })),
    choices,
  };
}
