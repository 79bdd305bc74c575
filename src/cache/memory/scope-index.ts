import type { Scalar } from "../../base/scalar.ts";
import type { Scope } from "../key.ts";
import type { Parts } from "./slots.ts";

/**
 * What is kept for scopes: a Map for each name, one inside the other, so that a lookup compares the caller's own values
 * and builds no key. Below a value under which only one scope is kept stands what is kept itself and no further Map.
 */
export interface ScopeIndex<T> {
  /** Needs no checked scope: what is no scalar was never stored, so it is not found. */
  readonly find: (scope: Scope) => T | undefined;
  readonly get: (parts: Parts) => T | undefined;
  readonly set: (parts: Parts, kept: T) => void;
  readonly delete: (parts: Parts) => void;
  readonly size: () => number;
  /** May change while it is iterated. */
  readonly values: () => Iterable<T>;
}

type Part = Scalar | undefined;
type Node<T> = Map<unknown, T | Node<T>>;

/** @param partsOf the parts of what is kept; it must be no Map. */
export function createScopeIndex<T extends number | object>(
  names: readonly string[],
  partsOf: (kept: T) => Parts,
): ScopeIndex<T> {
  return names.length === 1 ? createFlat(names[0] as string) : createNested(names, partsOf);
}

function createFlat<T>(name: string): ScopeIndex<T> {
  const map = new Map<unknown, T>();
  return {
    find: (scope) => map.get(scope?.[name]),
    get: (parts) => map.get(parts),
    set: (parts, kept) => map.set(parts, kept),
    delete: (parts) => map.delete(parts),
    size: () => map.size,
    values: () => map.values(),
  };
}

function createNested<T extends number | object>(names: readonly string[], partsOf: (kept: T) => Parts): ScopeIndex<T> {
  const root: Node<T> = new Map();
  const last = names.length - 1;
  const first = names[0] as string;
  let size = 0;

  const isAt = (kept: T, of: (depth: number) => unknown, from: number): boolean => {
    const parts = partsOf(kept) as readonly Part[];
    for (let depth = from; depth <= last; depth += 1) if (parts[depth] !== of(depth)) return false;
    return true;
  };
  const descend = (of: (depth: number) => unknown): T | undefined => {
    let node = root;
    for (let depth = 0; ; depth += 1) {
      const next = node.get(of(depth));
      if (next === undefined) return undefined;
      if (!(next instanceof Map)) return isAt(next, of, depth + 1) ? next : undefined;
      node = next;
    }
  };
  const at = (parts: Parts) => (depth: number) => (parts as readonly Part[])[depth];

  return {
    find: (scope) => {
      if (scope === undefined || scope === null) return undefined;
      const next = root.get(scope[first]);
      if (next === undefined) return undefined;
      // two names are what most scopes have: their lookup is written out
      if (last === 1) {
        const second = scope[names[1] as string];
        if (next instanceof Map) return next.get(second) as T | undefined;
        return (partsOf(next) as readonly Part[])[1] === second ? next : undefined;
      }
      return descend((depth) => scope[names[depth] as string]);
    },
    get: (parts) => descend(at(parts)),
    set: (parts, kept) => {
      const of = at(parts);
      let node = root;
      for (let depth = 0; ; depth += 1) {
        const part = of(depth);
        const next = node.get(part);
        if (next instanceof Map) {
          node = next;
        } else if (next === undefined || depth === last || isAt(next, of, depth + 1)) {
          if (next === undefined) size += 1;
          node.set(part, kept);
          return;
        } else {
          // a second scope below this value: both move one name further down
          const below: Node<T> = new Map([[(partsOf(next) as readonly Part[])[depth + 1], next]]);
          node.set(part, below);
          node = below;
        }
      }
    },
    delete: (parts) => {
      const of = at(parts);
      const path: Node<T>[] = [];
      let node = root;
      for (let depth = 0; ; depth += 1) {
        const next = node.get(of(depth));
        if (next === undefined) return;
        path.push(node);
        if (next instanceof Map) {
          node = next;
          continue;
        }
        if (!isAt(next, of, depth + 1)) return;
        node.delete(of(depth));
        size -= 1;
        for (let above = depth - 1; above >= 0 && path[above + 1]?.size === 0; above -= 1)
          path[above]?.delete(of(above));
        return;
      }
    },
    size: () => size,
    values: () => valuesBelow(root),
  };
}

function* valuesBelow<T>(node: Node<T>): Iterable<T> {
  for (const next of node.values()) {
    if (next instanceof Map) yield* valuesBelow(next);
    else yield next;
  }
}
