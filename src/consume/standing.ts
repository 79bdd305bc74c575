import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Source, SourceStanding } from "../contract/source.ts";

/** Nobody knows. */
const unknown: SourceStanding = { waiting: null, setAside: null };

/** How much there is at a source, as it was told last: whoever draws a figure waits for no broker. */
export class LastStanding {
  readonly #source: Source;
  readonly #clock: Clock;
  #last = unknown;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<unknown> = Promise.resolve();

  constructor(source: Source, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** As it was told last. Asks anew behind this, now and then. */
  get latest(): SourceStanding {
    const now = this.#clock.monotonic();
    if (now - this.#askedAt >= defaults.consume.standingEveryMs) {
      this.#askedAt = now;
      this.#asking = this.ask().catch(() => {
        // an old figure would be taken for one of now
        this.#last = unknown;
      });
    }
    return this.#last;
  }

  /** @throws REPRISE_SOURCE_AWAY, and what the source rejects with */
  async ask(): Promise<SourceStanding> {
    const { standing, name } = this.#source;
    if (standing === undefined) return unknown;
    const away = () => new RepriseError("REPRISE_SOURCE_AWAY", { source: name, doing: "telling how much there is" });
    this.#last = await withDeadline(this.#clock, defaults.consume.settleMs, standing(), away);
    return this.#last;
  }

  /** Resolves when nothing is asked any more. */
  async ended(): Promise<void> {
    await this.#asking;
  }
}
