import type { Abortable } from "../base/abortable.ts";
import type { Clock } from "../base/clock.ts";
import { defaults } from "../base/defaults.ts";
import { untilEither } from "../base/promise.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Source } from "../contract/source.ts";
import type { Carried } from "../operation/carry.ts";
import type { AnyRefused } from "../operation/outcome.ts";
import type { Attempts } from "./attempts.ts";
import type { Executes } from "./batch.ts";
import type { ConsumeCounters } from "./counters.ts";
import type { ConsumeSettings } from "./settings.ts";
import { Turns } from "./turns.ts";

/** What a consumer rests on, in one instance. */
export interface ConsumeStores {
  readonly settings: ConsumeSettings;
  readonly operation: Carried<unknown, unknown, AnyRefused>;
  /** `null`: each message is executed by itself. */
  readonly batch: Executes | null;
  readonly source: Source;
  readonly clock: Clock;
  readonly attempts: Attempts;
  readonly counters: ConsumeCounters;
  /** Nothing begins any more: what waits is given back. */
  readonly draining: Abortable;
  /** Nobody waits any longer: what is under way is left. */
  readonly closing: Abortable;
}

/** Why a receiver is left though its connection stands: what is at work is settled over it still. */
export class Left extends Error {}

/** What the messages under way in one instance share. */
export class Consuming {
  readonly stores: ConsumeStores;
  /** Of those at work. */
  readonly turns: Turns;
  /** For how long after it was sent a message is run; `null`: however old it is; `undefined`: the broker has not said. */
  oldestMs: number | null | undefined;
  readonly #held = new UnderWay<true>();
  readonly #changed: () => void;
  #isAway = false;
  #isRefused = false;
  #last: Promise<unknown> = Promise.resolve();

  /** @param changed called when more may be received, or less */
  constructor(stores: ConsumeStores, changed: () => void) {
    this.stores = stores;
    this.turns = new Turns(stores.settings.atOnce);
    this.#changed = changed;
  }

  /** How many messages are kept that wait: none of them is at work. */
  get held(): number {
    return this.#held.size;
  }

  /** While the ledger does not answer, nothing is received. */
  get isAway(): boolean {
    return this.#isAway;
  }

  met(ledger: "away" | "there"): void {
    const isAway = ledger === "away";
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#changed();
  }

  /** Lets others be received for one that waits. Returns what ends its waiting. */
  hold(): () => void {
    const leave = this.#held.add(true);
    this.#changed();
    return () => {
      leave();
      this.#changed();
    };
  }

  /** Says once that the broker would not settle something, which is tried again. */
  refused(): void {
    if (this.#isRefused) return;
    this.#isRefused = true;
    const what = `'${this.stores.source.name}' refuses to settle a message, which is tried again`;
    const mend = "Look whether its queue for what is set aside is full; this is said once.";
    process.emitWarning(`${what}. ${mend}`, { code: "REPRISE_SOURCE_REFUSED" });
  }

  /**
   * One at a time, and the next one also when this takes long: a crash would tell by then. Where `ending` comes, nobody waits
   * any longer.
   */
  async alone<T>(ending: Abortable, work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    let end = () => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    // one that leaves early lets nobody in beside those before it
    this.#last = before.then(() => ended);
    await untilEither(before, ending);
    const cancel = this.stores.clock.timer(defaults.consume.aloneMs, end);
    try {
      return await work();
    } finally {
      cancel();
      end();
    }
  }
}
