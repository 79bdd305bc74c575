import { DevalueError, parse, stringify } from "devalue";
import { RepriseError } from "./errors.ts";

/**
 * A value as text, such that it comes back as it was: plain objects, arrays, maps, sets, strings, numbers (NaN and -0
 * too), bigints, booleans, null, undefined, dates and typed arrays; shared and cyclic references stay so.
 *
 * @param what names the value for the error: "the outcome of 'seat.book'"
 * @throws REPRISE_NOT_STORABLE for functions, symbols and instances of classes; the error names the path, never the value
 */
export function store(value: unknown, what: string): string {
  try {
    return stringify(value);
  } catch (error) {
    if (error instanceof DevalueError) {
      const kind = typeof error.value === "object" ? "an instance of a class" : `a ${typeof error.value}`;
      throw new RepriseError("REPRISE_NOT_STORABLE", { what, path: error.path || "(itself)", kind });
    }
    throw error;
  }
}

/** What `store` was given. */
export function restore(text: string): unknown {
  return parse(text);
}
