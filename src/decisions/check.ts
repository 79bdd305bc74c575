import { RepriseError } from "../base/errors.ts";
import type { Decided } from "./decided.ts";

/** Questions that only inform: mandatory, unless the instance lists what is undecided. */
const informing = ["owner", "holds", "ifStale", "ifRunsAgain", "costIfTwice"] as const;

/**
 * Refuses, at start, a declaration that leaves an informing question open although nobody asked for a list of them. The
 * compiler says it first; this is for whoever has no compiler.
 * @throws REPRISE_BAD_DECLARATION
 */
export function checkDecided(decisions: readonly Decided[], undecided: "refused" | "listed"): void {
  if (undecided === "listed") return;
  for (const decision of decisions) {
    const open = informing.filter((question) => decision.undecided.includes(question));
    if (open.length > 0) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `${decision.kind} '${decision.name}'`,
        why: `it leaves open: ${open.join(", ")}.`,
        mend: "Answer them, or say undecided: 'listed' in createReprise.",
      });
    }
  }
}
