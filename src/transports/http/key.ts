import { parseItem } from "structured-headers";
import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";

/** A bare key: visible ASCII. Without a comma, since two field lines arrive joined by one; without quotes. */
const bare = /^[!#-+\--~]+$/;
const printable = /^[ -~]*$/;

/**
 * The key in the Idempotency-Key field (draft-ietf-httpapi-idempotency-key-header-07), given as its field lines;
 * `undefined` without one.
 *
 * @throws REPRISE_KEY_MALFORMED
 */
export function readKey(lines: readonly string[], syntax: "strict" | "lenient", operation: string): string | undefined {
  const malformed = (why: string) => new RepriseError("REPRISE_KEY_MALFORMED", { operation, why });
  const [line] = lines;
  if (line === undefined) return undefined;
  // joined, two lines would be a third key, and neither request would be found again
  if (lines.length > 1) throw malformed("was sent more than once");
  const key = readString(line) ?? (syntax === "lenient" && bare.test(line.trim()) ? line.trim() : undefined);
  if (key === undefined) {
    throw malformed(syntax === "strict" ? 'is no structured-field string ("…", in quotes)' : "is not one single key");
  }
  if (key === "") throw malformed("is empty");
  if (key.length > defaults.http.keyMaxLength) {
    throw malformed(`is longer than ${defaults.http.keyMaxLength} characters`);
  }
  return key;
}

/** The value of an RFC 9651 Item that is a String, its parameters ignored; `undefined` for anything else. */
function readString(line: string): string | undefined {
  // a bare key, as most clients send it: the parser would tell so by an error, which costs more than the rest of the request
  if (!line.trimStart().startsWith('"')) return undefined;
  try {
    const [value] = parseItem(line);
    return typeof value === "string" && printable.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
