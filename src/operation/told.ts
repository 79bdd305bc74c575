import type { Claim, Open, Won } from "../contract/ledger.ts";
import type { AcceptedOutcome, AnyRefused, DoneOutcome, Outcome } from "./outcome.ts";
import { decodeOutcome, type Settlement } from "./record.ts";

/** An outcome with its types erased, and what a transport rendered of it when it was stored. */
export interface Told {
  readonly outcome: Outcome<unknown, AnyRefused> | AcceptedOutcome;
  readonly rendered: string | null;
}

/** Nobody gains by asking sooner. */
export const soonestMs = 250;

/** How long one that runs is to be left alone at most: the lease is there for a crash, and most work ends long before it. */
export interface Patience {
  readonly now: number;
  readonly leaseMs: number;
}

/** What a claim that did not win tells its caller. */
export function told(claim: Exclude<Claim, Won> | Open, patience: Patience): Told {
  switch (claim.is) {
    case "done": {
      const { settlement, rendered } = decodeOutcome(claim.outcome);
      return tellSettled(settlement, { replayed: true, at: claim.at }, rendered);
    }
    case "running":
    case "open":
      return tell({
        status: "running",
        since: new Date(claim.since),
        retryAfterMs: Math.min(claim.retryAfterMs, patienceWith(claim.since, patience)),
      });
    case "mismatch":
      return tell({
        status: "mismatch",
        firstSeen: claim.firstSeen === null ? null : new Date(claim.firstSeen),
      });
    case "unknown":
      return tell({ status: "unknown", effect: claim.effect, since: new Date(claim.since) });
  }
}

/** As long again as it has taken so far. A clock that was set back must not make that an hour. */
function patienceWith(since: number, { now, leaseMs }: Patience): number {
  return Math.min(leaseMs, Math.max(soonestMs, now - since));
}

export function tell(outcome: Told["outcome"], rendered: string | null = null): Told {
  return { outcome, rendered };
}

interface When {
  readonly replayed: boolean;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export function tellSettled(settlement: Settlement, when: When, rendered: string | null): Told {
  return { outcome: settled(settlement, when), rendered };
}

/** Member by member: a copy by spread that gains members has, to the engine, a shape of its own each time. */
export function settled(settlement: Settlement, { replayed, at }: When): DoneOutcome<unknown> | AnyRefused {
  if (settlement.status === "done") return { status: "done", value: settlement.value, replayed, at: new Date(at) };
  const { code, detail } = settlement;
  return { status: "refused", code, detail, replayed, at: new Date(at) };
}
