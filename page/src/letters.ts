import type { DeadLetterReason } from "../../src/contract/source.ts";

/** Why messages are set aside, in a few words. */
export const reasonWords: Readonly<Record<DeadLetterReason, string>> = {
  failed: "failed",
  invalid: "invalid",
  mismatch: "mismatch",
  "too-old": "too old",
  refused: "refused",
};

export const deadLetterReasons = Object.keys(reasonWords) as readonly DeadLetterReason[];

/** What a reason says of a message, and what mends it. */
export const reasonMeans: Readonly<Record<DeadLetterReason, string>> = {
  failed: "Every attempt failed. Mend what made it fail, then redrive it.",
  invalid: "Its body cannot be read, or the operation's schema refuses it. Its sender sends it anew.",
  mismatch: "Its identity came with other input before. Which one is right, its sender knows.",
  "too-old": "It was sent longer ago than outcomes are kept. Redriven, it is set aside again.",
  refused: "The operation refused it, and its consumer wants that seen.",
};
