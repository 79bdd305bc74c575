import type { Name } from "../base/names.ts";
import type { Claim } from "../contract/ledger.ts";
import { isSame, type Work } from "./work.ts";

/**
 * Duplicates of one process that ask the ledger for the same work at the same moment: one asks for all of them. Fifty calls
 * that wait for another process's work are one read each time that they look, not fifty.
 */
export class Looks {
  readonly #underWay = new Map<Name, Look>();

  /** The claim of whoever asked, itself or for this one. One that was won is nobody's but theirs. */
  async claim(work: Work, ask: () => Promise<Claim>): Promise<{ readonly claim: Claim; readonly isOwn: boolean }> {
    const other = this.#underWay.get(work.name);
    if (other !== undefined && isSame(other.work, work)) return { claim: await other.claim, isOwn: false };
    const look: Look = { work, claim: ask() };
    this.#underWay.set(work.name, look);
    try {
      return { claim: await look.claim, isOwn: true };
    } finally {
      if (this.#underWay.get(work.name) === look) this.#underWay.delete(work.name);
    }
  }
}

interface Look {
  readonly work: Work;
  readonly claim: Promise<Claim>;
}
