import type { DeadLetterReason } from "../../contract/source.ts";
import { reasonIn } from "../letters.ts";

/** As BullMQ shows it of a failed job. */
export function reasonText(reason: DeadLetterReason, why: string): string {
  return `[${reason}] ${why}`;
}

export function readReason(text: string | undefined): {
  readonly reason: DeadLetterReason | null;
  readonly why: string | null;
} {
  const [, word, why = null] = /^\[([a-z-]+)\] (.*)$/s.exec(text ?? "") ?? [];
  const reason = reasonIn(word);
  return { reason, why: reason === null ? null : why };
}
