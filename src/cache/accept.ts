import { milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";
import type { Tell } from "./events.ts";
import { freezeDeep } from "./guard/freeze.ts";
import { findSecret } from "./guard/secrets.ts";
import { type About, isLoaded, isPendingWrite } from "./loader.ts";
import { anyTag } from "./memory/groups.ts";

/** What becomes of a value before memory takes it. */
export interface Policies {
  readonly secrets: "refuse" | "warn" | "off";
  /** Makes values read-only, as far as that can be, so that a caller who changes what others share is told at once. */
  readonly freeze: boolean;
}

/** What is known of a value from its source. */
export interface Known {
  readonly etag: string | undefined;
  readonly tags: readonly string[];
  /** In the place of the declared one. */
  readonly freshMs: number | undefined;
}

/** A value that may be stored, apart from what its source said of it. */
export interface Accepted {
  readonly value: unknown;
  readonly known: Known | undefined;
  /** A loader can bring it again, ahead of expiry. */
  readonly isLoaded: boolean;
}

/** Of a value that a writer gave: which tags it has, the writer did not say, so it changes with every tag. */
export const untold: Known = { etag: undefined, tags: [anyTag], freshMs: undefined };

/**
 * @param copies whether memory keeps a copy: each reader gets one of its own, and so does who handed the value over
 * @throws REPRISE_SECRET_FOUND, REPRISE_BAD_DURATION, REPRISE_NOT_CLONEABLE
 */
export function accept(cache: string, result: unknown, policies: Policies, tell: Tell, copies: boolean): Accepted {
  const isPending = isPendingWrite(result);
  const about = isLoaded(result) ? result.about : undefined;
  const given = isPending ? result["~pending"] : isLoaded(result) ? result["~loaded"] : result;
  const value = copies ? copyOf(cache, given) : given;
  const known = about === undefined ? (isPending ? untold : undefined) : knownOf(cache, about);
  if (policies.secrets !== "off") refuseSecrets(cache, value, policies.secrets, tell);
  if (policies.freeze) freezeDeep(value);
  return { value, known, isLoaded: true };
}

/** Copies of this copy never fail: nothing is left in it that cannot be copied. */
function copyOf(cache: string, value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    // not even as its cause: that error's message tells the value
    throw new RepriseError("REPRISE_NOT_CLONEABLE", { cache });
  }
}

function knownOf(cache: string, { etag, freshFor, tags = [] }: About): Known {
  const freshMs = freshFor === undefined ? undefined : milliseconds(freshFor, `Cache '${cache}', loaded.freshFor`);
  // a copy: the caller's array is the caller's
  return { etag, tags: [...new Set(tags)], freshMs };
}

function refuseSecrets(cache: string, value: unknown, policy: "refuse" | "warn", tell: Tell): void {
  const found = findSecret(value);
  if (found === undefined) return;
  const { path, kind } = found;
  tell("cache.secret", () => ({ cache, path, kind, refused: policy === "refuse" }));
  const error = new RepriseError("REPRISE_SECRET_FOUND", { cache, path, kind });
  if (policy === "refuse") throw error;
  warnOnce(`${cache}\n${kind}\n${path.replace(/\[\d+\]/g, "[]")}`, error);
}

/** A hot key must not fill the log. */
const warned = new Set<string>();
const mostWarnings = 100;
function warnOnce(what: string, error: RepriseError): void {
  if (warned.has(what) || warned.size >= mostWarnings) return;
  warned.add(what);
  process.emitWarning(error.message, { code: error.code });
}
