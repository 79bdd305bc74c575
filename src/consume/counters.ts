import { type DeadLetterReason, deadLetterReasons } from "../contract/source.ts";

/**
 * What one consumer counted since its process started. Each delivery is counted once under how it ended, when it is settled
 * or lost: `received` is the sum of `underWay`, `ran`, `replayed`, `refused`, `accepted`, `unknown`, `returned`, `lost` and
 * all of `setAside`. One that ran and was lost before it was acknowledged is counted as lost: it comes again, and is replayed.
 */
export interface ConsumeCounters {
  /** Deliveries. */
  received: number;
  /** Neither settled nor lost yet. */
  underWay: number;
  ran: number;
  /** Redeliveries, or copies, that were answered from the ledger. */
  replayed: number;
  refused: number;
  accepted: number;
  /** Left to a person: an effect's answer is lost. */
  unknown: number;
  /** Given back: the broker delivers them again. */
  returned: number;
  /** The broker had taken them back before they were settled, or did not answer. */
  lost: number;
  /** Set aside for a person, by the reason. */
  readonly setAside: Record<DeadLetterReason, number>;
  /** Attempts that failed; of one delivery several may. */
  failed: number;
  /** Times that one waited for somebody else who was at its work. */
  waited: number;
}

export type ConsumeCounts = Readonly<Omit<ConsumeCounters, "setAside">> & {
  readonly setAside: Readonly<ConsumeCounters["setAside"]>;
};

/** One number by its name; what is set aside, by its reason. */
export type ConsumeCount = Exclude<keyof ConsumeCounters, "setAside" | "underWay"> | `set-aside-${DeadLetterReason}`;

export const consumeCounts = [
  ...([
    "received",
    "ran",
    "replayed",
    "refused",
    "accepted",
    "unknown",
    "returned",
    "lost",
    "failed",
    "waited",
  ] as const),
  ...deadLetterReasons.map((reason) => `set-aside-${reason}` as const),
] as const satisfies readonly ConsumeCount[];

export function flatCounts({
  setAside,
  underWay: _,
  ...counts
}: ConsumeCounts): Readonly<Record<ConsumeCount, number>> {
  const byReason = deadLetterReasons.map((reason) => [`set-aside-${reason}`, setAside[reason]] as const);
  return { ...counts, ...(Object.fromEntries(byReason) as Record<`set-aside-${DeadLetterReason}`, number>) };
}

export function createConsumeCounters(): ConsumeCounters {
  return {
    received: 0,
    underWay: 0,
    ran: 0,
    replayed: 0,
    refused: 0,
    accepted: 0,
    unknown: 0,
    returned: 0,
    lost: 0,
    setAside: { invalid: 0, mismatch: 0, "too-old": 0, failed: 0, refused: 0 },
    failed: 0,
    waited: 0,
  };
}
