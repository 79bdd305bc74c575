import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Reprise } from "../../reprise.ts";

/** What a function keeps up: of whatever it is, only that it has a ledger of operations. */
export type Kept = Pick<Reprise<never>, "~inside">;

/**
 * @returns what keeps it up in one call, told how long it is until the platform ends that
 * @throws REPRISE_BAD_DECLARATION for anything else than an instance
 */
export function upkeepOf(reprise: Kept): (leftMs: number) => Promise<void> {
  const inside = (reprise as Kept | undefined)?.["~inside"];
  if (inside === undefined) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "the function of upkeep",
      why: "it was given something else than an instance.",
      mend: "Pass what 'createReprise' returns.",
    });
  }
  return (leftMs) => inside.keepUp(Math.max(0, leftMs - defaults.functions.marginMs));
}
