import type { Name } from "../base/names.ts";
import { type Told, tell } from "./told.ts";
import type { Work } from "./work.ts";

/** How soon a duplicate of work in an open transaction should ask again. */
const retryAfterMs = 100;

/**
 * Database work under way in this process. Nobody else can see the row of an open transaction, and a duplicate that asked
 * the database would hold a connection to be told so; here it is told at once. It is told `running` whatever its input: a
 * mismatch with work that may still roll back would make its caller give up for nothing.
 */
export class DatabaseFlights {
  readonly #since = new Map<Name, number>();

  /** What a duplicate is told, or `null`: go ahead. */
  find(work: Work): Told | null {
    const since = namesOf(work)
      .map((name) => this.#since.get(name))
      .find((found) => found !== undefined);
    return since === undefined ? null : tell({ status: "running", since: new Date(since), retryAfterMs });
  }

  async fly<T>(work: Work, since: number, run: () => Promise<T>): Promise<T> {
    for (const name of namesOf(work)) this.#since.set(name, since);
    try {
      return await run();
    } finally {
      for (const name of namesOf(work)) this.#since.delete(name);
    }
  }
}

function namesOf({ name, key }: Work): readonly Name[] {
  return key === null ? [name] : [name, key];
}
