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
 * @throws REPRISE_NOT_STORABLE for functions, symbols, instances of classes, cycles and lone surrogates
 */
export function fingerprint(input: unknown, what: string): { readonly version: number; readonly hash: string } {
  const tagged = tag(input, what, "", []);
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

function tag(value: unknown, what: string, path: string, above: readonly object[]): unknown {
  const refuse = (kind: string): never => {
    throw new RepriseError("REPRISE_NOT_STORABLE", { what, path: path || "(itself)", kind });
  };
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
      return refuse(`a ${typeof value}`);
  }
  if (value === null) return null;
  if (above.includes(value)) return refuse("a cycle");
  const below = [...above, value];
  const inside = (part: unknown, name: string) => tag(part, what, path === "" ? name : `${path}.${name}`, below);

  if (Array.isArray(value)) return Array.from(value, (part, index) => inside(part, String(index)));
  if (value instanceof Date) return { [mark]: "date", is: inside(value.getTime(), "time") };
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    // the same bytes as other numbers are other input
    const kind = value instanceof Uint8Array ? "bytes" : Object.prototype.toString.call(value);
    return { [mark]: kind, is: bytes.toString("base64") };
  }
  if (value instanceof Map) {
    return {
      [mark]: "map",
      is: Array.from(value, ([key, part], index) => [inside(key, `${index}`), inside(part, `${index}`)]),
    };
  }
  if (value instanceof Set) return { [mark]: "set", is: Array.from(value, (part, index) => inside(part, `${index}`)) };

  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return refuse("an instance of a class");
  const members = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .map(([name, part]) => [name, inside(part, name)] as const);
  // a null prototype, so that a member called __proto__ is a member and not a prototype
  const plain = Object.assign(Object.create(null) as Record<string, unknown>, Object.fromEntries(members));
  return mark in plain ? { [mark]: "object", is: plain } : plain;
}
