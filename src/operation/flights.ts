import { Ended } from "../base/ended.ts";
import type { Name } from "../base/names.ts";
import { type Told, tell } from "./told.ts";
import { isSame, type Work } from "./work.ts";

/** How soon a duplicate of work in an open transaction should ask again. */
const retryAfterMs = 100;

/**
 * Database work under way in this process. Nobody else can see the row of an open transaction, and a duplicate that asked
 * the database would hold a connection to be told so; here it is told at once. It is told `running` whatever its input: a
 * mismatch with work that may still roll back would make its caller give up for nothing.
 */
export class DatabaseFlights {
  readonly #flights = new Map<Name, Flight>();

  /** Resolves when work of one of these names has ended here; `undefined`: none is under way. */
  ended(work: Work): Promise<void> | undefined {
    for (const name of namesOf(work)) {
      const flight = this.#flights.get(name);
      if (flight !== undefined) return flight.ended.promise();
    }
    return undefined;
  }

  hasBegun(work: Work): boolean {
    return namesOf(work).some((name) => this.#flights.get(name)?.hasBegun === true);
  }

  /** `attempt` says when it begins the work: one that is told a stored outcome never does, and its duplicates are told it too. */
  async fly(work: Work, since: number, attempt: (begun: () => void) => Promise<Told>): Promise<Told> {
    for (const name of namesOf(work)) {
      const other = this.#flights.get(name);
      if (other === undefined) continue;
      // without a connection, and no longer than the other one looks
      if (other.hasBegun || (await other.begins())) {
        return tell({ status: "running", since: new Date(other.since), retryAfterMs });
      }
      if (other.stored !== undefined && isSame(other.stored.work, work)) return other.stored.told;
    }
    return this.#fly([work], since, async (flight) => {
      const answer = await attempt(flight.begin);
      if (!flight.hasBegun) flight.stored = { work, told: answer };
      return answer;
    });
  }

  /** Several in one attempt. None has a name of another's, and all are free. */
  flyTogether<T>(works: readonly Work[], since: number, attempt: (begun: () => void) => Promise<T>): Promise<T> {
    return this.#fly(works, since, (flight) => attempt(flight.begin));
  }

  async #fly<T>(works: readonly Work[], since: number, attempt: (flight: Flight) => Promise<T>): Promise<T> {
    const names = works.flatMap(namesOf);
    const flight = new Flight(since);
    for (const name of names) this.#flights.set(name, flight);
    try {
      return await attempt(flight);
    } finally {
      for (const name of names) if (this.#flights.get(name) === flight) this.#flights.delete(name);
      flight.end();
    }
  }

  /** Whether nobody in this process is at it. */
  isFree(work: Work): boolean {
    return namesOf(work).every((name) => !this.#flights.has(name));
  }
}

/** An attempt, which first looks what stands under its names. */
class Flight {
  readonly since: number;
  readonly ended = new Ended();
  hasBegun = false;
  /** What it was told instead of beginning. */
  stored: { readonly work: Work; readonly told: Told } | undefined;
  /** Duplicates that came while it was looking. */
  #waiting: ((begun: boolean) => void)[] | undefined;

  constructor(since: number) {
    this.since = since;
  }

  /** Whether it begins the work, as soon as it does or has ended. */
  begins(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#waiting ??= [];
      this.#waiting.push(resolve);
    });
  }

  readonly begin = (): void => {
    this.hasBegun = true;
    this.#tell(true);
  };

  end(): void {
    this.#tell(false);
    this.ended.tell();
  }

  #tell(begun: boolean): void {
    for (const resolve of this.#waiting ?? []) resolve(begun);
    this.#waiting = undefined;
  }
}

/** Those that only one at a time may be at. */
export function namesOf({ name, key }: Work): readonly Name[] {
  return key === null ? [name] : [name, key];
}
