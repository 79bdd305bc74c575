import { RepriseError } from "../base/errors.ts";
import { type DeadLetterReason, deadLetterReasons } from "../contract/source.ts";

export { instantIn, sentAtName } from "../contract/sent-at.ts";

/** What says of a copy why it was set aside. */
export const reasonName = "x-reprise-reason";
export const whyName = "x-reprise-why";

const reasons: ReadonlySet<unknown> = new Set(deadLetterReasons);

/** `null`: it is none that a consumer of this library writes. */
export function reasonIn(text: unknown): DeadLetterReason | null {
  return reasons.has(text) ? (text as DeadLetterReason) : null;
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
