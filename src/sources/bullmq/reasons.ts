import type { DeadLetterReason } from "../../contract/source.ts";

/** As BullMQ shows it of a failed job. */
export function reasonText(reason: DeadLetterReason, why: string): string {
  return `[${reason}] ${why}`;
}

export function readReason(text: string | undefined): {
  readonly reason: DeadLetterReason | null;
  readonly why: string | null;
} {
  const [, reason, why] = /^\[(invalid|mismatch|too-old|failed|refused)\] (.*)$/s.exec(text ?? "") ?? [];
  return reason === undefined || why === undefined
    ? { reason: null, why: null }
    : { reason: reason as DeadLetterReason, why };
}
