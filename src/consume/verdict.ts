import { isRepriseError } from "../base/errors.ts";
import type { DeadLetterReason } from "../contract/source.ts";
import { labelOf } from "../operation/endings.ts";
import type { AcceptedOutcome, AnyRefused, Outcome } from "../operation/outcome.ts";

/** What an attempt at a message came to. */
export type Verdict =
  | { readonly is: "acknowledge"; readonly because: "ran" | "replayed" | "refused" | "unknown" | "accepted" }
  | { readonly is: "dead-letter"; readonly reason: DeadLetterReason; readonly why: string }
  /** Somebody else is at it. */
  | { readonly is: "wait"; readonly ms: number }
  /** The ledger does not answer: nothing was tried. */
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
const away = new Set<string>(["REPRISE_LEDGER_AWAY", "REPRISE_LEDGER_BUSY"]);
/** Somebody took it over, who may be at it still; or this instance closes, and somebody will be. */
const replaced = new Set<string>(["REPRISE_FENCED", "REPRISE_LEASE_LOST", "REPRISE_CLOSED"]);

export function verdictOfError(error: unknown, againMs: number): Verdict {
  if (isRepriseError(error)) {
    if (invalid.has(error.code)) return { is: "dead-letter", reason: "invalid", why: error.message };
    if (away.has(error.code)) return { is: "away" };
    if (replaced.has(error.code)) return { is: "wait", ms: againMs };
  }
  const why = labelOf(error);
  // it came too early to ask what became of an effect
  return why === null ? { is: "wait", ms: againMs } : { is: "failed", why };
}
