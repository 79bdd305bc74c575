import canonicalize from "canonicalize";
import { RepriseError } from "./errors.ts";
import { sha256 } from "./names.ts";

/**
 * The algorithm of new fingerprints. A stored one is compared by the algorithm of its own version: whoever raises this
 * must hand ledgers the prints of both versions, or every retry of earlier work becomes a mismatch.
 */
export const fingerprintVersion = 1;

/**
 * SHA-256 of the canonical JSON (RFC 8785) of a validated input. Member order does not matter, a member that is
 * `undefined` is no member; what JSON has no word for (dates, bigints, bytes, maps, sets, NaN) is tagged, so that it
 * meets nothing else.
 *
 * @param what names the input for the error
 * @throws REPRISE_NOT_STORABLE for functions, symbols, instances of classes, cycles, nesting deeper than 100, members
 * called `__proto__`, and lone surrogates
 */
export function fingerprint(input: unknown, what: string): { readonly version: number; readonly hash: string } {
  const tagged = tag(input, { what, above: new Set(), path: [] });
  let canonical: string | undefined;
  try {
    canonical = canonicalize(tagged);
  } catch (cause) {
    throw new RepriseError("REPRISE_NOT_STORABLE", { what, path: "(itself)", kind: "text that is no Unicode" }, cause);
  }
  return { version: fingerprintVersion, hash: sha256(canonical ?? "") };
}

/** Stands for what JSON has no word for; an object that has this member itself is tagged too, so the two never meet. */
const mark = "$";

/** Deeper input is nobody's; it would end in an overflow of the stack instead of an answer. */
const deepest = 100;

/** Where a walk through a value is: the objects it is inside of, and the names that led there. */
interface Place {
  readonly what: string;
  readonly above: Set<object>;
  readonly path: string[];
}

function refuse({ what, path }: Place, kind: string): never {
  throw new RepriseError("REPRISE_NOT_STORABLE", { what, path: path.join(".") || "(itself)", kind });
}

function tag(value: unknown, place: Place): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : { [mark]: "number", is: String(value) };
    case "bigint":
      return { [mark]: "bigint", is: value.toString() };
    case "undefined":
      return { [mark]: "undefined" };
    case "object":
      break;
    default:
      return refuse(place, `a ${typeof value}`);
  }
  if (value === null) return null;
  if (place.above.has(value)) return refuse(place, "a cycle");
  if (place.above.size >= deepest) return refuse(place, `nesting deeper than ${deepest}`);
  place.above.add(value);
  const tagged = tagObject(value, place);
  place.above.delete(value);
  return tagged;
}

function tagObject(value: object, place: Place): unknown {
  const inside = (part: unknown, name: string | number) => {
    place.path.push(String(name));
    const tagged = tag(part, place);
    place.path.pop();
    return tagged;
  };
  if (Array.isArray(value)) return Array.from(value, inside);
  if (value instanceof Date) return { [mark]: "date", is: inside(value.getTime(), "time") };
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    // the same bytes as other numbers are other input
    const kind = value instanceof Uint8Array ? "bytes" : Object.prototype.toString.call(value);
    return { [mark]: kind, is: bytes.toString("base64") };
  }
  if (value instanceof Map) {
    const entries = Array.from(value, ([key, part], index) => [inside(key, index), inside(part, index)]);
    return { [mark]: "map", is: entries };
  }
  if (value instanceof Set) return { [mark]: "set", is: Array.from(value, inside) };

  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return refuse(place, "an instance of a class");
  const plain: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    // it could not be stored again as part of an outcome, after the work has run
    if (name === "__proto__") return refuse(place, "a member called __proto__");
    if (part !== undefined) plain[name] = inside(part, name);
  }
  return mark in plain ? { [mark]: "object", is: plain } : plain;
}
