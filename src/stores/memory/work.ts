import type { Name } from "../../base/names.ts";
import type { Fence } from "../../contract/ledger.ts";
import * as recorded from "../work.ts";

/** What the memory ledger holds beside what is recorded; deleting it deletes everything. */
export interface Work extends recorded.Work {
  /** The first key and further ones: they live as long as the work. */
  readonly keys: Set<Name>;
  /** Open transactions that hold its fence, and their ends: nobody takes it over meanwhile. */
  readonly transactions: Map<string, Promise<void>>;
  /** The open transaction that runs and finishes it; nobody else sees what that does. */
  openIn: object | null;
}

export function isExpired(work: Work, now: number): boolean {
  return work.openIn === null && recorded.isExpired(work, now);
}

export function holds(work: Work | undefined, fence: Fence): work is Work {
  return recorded.holds(work, fence) && work.openIn === null;
}

/** Whether nobody is at it. */
export function isDue(work: Work, now: number): boolean {
  return work.transactions.size === 0 && recorded.isDue(work, now);
}
