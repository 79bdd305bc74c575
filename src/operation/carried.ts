import { RepriseError } from "../base/errors.ts";
import type { Carried, CarriedContract } from "./carry.ts";

/**
 * Its contract, of what whoever carries it was given as an operation.
 * @throws REPRISE_BAD_DECLARATION for anything else
 */
export function termsOf(operation: Carried<never, unknown, unknown>, where: string): CarriedContract {
  // not every caller's types were checked
  const { "~carry": carried } = (operation ?? {}) as Partial<Carried<never, unknown, unknown>>;
  if (carried !== undefined) return carried.contract;
  throw new RepriseError("REPRISE_BAD_DECLARATION", {
    where,
    why: "it was given something else than an operation.",
    mend: "Pass what 'reprise.operation' returns.",
  });
}

/** @throws REPRISE_BAD_DECLARATION for anything else than an operation */
export function nameOf(operation: Carried<never, unknown, unknown>, where: string): string {
  return termsOf(operation, where).operation;
}
