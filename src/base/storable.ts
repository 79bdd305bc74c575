import { isDeepStrictEqual, types } from "node:util";
import { DevalueError, parse, stringify } from "devalue";
import { RepriseError } from "./errors.ts";

/**
 * A value as text, such that it comes back as it was: plain objects, arrays, maps, sets, strings, numbers (NaN and -0
 * too), bigints, booleans, null, undefined, dates, typed arrays and Buffers; shared and cyclic references stay so. A
 * getter is read once; what is not enumerable is left out, as a spread leaves it out.
 *
 * @param what names the value for the error: "the outcome of 'seat.book'"
 * @throws REPRISE_NOT_STORABLE for functions, symbols, instances of classes (also of those that extend Array or Map),
 *   members called __proto__, named members of anything but a plain object, and nesting that overflows the stack; the
 *   error names the path, never the value
 */
export function store(value: unknown, what: string): string {
  try {
    return stringify(value, reducers);
  } catch (error) {
    if (error instanceof DevalueError) {
      const path = error.path || "(itself)";
      throw new RepriseError("REPRISE_NOT_STORABLE", { what, path, kind: kindOf(error.value) });
    }
    // the overflow says nothing of where it was
    if (error instanceof RangeError && /call stack/i.test(error.message)) {
      throw new RepriseError("REPRISE_NOT_STORABLE", { what, path: "(itself)", kind: "nesting too deep" });
    }
    throw error;
  }
}

/** What `store` was given. */
export function restore(text: string): unknown {
  return parse(text, revivers);
}

/** devalue asks this of every value that it meets, once, and knows the path to it. */
const reducers = {
  Buffer(value: unknown): Uint8Array | Changed | undefined {
    if (typeof value !== "object" || value === null) return undefined;
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype === Object.prototype || prototype === null) && !(Symbol.toStringTag in value)) return undefined;
    const isBytes = isBuffer(value, prototype);
    const kind = isBytes || isOrdinary(value, prototype) ? kindByMembers(value) : changeOf(value);
    if (kind !== undefined) return new Changed(kind);
    // a copy, for a Buffer may be a view of a pool, which holds what others wrote
    return isBytes ? new Uint8Array(value) : undefined;
  },
};

const revivers = {
  Buffer: (bytes: Uint8Array) => (typeof Buffer === "undefined" ? bytes : Buffer.from(bytes.buffer)),
};

/** Stands for a value that devalue would change without a word: an instance of a class, it is refused in its place. */
class Changed {
  readonly kind: string;

  constructor(kind: string) {
    this.kind = kind;
  }
}

const instance = "an instance of a class";

function kindOf(refused: unknown): string {
  if (refused instanceof Changed) return refused.kind;
  if (typeof refused !== "object" || refused === null) return `a ${typeof refused}`;
  const prototype: unknown = Object.getPrototypeOf(refused);
  if (prototype !== null && prototype !== Object.prototype) return instance;
  return Object.hasOwn(refused, "__proto__") ? "a member called __proto__" : "a member named by a symbol";
}

/** What devalue takes for more than a plain object, by the name it goes by, and whether a value is what it says. */
const builtIns = new Map<string, (value: object) => boolean>([
  ["Array", Array.isArray],
  ["Date", types.isDate],
  ["Map", types.isMap],
  ["Set", types.isSet],
  ["RegExp", types.isRegExp],
  ["ArrayBuffer", types.isArrayBuffer],
  ["DataView", types.isDataView],
  ["URL", (value) => value instanceof URL],
  ["URLSearchParams", (value) => value instanceof URLSearchParams],
]);
for (const name of ["Number", "String", "Boolean", "BigInt"]) builtIns.set(name, types.isBoxedPrimitive);
for (const name of ["Int8", "Int16", "Int32", "BigInt64", "Float16", "Float32", "Float64"]) {
  builtIns.set(`${name}Array`, types.isTypedArray);
}
for (const name of ["Uint8", "Uint8Clamped", "Uint16", "Uint32", "BigUint64"]) {
  builtIns.set(`${name}Array`, types.isTypedArray);
}

/** Why the value would come back as something else; `undefined`: it would not, or devalue refuses it by itself. */
function changeOf(value: object): string | undefined {
  const isGenuine = builtIns.get(Object.prototype.toString.call(value).slice(8, -1));
  if (isGenuine === undefined) return undefined;
  if (!isGenuine(value)) return kindOf(value);
  // counted instead of compared: what comes from another realm (a test's, a vm's) has prototypes of its own
  if (prototypesOf(value) !== (types.isTypedArray(value) ? 3 : 2)) return instance;
  return kindByMembers(value);
}

function kindByMembers(value: object): string | undefined {
  if (!hasNamedMembers(value)) return undefined;
  return Array.isArray(value) ? "an array with named members" : "a built-in object with named members";
}

function prototypesOf(value: object): number {
  let count = 0;
  for (let above = Object.getPrototypeOf(value); above !== null; above = Object.getPrototypeOf(above)) count += 1;
  return count;
}

/** What outcomes hold most is told by its prototype, several times sooner than by its name. */
function isOrdinary(value: object, prototype: unknown): boolean {
  return prototype === Array.prototype ? Array.isArray(value) : prototype === Date.prototype && types.isDate(value);
}

function isBuffer(value: object, prototype: unknown): value is Buffer {
  return typeof Buffer !== "undefined" && prototype === Buffer.prototype && ArrayBuffer.isView(value);
}

function hasNamedMembers(value: object): boolean {
  // names would be a string for each of its bytes; a view of the same bytes differs by its members alone
  if (types.isTypedArray(value)) return !isDeepStrictEqual(value, value.subarray());
  // names come after indexes
  const last = Object.keys(value).at(-1);
  if (last !== undefined && !isIndex(last, value)) return true;
  const symbols = Object.getOwnPropertySymbols(value);
  return symbols.length > 0 && symbols.some((symbol) => Object.prototype.propertyIsEnumerable.call(value, symbol));
}

function isIndex(name: string, { length = 0 }: { readonly length?: number }): boolean {
  const index = Number(name) >>> 0;
  return String(index) === name && index < length;
}
