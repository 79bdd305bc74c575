import type { Claim, Open, Won } from "../contract/ledger.ts";
import type { AnyRefused, Outcome } from "./outcome.ts";
import { decodeOutcome } from "./record.ts";

/** An outcome with its types erased, and what a transport rendered of it when it was stored. */
export interface Told {
  readonly outcome: Outcome<unknown, AnyRefused>;
  readonly rendered: string | null;
}

/** What a claim that did not win tells its caller. */
export function told(claim: Exclude<Claim, Won> | Open): Told {
  switch (claim.is) {
    case "done":
      return decodeOutcome(claim.outcome, claim.at, true);
    case "running":
    case "open":
      return tell({ status: "running", since: new Date(claim.since), retryAfterMs: claim.retryAfterMs });
    case "mismatch":
      return tell({
        status: "mismatch",
        firstSeen: claim.firstSeen === null ? null : new Date(claim.firstSeen),
      });
    case "unknown":
      return tell({ status: "unknown", effect: claim.effect, since: new Date(claim.since) });
  }
}

export function tell(outcome: Told["outcome"], rendered: string | null = null): Told {
  return { outcome, rendered };
}
