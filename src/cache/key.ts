import { RepriseError } from "../base/errors.ts";
import { checkScalar, type Scalar } from "../base/scalar.ts";
import type { Parts } from "./memory/slots.ts";

/** A scope as a caller hands it over. */
export type Scope = Readonly<Record<string, unknown>>;
/** The parts of a scope that a cache declares, checked; a part left out is absent. */
export type CheckedScope = Readonly<Record<string, Scalar>>;

export interface Keys {
  /** The parts to keep under. @throws REPRISE_BAD_SCALAR */
  readonly check: (scope: Scope) => Parts;
  /** What was checked, as a scope of its own: a load must not see what else a caller's object carries. */
  readonly scope: (parts: Parts) => CheckedScope;
}

export function createKeys(cache: string, names: readonly string[]): Keys {
  const places = names.map((name) => ({ name, where: `Scope '${name}' of cache '${cache}'` }));
  const only = places.length === 1 ? places[0] : undefined;
  return {
    check: (scope) => {
      if (typeof scope !== "object" || scope === null) {
        throw new RepriseError("REPRISE_BAD_SCALAR", { where: `The scope of cache '${cache}'`, kind: "no object" });
      }
      if (only !== undefined) return checkScalar(scope[only.name], only.where);
      return places.map(({ name, where }) => checkScalar(scope[name], where));
    },
    scope: (parts) => {
      const scope: Record<string, Scalar> = {};
      const all = Array.isArray(parts) ? (parts as readonly (Scalar | undefined)[]) : [parts as Scalar | undefined];
      for (const [place, { name }] of places.entries()) {
        const part = all[place];
        if (part !== undefined) scope[name] = part;
      }
      return Object.freeze(scope);
    },
  };
}

/** An injective text: no two scopes of a cache share one. */
export function encodeKey(parts: Parts): string {
  if (!Array.isArray(parts)) return encode(parts as Scalar | undefined);
  let key = "";
  for (const part of parts as readonly (Scalar | undefined)[]) key += encode(part);
  return key;
}

/** Its first character tells the part's kind, and its length or its last character where it ends. */
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
