import pc from "picocolors";
import type { LetterRow, OutboxRow } from "../admin/consumer-rows.ts";
import type { ConsumerLetters } from "./importing-jobs.ts";
import { printable } from "./print.ts";
import { count, inWords } from "./show-pairs.ts";

/** Consumers and what they have set aside, as a person reads it on a terminal. */
export function consumerLines(consumer: ConsumerLetters, now: number): readonly string[] {
  const { name, operation, owner, waiting, setAside, parked, shows, failed, letters, more } = consumer;
  const width = Math.max(0, ...letters.map(({ id }) => id.length));
  return [
    `${pc.bold(printable(name))}  ${printable(operation)}  ${printable(owner ?? "no owner")}`,
    `  waiting ${figure(waiting)}, set aside ${setAside === 0 ? "0" : pc.yellow(figure(setAside))}, parked ${parkedWords(parked)}`,
    ...(parked.count === 0
      ? []
      : [`  reprise operations list MODULE --state unknown --operation ${printable(operation)}`]),
    ...(failed === null ? [] : [pc.red(`  ${printable(failed)}`)]),
    ...(shows ? [] : ["  Its source does not show what it has set aside: see the broker's own tools."]),
    ...letters.map((letter) => `  ${letterLine(letter, width, now)}`),
    ...(more ? [pc.dim("  and more: --limit")] : []),
  ];
}

/** Outboxes and what waits in them. */
export function outboxLines(outboxes: readonly OutboxRow[], now: number): readonly string[] {
  return outboxes.flatMap(({ name, to, waiting, oldestAt }) => [
    `${pc.bold(`outbox ${printable(name)}`)}  ${to === null ? "a queue in the ledger" : `to ${printable(to)}`}`,
    `  waiting ${figure(waiting)}${oldestAt === null ? "" : `, the oldest for ${inWords(Math.max(0, now - oldestAt))}`}`,
  ]);
}

function figure(messages: number | null): string {
  return messages === null ? "unknown" : messages.toLocaleString("en-US");
}

function parkedWords({ count: parked, more }: ConsumerLetters["parked"]): string {
  if (parked === 0) return "0";
  return pc.yellow(more ? `more than ${parked}` : String(parked));
}

function letterLine({ id, reason, why, sentAt, setAsideAt, bytes }: LetterRow, width: number, now: number): string {
  const ago = (at: number) => `${inWords(Math.max(0, now - at))} ago`;
  const about = [
    ...(setAsideAt === null ? [] : [`set aside ${ago(setAsideAt)}`]),
    ...(sentAt === null ? [] : [`sent ${ago(sentAt)}`]),
    ...(bytes === null ? [] : [count(bytes, "byte")]),
    ...(why === null ? [] : [printable(why)]),
  ];
  return `${printable(id).padEnd(width)}  ${(reason ?? "foreign").padEnd(8)}  ${about.join(", ")}`;
}
