import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Source, SourceStanding } from "../contract/source.ts";

/** Nobody knows. */
const unknown: SourceStanding = { waiting: null, setAside: null };

/**
 * How much there is at a source.
 * @throws REPRISE_SOURCE_AWAY, and what the source rejects with
 */
export async function askStanding(source: Source, clock: Clock): Promise<SourceStanding> {
  if (source.standing === undefined) return unknown;
  const told = { source: source.name, doing: "telling how much there is" };
  const away = () => new RepriseError("REPRISE_SOURCE_AWAY", told);
  return withDeadline(clock, defaults.consume.settleMs, source.standing(), away);
}

/** How much there is, as it was told last: whoever draws a figure waits for no broker. */
export class LastStanding {
  readonly #source: Source;
  readonly #clock: Clock;
  #last = unknown;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(source: Source, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Asks anew behind what it answers, now and then. */
  get latest(): SourceStanding {
    const now = this.#clock.monotonic();
    if (now - this.#askedAt >= defaults.consume.standingEveryMs) {
      this.#askedAt = now;
      void this.#ask();
    }
    return this.#last;
  }

  /** Never rejects, and holds no process that would end. */
  async #ask(): Promise<void> {
    let cancel = () => {};
    const late = new Promise<SourceStanding>((resolve) => {
      cancel = this.#clock.timer(defaults.consume.settleMs, () => resolve(unknown));
    });
    // an old figure would be taken for one of now
    const told = (async () => (await this.#source.standing?.()) ?? unknown)().catch(() => unknown);
    this.#last = await Promise.race([told, late]);
    cancel();
  }
}
