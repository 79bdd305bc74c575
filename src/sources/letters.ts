import type { DeadLetterReason } from "../contract/source.ts";

export { instantIn, sentAtName } from "../contract/sent-at.ts";

const reasons: Readonly<Record<DeadLetterReason, true>> = {
  invalid: true,
  mismatch: true,
  "too-old": true,
  failed: true,
  refused: true,
};

/** `null`: it is none that a consumer of this library writes. */
export function reasonIn(text: unknown): DeadLetterReason | null {
  return typeof text === "string" && Object.hasOwn(reasons, text) ? (text as DeadLetterReason) : null;
}
