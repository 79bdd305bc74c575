import { isRepriseError } from "../base/errors.ts";

/**
 * Runs something that commits, and tells `committed` when its answer is lost too: it may have happened, and a cache that
 * is changed once too often costs a load, one that is not changed serves what is no longer so.
 */
export async function telling<T>(committed: () => void, commit: () => Promise<T>): Promise<T> {
  try {
    return await commit();
  } catch (error) {
    if (isRepriseError(error, "REPRISE_LEDGER_AWAY")) committed();
    throw error;
  }
}
