import type { Clock } from "./clock.ts";
import { isRepriseError } from "./errors.ts";
import { pause } from "./promise.ts";

/** Pauses before each repetition. A blink of the ledger must not lose what only this process knows. */
const pausesMs = [50, 250, 1_000];
/** Whoever has nothing to lose is told of a ledger that took longer to fail: its own deadline has passed already. */
const blinkMs = 2_000;

/**
 * Repeats a write that is harmless to repeat while the ledger is away and, for what only this process knows, while it is
 * busy: a ledger that is busy has waited already, and whoever has nothing to lose is told so. In the end its error is
 * thrown.
 */
export async function insist<T>(clock: Clock, write: () => Promise<T>, whileBusy?: "while-busy"): Promise<T> {
  const since = clock.monotonic();
  for (const waitMs of pausesMs) {
    try {
      return await write();
    } catch (error) {
      const busy = whileBusy !== undefined && isRepriseError(error, "REPRISE_LEDGER_BUSY");
      if (!busy && !isRepriseError(error, "REPRISE_LEDGER_AWAY")) throw error;
      if (whileBusy === undefined && clock.monotonic() - since > blinkMs) throw error;
      await pause(clock, waitMs);
    }
  }
  return write();
}
