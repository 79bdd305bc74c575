import type { Clock } from "../base/clock.ts";
import type { CarriedOutcome, CarryOptions, Together } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";

export type Told = CarriedOutcome<unknown, AnyRefused>;

/** How a message is executed: by itself, or with others. */
export interface Executes {
  readonly execute: (input: unknown, options: CarryOptions<unknown, AnyRefused>) => Promise<Told>;
}

export interface Waiting {
  readonly input: unknown;
  readonly options: CarryOptions<unknown, AnyRefused>;
  readonly resolve: (told: Told | Promise<Told>) => void;
  readonly reject: (reason: unknown) => void;
}

/** Executes the messages of one consumer several at a time: when there are enough of them, or the first has waited long enough. */
export class Batch implements Executes {
  readonly #clock: Clock;
  readonly #together: Together<unknown, unknown, AnyRefused>;
  readonly #settings: { readonly most: number; readonly withinMs: number };
  #waiting: Waiting[] = [];
  #cancel = () => {};

  constructor(
    clock: Clock,
    together: Together<unknown, unknown, AnyRefused>,
    settings: { readonly most: number; readonly withinMs: number },
  ) {
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
    void sendTogether(this.#together, sent, () => {});
  }
}

/** Tells each of them its answer, and `ended` first whether their transaction did not fall apart. Never rejects. */
export async function sendTogether(
  together: Together<unknown, unknown, AnyRefused>,
  sent: readonly Waiting[],
  ended: (isWhole: boolean) => void,
): Promise<void> {
  try {
    const { answers, isWhole } = await together(sent);
    ended(isWhole);
    for (const [place, answer] of answers.entries()) {
      if (answer.status === "fulfilled") sent[place]?.resolve(answer.value);
      else sent[place]?.reject(answer.reason);
    }
  } catch (error) {
    ended(false);
    for (const { reject } of sent) reject(error);
  }
}
