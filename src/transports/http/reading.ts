import { isRepriseError, RepriseError } from "../../base/errors.ts";
import type { HttpCarrier } from "./carrier.ts";

/** What a carrier's own functions read of a request, and what becomes of their errors. */

type Carrier<Q> = HttpCarrier<Q, unknown, unknown, never>;

/** @throws REPRISE_PRINCIPAL_EMPTY, REPRISE_CARRIER_FAILED */
export async function principalOf<Q>(
  operation: string,
  carrier: Pick<Carrier<Q>, "principal">,
  request: Q,
): Promise<string | undefined> {
  if (carrier.principal === "everyone") return undefined;
  let principal: unknown;
  try {
    principal = await carrier.principal(request);
  } catch (error) {
    throw unreadable(operation, "principal", error);
  }
  // an empty session would be one principal that all strangers share
  if (typeof principal !== "string" || principal === "") {
    throw new RepriseError("REPRISE_PRINCIPAL_EMPTY", { operation });
  }
  return principal;
}

export async function inputOf<Q>(operation: string, carrier: Carrier<Q>, readable: () => Q): Promise<unknown> {
  try {
    return await carrier.input(readable());
  } catch (error) {
    if (error instanceof SyntaxError) throw new RepriseError("REPRISE_BODY_MALFORMED", { operation }, error);
    throw unreadable(operation, "input", error);
  }
}

function unreadable(operation: string, part: "input" | "principal", error: unknown): RepriseError {
  if (isRepriseError(error) && error.status !== 500) return error;
  // a parser quotes what it was given, and this goes to a log
  const cause = error instanceof SyntaxError ? undefined : error;
  return new RepriseError("REPRISE_CARRIER_FAILED", { operation, part }, cause);
}

export function report(told: (error: Error) => void, error: Error): void {
  try {
    told(error);
  } catch {
    // a failing log must not take the answer away
  }
}
