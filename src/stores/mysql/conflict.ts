import { isRepriseError } from "../../base/errors.ts";
import { isConflict } from "./driver.ts";

/** The server rolled the transaction back: all of it is to be repeated. */
export class Conflict extends Error {
  readonly errno = 1213;
  constructor(cause?: unknown) {
    super("the transaction met another one", { cause });
  }
}

export function asksForRepetition(error: unknown): boolean {
  return isConflict(error) || isRepriseError(error, "REPRISE_RETRY_TRANSACTION");
}
