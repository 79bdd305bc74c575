import { defaults } from "../../base/defaults.ts";
import type { Reprise } from "../../reprise.ts";

/** What a function keeps up: of whatever it is, only that it has a ledger of operations. */
export type Kept = Pick<Reprise<never>, "~inside">;

/** @param leftMs until the platform ends the call */
export function keepUp(reprise: Kept, leftMs: number): Promise<void> {
  return reprise["~inside"].keepUp(Math.max(0, leftMs - defaults.functions.marginMs));
}
