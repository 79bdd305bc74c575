import type { ShownConsumer, ShownLetter } from "./consumers.ts";
import type { ShownOutbox } from "./outboxes.ts";

/** What people are told of consumers and outboxes, on the page and on a terminal: names, reasons and counts; no content of a message. */

export interface ConsumerRow extends Omit<ShownConsumer, "owner"> {
  readonly owner: string | null;
}

export interface LetterRow extends Omit<ShownLetter, "sentAt" | "setAsideAt"> {
  readonly sentAt: number | null;
  readonly setAsideAt: number | null;
}

export interface OutboxRow extends Omit<ShownOutbox, "oldestAt"> {
  readonly oldestAt: number | null;
}

export function consumerRow(shown: ShownConsumer): ConsumerRow {
  return { ...shown, owner: shown.owner ?? null };
}

export function letterRow({ sentAt, setAsideAt, ...letter }: ShownLetter): LetterRow {
  return { ...letter, sentAt: instantOf(sentAt), setAsideAt: instantOf(setAsideAt) };
}

export function outboxRow({ oldestAt, ...outbox }: ShownOutbox): OutboxRow {
  return { ...outbox, oldestAt: instantOf(oldestAt) };
}

/** A broker may tell what is no date. */
function instantOf(date: Date | null): number | null {
  const at = date?.getTime() ?? Number.NaN;
  return Number.isNaN(at) ? null : at;
}
