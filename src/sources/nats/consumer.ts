import { RepriseError } from "../../base/errors.ts";
import type { JetStreamConsumerConfig } from "./shapes.ts";

/** JetStream counts in them. */
export const nanosecondsInMs = 1_000_000;

/** @throws REPRISE_BAD_DECLARATION where it does not keep each message from others until it is settled, or for one time */
export function lockOf(
  where: string,
  { ack_policy: policy, ack_wait: ackWait, backoff }: JetStreamConsumerConfig,
): number {
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  if (policy !== undefined && policy !== "explicit") {
    // "all" settles what is still at work beside it, "none" what nobody has begun
    refuse(
      `its consumer acknowledges by '${policy}'.`,
      "Give it ack_policy 'explicit': each message is settled alone.",
    );
  }
  if (backoff !== undefined && backoff.length > 0) {
    // a renewal at a third of ack_wait may come after the lock that the server gave instead
    refuse(
      "its consumer has a 'backoff', which replaces 'ack_wait'.",
      "Remove it, and say 'retryIn' where it is consumed.",
    );
  }
  return (ackWait ?? 30_000 * nanosecondsInMs) / nanosecondsInMs;
}

/** Whether a message of the subject is delivered by the consumer. */
export function takes(
  { filter_subject: one, filter_subjects: several }: JetStreamConsumerConfig,
  subject: string,
): boolean {
  const filters = [...(one === undefined || one === "" ? [] : [one]), ...(several ?? [])];
  return filters.length === 0 || filters.some((filter) => matches(filter, subject));
}

function matches(filter: string, subject: string): boolean {
  const [expected, given] = [filter.split("."), subject.split(".")];
  const rest = expected.indexOf(">");
  const compared = rest === -1 ? expected : expected.slice(0, rest);
  if (rest === -1 ? given.length !== compared.length : given.length <= rest) return false;
  return compared.every((token, place) => token === "*" || token === given[place]);
}
