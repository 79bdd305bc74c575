import { RepriseError } from "../../base/errors.ts";
import { checkGiven } from "../../base/given.ts";
import type { HttpCarrier } from "./carrier.ts";

/**
 * What every carrier needs, before anything is put around it.
 * @throws REPRISE_BAD_DECLARATION
 */
export function checkCarrier(
  operation: string,
  carrier: Pick<HttpCarrier<never, unknown, unknown, never>, "input" | "principal">,
): void {
  const where = `the HTTP carrier of '${operation}'`;
  checkGiven(where, carrier, { input: "function" });
  if (carrier.principal === "everyone" || typeof carrier.principal === "function") return;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where,
    why: "'principal' is neither a function nor 'everyone'.",
    mend: "Let it return who the session says it is.",
  });
}
