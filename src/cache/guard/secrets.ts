import { isCardNumber } from "./card-number.ts";
import { isNationalId } from "./national-id.ts";
import { type Meaning, meaningOf } from "./secret-names.ts";
import { type SecretKind, secretIn } from "./secret-texts.ts";

export interface Secret {
  /** Names of properties and places in arrays, `user.cards[0].number`; `[key]` for a key that may itself be private. */
  readonly path: string;
  readonly kind: SecretKind;
}

/** So many values and so many characters are read of one value; then the search ends without a finding. */
const mostValues = 10_000;
const mostCharacters = 262_144;
/** An array longer than this is read in as many places, evenly. */
const longArray = 1_000;
/** Recursion must end before the stack does. */
const mostDeep = 500;

interface Search {
  values: number;
  characters: number;
  readonly root: object;
  /** Made when an object holds another. */
  seen: Set<object> | undefined;
}

/**
 * Looks into a loaded value for what no cache may hold, and tells the first finding by its path, never by its value:
 *
 * - card numbers by issuer, length and check digit, in texts and as numbers (but not digits alone under a name that ends
 *   in `id`);
 * - tokens by the form of bearer tokens, JSON web tokens and well-known vendors' keys, or under a name such as
 *   `accessToken`;
 * - private keys as PEM, age and JWK;
 * - passwords and their hashes under such a name, numbers of four digits and more too, and in addresses
 *   (`postgres://user:…@host`), a `URL` among them;
 * - national ids: in any text the United States' and Brazil's as they are formatted, France's, and the United Kingdom's
 *   in pairs; compact ones, and Spain's, under a name that says so.
 *
 * A guard against mistakes, not against malice: it reads 10,000 values and 262,144 characters at most, and neither bytes,
 * private fields, nor JSON within texts. About one in forty numbers of 16 random digits is taken for a card's. It never
 * throws.
 *
 * @example
 * findSecret({ user: { cards: [{ number: "4111 1111 1111 1111" }] } })
 * // { path: "user.cards[0].number", kind: "card-number" }
 */
export function findSecret(value: unknown): Secret | undefined {
  const root = typeof value === "object" && value !== null ? value : nowhere;
  const search: Search = { values: mostValues, characters: mostCharacters, root, seen: undefined };
  const found = root === nowhere ? inPrimitive(value, "nothing", search) : inObject(root, "nothing", search, 0);
  if (found === undefined) return undefined;
  if (typeof found === "string") return { path: "(the value itself)", kind: found };
  return { path: found.path.replace(/^\./, ""), kind: found.kind };
}

const nowhere = {};

/** A kind alone is a finding at this very place. */
type Finding = SecretKind | Secret | undefined;

const at = (segment: string, found: SecretKind | Secret): Secret =>
  typeof found === "string" ? { path: segment, kind: found } : { path: segment + found.path, kind: found.kind };

function inValue(value: unknown, meaning: Meaning, search: Search, depth: number): Finding {
  search.values -= 1;
  if (typeof value !== "object" || value === null) return inPrimitive(value, meaning, search);
  if (value === search.root || depth >= mostDeep || search.seen?.has(value) === true) return undefined;
  search.seen ??= new Set();
  search.seen.add(value);
  return inObject(value, meaning, search, depth);
}

function inPrimitive(value: unknown, meaning: Meaning, search: Search): SecretKind | undefined {
  if (typeof value === "string") {
    if (value.length > search.characters) return inText(value.slice(0, search.characters), meaning, search);
    return inText(value, meaning, search);
  }
  if (meaning === "id" || !isLongInteger(value, meaning === "nothing" ? 1e13 : 1_000)) return undefined;
  const digits = String(value);
  if (digits.length > 13 && isCardNumber(digits, meaning === "card")) return "card-number";
  return byName(digits, meaning);
}

