import { isRepriseError } from "../base/errors.ts";
import type { FindRequest, Ledger } from "../contract/ledger.ts";
import { Refusal } from "./outcome.ts";

/**
 * Claims and runs database work with `attempt`. Where that fails, another attempt may have finished meanwhile: a
 * transaction that began beside the winner's commit may not have seen its record and fail over what it wrote, as over a
 * unique key. Then the failure says nothing, and claiming again tells the winner's outcome.
 */
export async function orWinner<T>(ledger: Ledger<unknown>, work: FindRequest, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    // a refusal is kept by a claim, which meets the winner; an error of ours says itself what became of the work
    if (error instanceof Refusal || isRepriseError(error)) throw error;
    const found = await ledger.find(work).catch(() => null);
    if (found?.is !== "done") throw error;
    return attempt();
  }
}
