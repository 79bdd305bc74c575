import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";

/** The time that a function of Azure has, which only its `host.json` knows. */
export interface Declared {
  /**
   * After so long the host ends an invocation: `functionTimeout` of `host.json` (by default 5 minutes on a consumption plan).
   * It tells no function of it, so it is said here: no lease is longer, and nobody waits longer for another.
   */
  readonly endsWithin: Duration;
}

/** @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION */
export function endsWithinOf(declared: Declared | undefined, where: string): number {
  const endsWithin = declared?.endsWithin;
  if (endsWithin === undefined) {
    const mend = "Say what functionTimeout of host.json says.";
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why: "'endsWithin' is missing.", mend });
  }
  const ms = milliseconds(endsWithin, `${where}, endsWithin`);
  const { leastMs, marginMs } = defaults.functions;
  if (ms >= leastMs + marginMs) return ms;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where,
    why: "'endsWithin' leaves no time to begin anything.",
    mend: `Say what functionTimeout of host.json says: ${leastMs + marginMs}ms or more.`,
  });
}
