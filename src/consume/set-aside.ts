import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { DeadLetter, DeadLetters, Source } from "../contract/source.ts";
import { labelOf } from "../operation/endings.ts";
import { checkChoice, type LetterChoice } from "./letter-choice.ts";

/** What became of the dead letters that were meant. */
export interface LetterCounts {
  readonly done: number;
  /** Somebody else has sent them again or removed them. */
  readonly gone: number;
  /** Whether there are others still that were meant: the same again goes on with them. */
  readonly more: boolean;
}

/** A look that is bounded, both in time and in how much it reads. */
export interface LookedLetters {
  readonly letters: readonly DeadLetter[];
  /** Whether there are others still that were meant. */
  readonly more: boolean;
}

/**
 * What a person does with what one source has set aside: each over a connection of its own, which is closed then. Each rejects
 * with REPRISE_BAD_DECLARATION where the source shows no dead letters, or for a choice that is none, and with
 * REPRISE_SOURCE_AWAY, after which some of it may have happened.
 */
export class SetAside {
  readonly #source: Source;
  readonly #clock: Clock;

  constructor(source: Source, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  list(choice: LetterChoice): Promise<LookedLetters> {
    return this.#look(choice, (open) => this.#choose(open, choice));
  }

  /** In the order in which they were set aside. */
  redrive(choice: LetterChoice): Promise<LetterCounts> {
    return this.#each(choice, "sending again", (open, letter) => open.redrive(letter));
  }

  discard(choice: LetterChoice): Promise<LetterCounts> {
    return this.#each(choice, "discarding", (open, letter) => open.discard(letter));
  }

  #each(
    choice: LetterChoice,
    doing: string,
    act: (open: DeadLetters, letter: DeadLetter) => Promise<"done" | "gone">,
  ): Promise<LetterCounts> {
    return this.#look(choice, async (open) => {
      const { letters, more } = await this.#choose(open, choice);
      // asked for by its id, and not there any more: nobody knows that before all of them were looked at
      const gone = more ? 0 : Math.max(0, (choice.ids?.length ?? 0) - letters.length);
      const counts = { done: 0, gone };
      for (const letter of letters) {
        counts[await this.#inTime(doing, defaults.consume.settleMs, act(open, letter))] += 1;
      }
      return { ...counts, more };
    });
  }

  /** Looks further until it has found what is meant, or has looked for long enough. */
  async #choose(open: DeadLetters, choice: LetterChoice): Promise<LookedLetters> {
    const { ids, reason, most = defaults.consume.letters } = choice;
    const isMeant = ({ id, reason: why }: DeadLetter) =>
      (ids === undefined || ids.includes(id)) && (reason === undefined || why === reason);
    const wanted = ids === undefined ? most : Math.min(most, ids.length);
    const { lettersLooked, lookMs } = defaults.consume;
    const until = this.#clock.monotonic() + lookMs;
    let look = Math.min(wanted + 1, lettersLooked);
    for (let before = 0; ; ) {
      const { found, isCut } = await this.#list(open, look);
      const meant = found.filter(isMeant);
      const isWhole = !isCut && found.length < look;
      const isEnough = meant.length > wanted || (ids !== undefined && meant.length === wanted);
      // what was found is acted upon, for of a queue so long all of it may never be found in time
      const isLate = isCut && (meant.length > 0 || found.length <= before || this.#clock.monotonic() >= until);
      if (isWhole || isEnough || isLate || (!isCut && look === lettersLooked)) {
        const more = ids === undefined ? meant.length > wanted || !isWhole : isLate && !isEnough;
        return { letters: meant.slice(0, wanted), more };
      }
      // one that was cut goes on where it was
      if (!isCut) look = Math.min(look * 4, lettersLooked);
      before = found.length;
    }
  }

  /** A broker that hands over one by one may find fewer in time. */
  async #list(
    open: DeadLetters,
    most: number,
  ): Promise<{ readonly found: readonly DeadLetter[]; readonly isCut: boolean }> {
    const { listMs, openMs } = defaults.consume;
    const ending = new AbortController();
    const cancel = this.#clock.timer(listMs, () => ending.abort());
    try {
      const found = await this.#inTime("listing dead letters", openMs, open.list(most, ending.signal));
      return { found, isCut: ending.signal.aborted && found.length < most };
    } finally {
      cancel();
    }
  }

  async #look<T>(choice: LetterChoice, work: (open: DeadLetters) => Promise<T>): Promise<T> {
    const source = this.#source;
    checkChoice(source.name, choice);
    if (source.deadLetters === undefined) {
      const why = "its source does not show what it has set aside.";
      const mend = "Use the broker's own tools.";
      throw new RepriseError("REPRISE_BAD_DECLARATION", { where: `consumer of '${source.name}'`, why, mend });
    }
    const opening = source.deadLetters();
    let open: DeadLetters;
    try {
      open = await this.#inTime("opening dead letters", defaults.consume.openMs, opening);
    } catch (error) {
      // one that opens later would keep what it was shown from others
      opening.then((late) => late.close()).catch(() => {});
      throw error;
    }
    try {
      return await work(open);
    } finally {
      // a connection that does not close ends with its process, and keeps nothing that is done from being so
      await this.#inTime("closing", defaults.consume.settleMs, open.close()).catch(() => {});
    }
  }

  async #inTime<T>(doing: string, ms: number, work: Promise<T>): Promise<T> {
    const away = (how: string, cause?: unknown) =>
      new RepriseError("REPRISE_SOURCE_AWAY", { source: this.#source.name, doing: `${doing}${how}` }, cause);
    try {
      return await withDeadline(this.#clock, ms, work, () => away(""));
    } catch (error) {
      // a client's own words may hold what it connects with
      throw isRepriseError(error) ? error : away(`: ${labelOf(error)}`, error);
    }
  }
}
