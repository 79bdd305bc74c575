import type { Clock } from "../base/clock.ts";
import { isRepriseError } from "../base/errors.ts";
import { pause } from "../base/promise.ts";

/** Pauses before each repetition. A blink of the ledger must not lose what only this process knows. */
const pausesMs = [50, 250, 1_000];

/**
 * Repeats a write that is harmless to repeat while the ledger is away or busy. In the end its error is thrown.
 */
export async function insist<T>(clock: Clock, write: () => Promise<T>): Promise<T> {
  for (const waitMs of pausesMs) {
    try {
      return await write();
    } catch (error) {
      if (!isRepriseError(error, "REPRISE_LEDGER_AWAY") && !isRepriseError(error, "REPRISE_LEDGER_BUSY")) throw error;
      await pause(clock, waitMs);
    }
  }
  return write();
}
