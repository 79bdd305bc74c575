import { RepriseError } from "../base/errors.ts";
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

/**
 * What is set aside where it came from would be received again, without an end.
 * @throws REPRISE_BAD_DECLARATION
 */
export function checkApart(source: string, from: string, deadLetter: string): void {
  if (from !== deadLetter) return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where: `source '${source}'`,
    why: "what it sets aside goes back to where it came from, and would be received again without an end.",
    mend: "Give it another place for dead letters.",
  });
}
