import { DevalueError, parse, stringify } from "devalue";
import { RepriseError } from "./errors.ts";

/**
 * A value as text, such that it comes back as it was: plain objects, arrays, maps, sets, strings, numbers (NaN and -0
 * too), bigints, booleans, null, undefined, dates and typed arrays; shared and cyclic references stay so.
 *
 * @param what names the value for the error: "the outcome of 'seat.book'"
 * @throws REPRISE_NOT_STORABLE for functions, symbols, instances of classes and members called __proto__; the error
 *   names the path, never the value
 */
export function store(value: unknown, what: string): string {
  try {
    return stringify(value);
  } catch (error) {
    if (error instanceof DevalueError) {
      throw new RepriseError("REPRISE_NOT_STORABLE", {
        what,
        path: error.path || "(itself)",
        kind: kindOf(error.value),
      });
    }
    throw error;
  }
}

function kindOf(refused: unknown): string {
  if (typeof refused !== "object" || refused === null) return `a ${typeof refused}`;
  const prototype: unknown = Object.getPrototypeOf(refused);
  if (prototype !== null && prototype !== Object.prototype) return "an instance of a class";
  return Object.hasOwn(refused, "__proto__") ? "a member called __proto__" : "a member named by a symbol";
}

/** What `store` was given. */
export function restore(text: string): unknown {
  return parse(text);
}
