import { RepriseError } from "../base/errors.ts";
import { checkScalar, encodeScalars, type Scalar } from "../base/scalar.ts";

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
  const where = (name: string) => `Scope '${name}' of cache '${cache}'`;
  const whole = (scope: Scope): Scope => {
    if (typeof scope === "object" && scope !== null) return scope;
    throw new RepriseError("REPRISE_BAD_SCALAR", { where: `The scope of cache '${cache}'`, kind: "no object" });
  };
  const encode = (scope: Scope): Key => {
    const parts = whole(scope);
    return encodeScalars(
      names.map((name) => checkScalar(parts[name], where(name))),
      cache,
    );
  };
  const [only] = names;
  const one = names.length === 1 && only !== undefined;
  return {
    find: one ? (scope) => scope?.[only] as Key : encode,
    check: one ? (scope) => checkScalar(whole(scope)[only], where(only)) : encode,
    copy: (scope) => {
      const copy: Record<string, Scalar> = {};
      for (const name of names) {
        const part = checkScalar(scope[name], where(name));
        if (part !== undefined) copy[name] = part;
      }
      return Object.freeze(copy);
    },
  };
}

/** Whether a change that names these parts means this scope. What it leaves out, or does not know, means every. */
export function matches(scope: CheckedScope, parts: Scope, names: readonly string[]): boolean {
  return names.every((name) => parts[name] === undefined || parts[name] === scope[name]);
}
