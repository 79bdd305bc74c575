import { defaults } from "../base/defaults.ts";
import { isRepriseError, type RepriseError } from "../base/errors.ts";
import { locateIssues } from "../base/schema.ts";
import type { DeadLetterReason } from "../contract/source.ts";
import { labelOf } from "../operation/endings.ts";
import type { AcceptedOutcome, AnyRefused, Outcome } from "../operation/outcome.ts";
import { isThrownByRun } from "../operation/refusing.ts";

/** What an attempt at a message came to. */
export type Verdict =
  | { readonly is: "acknowledge"; readonly because: "ran" | "replayed" | "refused" | "unknown" | "accepted" }
  | { readonly is: "dead-letter"; readonly reason: DeadLetterReason; readonly why: string }
  /** Somebody else is at it. */
  | { readonly is: "wait"; readonly ms: number }
  /** The ledger does not answer: nothing was tried, or it cannot be counted. */
  | { readonly is: "away" }
  /** An attempt of its own. */
  | { readonly is: "failed"; readonly why: string };

export function verdictOf(
  outcome: Outcome<unknown, AnyRefused> | AcceptedOutcome,
  refusals: "acknowledge" | "dead-letter",
): Verdict {
  switch (outcome.status) {
    case "done":
      return { is: "acknowledge", because: outcome.replayed ? "replayed" : "ran" };
    case "refused":
      if (refusals === "dead-letter") return { is: "dead-letter", reason: "refused", why: outcome.code };
      return { is: "acknowledge", because: outcome.replayed ? "replayed" : "refused" };
    case "accepted":
      return { is: "acknowledge", because: outcome.replayed ? "replayed" : "accepted" };
    // the ledger keeps it for a person, and another delivery would find nothing else
    case "unknown":
      return { is: "acknowledge", because: "unknown" };
    case "running":
      return { is: "wait", ms: outcome.retryAfterMs };
    case "mismatch":
      return { is: "dead-letter", reason: "mismatch", why: "its identity came with other input before" };
  }
}

/** Where an error came up. */
export interface Attempting {
  readonly operation: string;
  /** Whether this instance begins nothing any more. */
  readonly isEnding: boolean;
}

/** Its sender's to mend: trying it again changes nothing. */
const invalid = new Set<string>([
  "REPRISE_INPUT_INVALID",
  "REPRISE_NOT_STORABLE",
  "REPRISE_PRINCIPAL_EMPTY",
  "REPRISE_PRINCIPAL_DIFFERS",
  "REPRISE_BAD_SCALAR",
  "REPRISE_KEY_MISSING",
  "REPRISE_KEY_MALFORMED",
]);
/** Nothing was run: the ledger does not answer, or must be mended first. */
const away = new Set<string>([
  "REPRISE_LEDGER_AWAY",
  "REPRISE_LEDGER_BUSY",
  "REPRISE_LEDGER_UNUSABLE",
  "REPRISE_LEDGER_UNSUITABLE",
  "REPRISE_LEDGER_SCHEMA",
]);

/**
 * What an error means to the message. One that came out of `run` may be another operation's or another ledger's, and says
 * nothing about this message or this ledger: it is a failed attempt, which is counted only where the ledger answers. Only
 * that this attempt was fenced, or that this instance closes, means the same wherever it was noticed.
 */
export function verdictOfError(error: unknown, { operation, isEnding }: Attempting): Verdict {
  const again: Verdict = { is: "wait", ms: defaults.consume.soonestMs };
  if (isRepriseError(error)) {
    const isOfRun = isThrownByRun(error);
    if (!isOfRun && invalid.has(error.code))
      return { is: "dead-letter", reason: "invalid", why: short(invalidity(error)) };
    if (!isOfRun && away.has(error.code)) return { is: "away" };
    // somebody took it over, who may be at it still
    if (isRepriseError(error, "REPRISE_FENCED") && error.details.operation === operation) return again;
    if (isRepriseError(error, "REPRISE_CLOSED") && (!isOfRun || isEnding)) return again;
  }
  const why = labelOf(error);
  // it came too early to ask what became of an effect
  return why === null ? again : { is: "failed", why: short(why) };
}

/** What a letter's headers may tell: whoever lists letters sees no content, and a message of a schema library may quote it. */
function invalidity(error: RepriseError): string {
  if (!isRepriseError(error, "REPRISE_INPUT_INVALID") || error.details.paths === undefined) return error.message;
  return `its schema found ${locateIssues(error.details.paths)}`;
}

/**
 * A broker takes headers of some kilobytes, and with longer ones, or with control characters, the message could not be set
 * aside at all.
 */
function short(text: string): string {
  // no half of a surrogate pair
  const cut = text.slice(0, defaults.consume.whyLength).replace(/[\uD800-\uDBFF]$/, "");
  return cut.replace(/[\p{Cc}\p{Cs}\p{Cn}]/gu, "\u{fffd}");
}
