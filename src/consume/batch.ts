import type { Clock } from "../base/clock.ts";
import type { CarriedOutcome, CarryOptions, Together } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import type { BatchSettings } from "./settings.ts";

type Told = CarriedOutcome<unknown, AnyRefused>;
interface Waiting {
  readonly input: unknown;
  readonly options: CarryOptions<unknown, AnyRefused>;
  readonly resolve: (told: Told) => void;
  readonly reject: (reason: unknown) => void;
}

/** Executes the messages of one consumer several at a time: when there are enough of them, or the first has waited long enough. */
export class Batch {
  readonly #clock: Clock;
  readonly #together: Together<unknown, unknown, AnyRefused>;
  readonly #settings: BatchSettings;
  #waiting: Waiting[] = [];
  #cancel = () => {};

  constructor(clock: Clock, together: Together<unknown, unknown, AnyRefused>, settings: BatchSettings) {
    this.#clock = clock;
    this.#together = together;
    this.#settings = settings;
  }

  execute(input: unknown, options: CarryOptions<unknown, AnyRefused>): Promise<Told> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, options, resolve, reject });
      if (this.#waiting.length >= this.#settings.most) this.#send();
      else if (this.#waiting.length === 1)
        this.#cancel = this.#clock.timer(this.#settings.withinMs, () => this.#send());
    });
  }

  #send(): void {
    this.#cancel();
    const sent = this.#waiting;
    this.#waiting = [];
    this.#together(sent).then(
      (answers) => {
        for (const [place, answer] of answers.entries()) {
          if (answer.status === "fulfilled") sent[place]?.resolve(answer.value);
          else sent[place]?.reject(answer.reason);
        }
      },
      (error: unknown) => {
        for (const { reject } of sent) reject(error);
      },
    );
  }
}
