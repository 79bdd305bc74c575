import type { Clock } from "../base/clock.ts";
import type { CarryOptions, Together } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import { type Executes, sendTogether, type Told, type Waiting } from "./batch.ts";
import { Caution } from "./caution.ts";

interface Ready extends Waiting {
  /** Since when, by the monotonic clock. */
  readonly since: number;
}

/**
 * Executes together what is ready at the same moment, or has become so while as many transactions as may be shared are under
 * way. One that nothing else is ready with is executed by itself.
 */
export class ReadyBatch implements Executes {
  readonly #clock: Clock;
  readonly #alone: Executes["execute"];
  readonly #together: Together<unknown, unknown, AnyRefused>;
  readonly #most: number;
  readonly #caution = new Caution();
  #waiting: Ready[] = [];
  /** Transactions under way, of one or of several. */
  #busy = 0;
  #isTurnOver = true;
  #cancel: (() => void) | null = null;

  constructor(
    clock: Clock,
    { alone, together }: { alone: Executes["execute"]; together: Together<unknown, unknown, AnyRefused> },
    most: number,
  ) {
    this.#clock = clock;
    this.#alone = alone;
    this.#together = together;
    this.#most = most;
  }

  execute(input: unknown, options: CarryOptions<unknown, AnyRefused>): Promise<Told> {
    const since = this.#clock.monotonic();
    if (this.#caution.goesSingly(this.#busy)) return this.#timed(this.#alone(input, options), since);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ input, options, resolve, reject, since });
      if (!this.#isTurnOver) return;
      this.#isTurnOver = false;
      // behind all that this turn brings
      setImmediate(() => {
        this.#isTurnOver = true;
        this.#send();
      });
    });
  }

  #send(): void {
    while (this.#waiting.length > 0 && this.#caution.maySend(this.#busy)) this.#sendSome();
    const [first] = this.#waiting;
    if (first === undefined) {
      this.#cancel?.();
      this.#cancel = null;
    } else if (this.#cancel === null) {
      const waitedMs = this.#clock.monotonic() - first.since;
      this.#cancel = this.#clock.timer(Math.max(0, this.#caution.longestWaitMs - waitedMs), () => this.#wake());
    }
  }

  /** Those before them take long. Nobody waits behind them, and the next ones do not wait at all. */
  #wake(): void {
    this.#cancel = null;
    const [first] = this.#waiting;
    if (first === undefined) return;
    const waitedMs = this.#clock.monotonic() - first.since;
    if (waitedMs >= this.#caution.longestWaitMs) {
      this.#caution.begin()(waitedMs, false);
      for (const { input, options, since, resolve } of this.#waiting.splice(0)) {
        resolve(this.#timed(this.#alone(input, options), since));
      }
    }
    this.#send();
  }

  #sendSome(): void {
    const sent = this.#waiting.splice(0, this.#most);
    const began = this.#clock.monotonic();
    this.#busy += 1;
    const [first] = sent;
    if (first !== undefined && sent.length === 1) {
      const { input, options, resolve } = first;
      const told = this.#timed(this.#alone(input, options), began);
      resolve(told);
      const ended = () => this.#ended();
      told.then(ended, ended);
      return;
    }
    const tell = this.#caution.begin();
    void sendTogether(this.#together, sent, (isWhole) => {
      tell(this.#clock.monotonic() - began, isWhole);
      this.#ended();
    });
  }

  #ended(): void {
    this.#busy -= 1;
    this.#send();
  }

  async #timed(told: Promise<Told>, began: number): Promise<Told> {
    const answer = await told;
    this.#caution.wentAlone(this.#clock.monotonic() - began);
    return answer;
  }
}
