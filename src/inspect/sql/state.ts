import type { Look } from "./conditions.ts";
import type { Guard } from "./guards.ts";
import type { Removal } from "./statements.ts";

/** What is known where a statement stands. Branches work on copies. */
export interface State {
  readonly variables: Map<string, Look>;
  /** What FOUND, ROW_COUNT() and @@ROWCOUNT speak of. */
  last: Look | undefined;
  /** What a handler of NOT FOUND sets, in MySQL. */
  missing: string | undefined;
  /** Looks that found nothing, if this is reached. */
  readonly absent: Look[];
  guards: Guard[];
  removals: Removal[];
  /** Looks with FOR UPDATE in this transaction. */
  locks: Look[];
}

export function emptyState(): State {
  return { variables: new Map(), last: undefined, missing: undefined, absent: [], guards: [], removals: [], locks: [] };
}

/** For a branch that is reached where `absent` have found nothing. */
export function branchOf(state: State, absent: readonly Look[]): State {
  return {
    ...state,
    variables: new Map(state.variables),
    absent: [...state.absent, ...absent],
    guards: [...state.guards],
    removals: [...state.removals],
    locks: [...state.locks],
  };
}

/** What may have happened after either branch. */
export function join(state: State, ...branches: readonly State[]): void {
  for (const { variables } of branches) for (const [name, look] of variables) state.variables.set(name, look);
  state.removals = [...new Set(branches.flatMap(({ removals }) => removals))];
  state.locks = [...new Set(branches.flatMap(({ locks }) => locks))];
}
