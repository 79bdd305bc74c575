import type { Scalar } from "../base/scalar.ts";
import type { Scope } from "./key.ts";

/** What a change does to the entries it names. */
export type ChangeVerb = "expire" | "purge";

/**
 * What changes a cache's data. It names part of a scope; what it leaves out means "every".
 * Made by `outcomeOf`; listed in `changedBy`.
 */
export interface Change<out K extends string, out T = unknown> {
  readonly "~names"?: K;
  readonly "~values"?: T;
  readonly kind: "outcome";
  readonly operation: string;
  readonly verb: ChangeVerb;
  /** The parts of scopes that an outcome of this input changes. */
  readonly scopesOf: (input: never) => readonly Readonly<Record<string, Scalar>>[];
}

/** What a change has to know of an operation. Operations know no caches. */
export interface ChangeSource<out I, out O> {
  readonly name: string;
  readonly "~outcome"?: { readonly input: I; readonly value: O };
}

/**
 * Commits with the operation: applied right after each of its commits (every transaction, and its completion, its
 * parking and a replay), in the process that made it. The scope comes from the input alone: there is a commit before
 * there is a value.
 *
 * @param verb `"purge"` by default: the old value is not served again.
 * @example
 * changedBy: () => [outcomeOf(bookSeat, (input) => ({ workshop: input.workshop }), "expire")]
 */
export function outcomeOf<I, O, const T extends { readonly [name: string]: Scalar }>(
  operation: ChangeSource<I, O>,
  scope: (input: I) => T | readonly T[],
  verb: ChangeVerb = "purge",
): Change<keyof T & string, T> {
  return {
    kind: "outcome",
    operation: operation.name,
    verb,
    scopesOf: (input: I) => {
      const scopes = scope(input);
      return Array.isArray(scopes) ? (scopes as readonly T[]) : [scopes as T];
    },
  };
}

/** A cache's declaration, and what its thunk said once it was asked. */
interface Changeable {
  readonly declaration: { readonly changedBy?: (() => readonly Change<string>[]) | undefined };
  changes: readonly Change<string>[] | undefined;
}

/** What `changedBy` lists, read once. What the thunk throws, this throws. */
export function changesOf(cache: Changeable): readonly Change<string>[] {
  cache.changes ??= cache.declaration.changedBy?.() ?? [];
  return cache.changes;
}

/** After a commit nothing may stand in the way of its invalidation: a cache that cannot say what changes it loses all. */
export function partsChangedBy(
  cache: Changeable,
  operation: string,
  input: unknown,
): readonly (readonly [ChangeVerb, Scope])[] {
  try {
    return changesOf(cache)
      .filter((change) => change.operation === operation)
      .flatMap((change) => partsOf(change, input).map((parts) => [change.verb, parts] as const));
  } catch {
    return [["purge", {}]];
  }
}

/** A scope that cannot be told means every entry. */
function partsOf(change: Change<string>, input: unknown): readonly Scope[] {
  try {
    return change.scopesOf(input as never);
  } catch {
    return [{}];
  }
}
