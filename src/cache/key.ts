import { RepriseError } from "../base/errors.ts";
import { checkScalar, type Scalar } from "../base/scalar.ts";

/** A scope as a caller hands it over. */
export type Scope = Readonly<Record<string, unknown>>;
/** The parts of a scope that a cache declares, checked; a part left out is absent. */
export type CheckedScope = Readonly<Record<string, Scalar>>;
/** What a Map tells apart: the bare value of a scope of one name, an injective text of several. */
export type Key = Scalar | undefined;

export interface Keys {
  /**
   * The key to look for, without a check where none is needed: what is no scalar was never stored, so it is not found.
   * @throws REPRISE_BAD_SCALAR
   */
  readonly find: (scope: Scope) => Key;
  /** The key to store under. @throws REPRISE_BAD_SCALAR */
  readonly check: (scope: Scope) => Key;
  /**
   * A copy of the declared parts alone: a load must not see what else a caller's object carries, nor later changes to it.
   */
  readonly copy: (scope: Scope) => CheckedScope;
}

export function createKeys(cache: string, names: readonly string[]): Keys {
  const places = names.map((name) => ({ name, where: `Scope '${name}' of cache '${cache}'` }));
  const whole = (scope: Scope): Scope => {
    if (typeof scope === "object" && scope !== null) return scope;
    throw new RepriseError("REPRISE_BAD_SCALAR", { where: `The scope of cache '${cache}'`, kind: "no object" });
  };
  const encodeAll = (scope: Scope): Key => {
    const parts = whole(scope);
    let key = "";
    for (const { name, where } of places) key += encode(checkScalar(parts[name], where));
    return key;
  };
  const only = places.length === 1 ? places[0] : undefined;
  return {
    find: only === undefined ? encodeAll : (scope) => scope?.[only.name] as Key,
    check: only === undefined ? encodeAll : (scope) => checkScalar(whole(scope)[only.name], only.where),
    copy: (scope) => {
      const copy: Record<string, Scalar> = {};
      for (const { name, where } of places) {
        const part = checkScalar(scope[name], where);
        if (part !== undefined) copy[name] = part;
      }
      return Object.freeze(copy);
    },
  };
}

/**
 * One part of a key, injective wherever it stands: its first character tells its kind, and its length or its last
 * character where it ends. It runs on every hit, where JSON would cost twice as much.
 */
function encode(part: Scalar | undefined): string {
  switch (typeof part) {
    case "string":
      return `${part.length}:${part}`;
    case "number":
      return `n${part};`;
    case "bigint":
      return `i${part};`;
    case "boolean":
      return part ? "t" : "f";
    default:
      return "u";
  }
}

/** Whether a change that names these parts means this scope. What it leaves out, or does not know, means every. */
export function matches(scope: CheckedScope, parts: Scope, names: readonly string[]): boolean {
  return names.every((name) => parts[name] === undefined || parts[name] === scope[name]);
}
