import { isCardNumber } from "./card-number.ts";
import { hasNationalId } from "./national-id.ts";
import type { Meaning } from "./secret-names.ts";

export type SecretKind = "card-number" | "token" | "private-key" | "password" | "national-id";

/*
 * Every expression reads a text in time proportional to its length: what repeats is bounded, or runs from the start of
 * a run alone, which the look-behind sees to.
 */

/** What no text without digits in a row, and none without the others' first characters, needs to be read for again. */
const digitsHint = /\d{13}|\d{4}[ -]\d{4}|\d-\d\d-\d{4}|\d\.\d{3}-\d|\d \d\d \d\d? ?\d/;
const tokenHint =
  /eyJ|BEGIN|[Bb]earer |A[KS]IA|AIza|AGE-|gh[pousr]_|_pat_|glpat-|k_(?:live|test)_|whsec_|xox|npm_|sk-|SG\.|ya29|:\/\//;

const privateKey = /-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY|AGE-SECRET-KEY-1[A-Z0-9]{50}/;
const bearer = /(?<![A-Za-z])[Bb]earer {1,4}[A-Za-z0-9._~+/-]{20}/;
const jwt = /(?<![\w-])(eyJ[\w-]{8,2000})\.[\w-]{2,}\.[\w-]*/g;
/** Amazon, Google, GitHub, GitLab, Stripe, Slack, npm, Anthropic and OpenAI, SendGrid. */
const vendor =
  /(?<![A-Za-z0-9])(?:A[KS]IA[0-9A-Z]{16}(?![0-9A-Za-z])|AIza[\w-]{35}|ya29\.[\w-]{20}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{50}|glpat-[\w-]{20}|[sr]k_(?:live|test)_[A-Za-z0-9]{16}|whsec_[A-Za-z0-9+/]{24}|xox[abeoprs]-[A-Za-z0-9-]{10}|npm_[A-Za-z0-9]{36}|sk-(?:ant|proj|svcacct)-[\w-]{20}|SG\.[\w-]{22}\.[\w-]{43})/;
/** A password in an address: scheme, user, password, host. */
const addressed = /:\/\/[^\s:@/?#]{0,64}:[^\s@/]{1,128}@[^\s@/]/;

const compactCard = /(?<![\w.+-])\d{13,19}(?!\w|[.-]\w)/g;
/** Words may follow, or the month that the card is good until; more groups of digits are another kind of number. */
const groupedCard =
  /(?<![\w.+-]|\d )\d{4}([ -])(?:\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{6}\1\d{4,5})(?!\w|[.-]\w| (?!\d\d?\/\d\d)\d)/g;

/** The kind of secret that a text holds, if any. */
export function secretIn(text: string, meaning: Meaning): SecretKind | undefined {
  // shorter than any of them
  if (text.length < 11) return undefined;
  if (digitsHint.test(text)) {
    if (hasCardNumber(text, meaning)) return "card-number";
    if (hasNationalId(text, meaning === "id")) return "national-id";
  }
  if (!tokenHint.test(text)) return undefined;
  if (privateKey.test(text)) return "private-key";
  if (vendor.test(text) || bearer.test(text) || hasJwt(text)) return "token";
  return addressed.test(text) ? "password" : undefined;
}

function hasCardNumber(text: string, meaning: Meaning): boolean {
  for (const [grouped] of text.matchAll(groupedCard)) {
    const digits = grouped.replace(/\D/g, "");
    // the last three of 19 may be the code from the card's back
    if (isCardNumber(digits, true) || (digits.length === 19 && isCardNumber(digits.slice(0, 16), true))) return true;
  }
  // a key of digits alone fits by chance once in forty
  if (meaning === "id") return false;
  for (const [digits] of text.matchAll(compactCard)) if (isCardNumber(digits, meaning === "card")) return true;
  return false;
}

/** What begins like a token so often and is none is a text about something else. */
const mostTried = 16;

/** Three parts in base64url, the first of which says how the rest is signed (RFC 7515). */
function hasJwt(text: string): boolean {
  let tried = 0;
  for (const [, header = ""] of text.matchAll(jwt)) {
    tried += 1;
    if (tried > mostTried) break;
    try {
      const said: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
      if (typeof said === "object" && said !== null && "alg" in said && typeof said.alg === "string") return true;
    } catch {
      // begins like one
    }
  }
  return false;
}