/** Shorter ones are flags, counts and the like under whatever name; longer ones are no number that somebody was given. */
function isLongInteger(value: unknown, least: number): value is number | bigint {
  if (typeof value === "number") return value >= least && Number.isSafeInteger(value);
  return typeof value === "bigint" && value >= least && value < 10n ** 19n;
}

function inText(text: string, meaning: Meaning, search: Search): SecretKind | undefined {
  search.characters -= text.length;
  return secretIn(text, meaning) ?? byName(text, meaning);
}

function byName(text: string, meaning: Meaning): SecretKind | undefined {
  switch (meaning) {
    case "password":
      return isFilled(text) ? "password" : undefined;
    case "token":
    case "private-key":
      return text.length >= 16 && isFilled(text) ? meaning : undefined;
    case "pin":
      return /^\d{4}$|^\$/.test(text) ? "password" : undefined;
    case "national-id":
      return text.length <= 24 && isNationalId(text) ? "national-id" : undefined;
    default:
      return undefined;
  }
}

/** Neither a label (which has spaces, or is the word itself), nor a path, nor what stands for a value left out. */
function isFilled(text: string): boolean {
  return !/\s|^$|^(.)\1*$|^[[<(].*[\])>]$|^https?:|^\/\w|^(?:password|passwort|secret|redacted|null|none|token)$/i.test(
    text.length > 256 ? text.slice(0, 256) : text,
  );
}

function inObject(value: object, meaning: Meaning, search: Search, depth: number): Finding {
  try {
    if (Array.isArray(value)) return inArray(value, meaning, search, depth);
    if (ArrayBuffer.isView(value)) return undefined;
    if (value instanceof Map) return inMap(value, search, depth);
    if (value instanceof Set) return inSet(value, search, depth);
    // what it holds stands in none of its own properties
    if (value instanceof URL) return inPrimitive(value.href, meaning, search);
    return inProperties(value, search, depth);
  } catch {
    // a getter or a proxy that throws
    return undefined;
  }
}

function inArray(array: readonly unknown[], meaning: Meaning, search: Search, depth: number): Finding {
  const { length } = array;
  const count = Math.min(length, longArray);
  for (let i = 0; i < count && isOn(search); i += 1) {
    const place = count === length ? i : Math.floor((i * length) / count);
    const found = inValue(array[place], meaning, search, depth + 1);
    if (found !== undefined) return at(`[${place}]`, found);
  }
  return undefined;
}

function inMap(map: ReadonlyMap<unknown, unknown>, search: Search, depth: number): Finding {
  for (const [key, item] of map) {
    if (!isOn(search)) break;
    const meaning = typeof key === "string" ? meaningOf(key) : "nothing";
    const found = inValue(key, "nothing", search, depth + 1) ?? inValue(item, meaning, search, depth + 1);
    if (found !== undefined) return at("[key]", found);
  }
  return undefined;
}

function inSet(set: ReadonlySet<unknown>, search: Search, depth: number): Finding {
  let place = 0;
  for (const item of set) {
    if (!isOn(search)) break;
    const found = inValue(item, "nothing", search, depth + 1);
    if (found !== undefined) return at(`[${place}]`, found);
    place += 1;
  }
  return undefined;
}

function inProperties(value: object, search: Search, depth: number): Finding {
  for (const name in value) {
    if (!isOn(search)) break;
    if (!Object.hasOwn(value, name)) continue;
    const meaning = meaningOf(name);
    const item: unknown = value[name as keyof typeof value];
    let found = inValue(item, meaning, search, depth + 1);
    if (found === undefined && meaning === "key") found = inPrimitive(name, meaning, search);
    // the private part of a JSON web key (RFC 7517)
    if (found === undefined && name === "d" && typeof item === "string" && "kty" in value) found = "private-key";
    if (found !== undefined) return at(meaning === "key" ? "[key]" : `.${name}`, found);
  }
  return undefined;
}

const isOn = (search: Search): boolean => search.values > 0 && search.characters > 0;
