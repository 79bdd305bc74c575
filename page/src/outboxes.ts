import type { Decided } from "../../src/decisions/decided.ts";

/** A broker that is there has a message within a second or two; longer, and somebody ought to look. */
const sentWithinMs = 60_000;
/** Of a queue a consumer may keep one for its pauses between attempts. */
const receivedWithinMs = 600_000;

/** Whether its messages stay in the ledger until a consumer is done with them. */
export const isQueue = ({ answers }: Decided): boolean => answers["to"]?.is === "default";

/** Whether its oldest message waits longer than it ought to. */
export function isOverdue(outbox: Decided, oldestAt: number | null, now: number): oldestAt is number {
  return oldestAt !== null && now - oldestAt > (isQueue(outbox) ? receivedWithinMs : sentWithinMs);
}
