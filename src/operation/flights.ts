import type { Name } from "../base/names.ts";
import type { Told } from "./told.ts";
import { tell } from "./told.ts";
import type { Work } from "./work.ts";

/**
 * Database work under way in this process. Nobody else can see the row of an open transaction, and a duplicate that asked
 * the database would hold a connection to be told so; here it is told at once.
 */
export class DatabaseFlights {
  readonly #byName = new Map<Name, { readonly work: Work; readonly since: number }>();

  /** What a duplicate is told, or `null`: go ahead. */
  find(work: Work): Told | null {
    const named = this.#byName.get(work.name);
    const keyed = work.key === null ? undefined : this.#byName.get(work.key);
    if (keyed !== undefined && keyed.work.name !== work.name) return tell({ status: "mismatch", firstSeen: null });
    if (named === undefined) return null;
    const since = new Date(named.since);
    if (named.work.print.hash !== work.print.hash) return tell({ status: "mismatch", firstSeen: since });
    return tell({ status: "running", since, retryAfterMs: 100 });
  }

  async fly<T>(work: Work, since: number, run: () => Promise<T>): Promise<T> {
    const names = work.key === null ? [work.name] : [work.name, work.key];
    for (const name of names) this.#byName.set(name, { work, since });
    try {
      return await run();
    } finally {
      for (const name of names) this.#byName.delete(name);
    }
  }
}
