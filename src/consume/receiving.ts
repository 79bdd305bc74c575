import { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { pause, untilAborted, withDeadline } from "../base/promise.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Delivery, Receiver } from "../contract/source.ts";
import { type ConsumeStores, Consuming } from "./consuming.ts";
import { Message } from "./message.ts";
import { oldestOf } from "./settings.ts";

export interface ReceivingTold {
  /** It receives for the first time, or again. */
  readonly began: () => void;
  /** It may not begin. */
  readonly refused: (reason: Error) => void;
}

/** Receives the messages of one consumer in one instance, and hands each to its handling. */
export class Receiving {
  readonly #stores: ConsumeStores;
  readonly #consuming: Consuming;
  readonly #underWay = new UnderWay<Promise<void>>();
  /** The last message of each lane that has one under way. */
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #told: ReceivingTold;
  #pulling: Abortable | undefined;
  #paused = false;
  #wake = () => {};
  #loop: Promise<void> = Promise.resolve();
  #warned = false;

  constructor(stores: ConsumeStores, told: ReceivingTold) {
    this.#stores = stores;
    this.#consuming = new Consuming(stores, () => this.#changed());
    this.#told = told;
  }

  start(): void {
    this.#loop = this.#receive();
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    this.#changed();
  }

  /** Resolves when it has stopped receiving, and all that it had received has ended; after `draining`. */
  async drained(): Promise<void> {
    await this.#loop;
  }

  /** Over one connection after the other. */
  async #receive(): Promise<void> {
    const { clock, draining } = this.#stores;
    let pauseMs: number = defaults.consume.awayMs.least;
    while (draining.reason === undefined) {
      const ending = new Abortable();
      const stopDraining = draining.onAbort((reason) => ending.abort(reason));
      let receiver: Receiver | undefined;
      try {
        receiver = await this.#open();
        this.#told.began();
        await this.#receiveFrom(receiver, ending, () => {
          pauseMs = defaults.consume.awayMs.least;
        });
        // what it handed out is settled over it
        await Promise.all(this.#underWay);
      } catch (error) {
        ending.abort(error instanceof Error ? error : new Error("its connection is gone"));
        if (isRepriseError(error, "REPRISE_BAD_DECLARATION")) return this.#told.refused(error);
        if (draining.reason === undefined) this.#warn(error);
      }
      stopDraining();
      await this.#close(receiver);
      if (draining.reason !== undefined) break;
      await pause(clock, pauseMs, draining.signal).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, defaults.consume.awayMs.most);
    }
    // also what came over connections that are gone
    await Promise.all(this.#underWay);
  }

  /** @throws REPRISE_BAD_DECLARATION where it may not begin */
  async #open(): Promise<Receiver> {
    const { source, settings, draining } = this.#stores;
    if (this.#consuming.oldestMs === undefined) {
      const horizon = this.#inTime("telling its horizon", source.horizon());
      this.#consuming.oldestMs = oldestOf(settings, await untilAborted(horizon, draining.signal));
    }
    const opening = source.open(settings.atOnce * defaults.consume.heldPerAtOnce);
    try {
      return await untilAborted(this.#inTime("opening", opening), draining.signal);
    } catch (error) {
      // what one that opens later is handed, nobody would settle
      opening.then((late) => late.close()).catch(() => {});
      throw error;
    }
  }

  /** Until nothing begins any more. Rejects where it receives nothing any more, or cannot settle it. */
  async #receiveFrom(receiver: Receiver, ending: Abortable, received: () => void): Promise<void> {
    const { draining, counters, attempts } = this.#stores;
    ending.onAbort((reason) => {
      this.#wake();
      this.#pulling?.abort(reason);
    });
    let pulling = new Abortable();
    let pulls = 0;
    while (ending.reason === undefined) {
      const most = this.#room();
      if (most === 0) {
        await this.#change();
        continue;
      }
      pulls += 1;
      // a signal of its own for each message would cost more than the rest of its receipt
      if (pulling.reason !== undefined || pulls % defaults.consume.pullsPerSignal === 0) pulling = new Abortable();
      this.#pulling = pulling;
      let deliveries: readonly Delivery[];
      try {
        deliveries = await receiver.pull(most, this.#pulling.signal);
      } finally {
        this.#pulling = undefined;
      }
      if (deliveries.length > 0) received();
      counters.received += deliveries.length;
      attempts.sweep();
      for (const delivery of deliveries) this.#take(delivery, ending);
    }
    if (draining.reason === undefined) throw ending.reason;
  }

  /** How many more may be received now. */
  #room(): number {
    const { settings } = this.#stores;
    const { held, isAway } = this.#consuming;
    const all = this.#underWay.size;
    // where none waits for the ledger any more, the next one asks
    if (this.#paused || (isAway && all > 0)) return 0;
    const most = settings.atOnce * defaults.consume.heldPerAtOnce;
    return Math.max(0, Math.min(settings.atOnce - (all - held), most - all));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #changed(): void {
    this.#wake();
    if (this.#room() === 0) this.#pulling?.abort(new Error("nothing more is received now"));
  }

  #take(delivery: Delivery, ending: Abortable): void {
    const message = new Message(this.#consuming, delivery, ending);
    const { lane } = message;
    const before = lane === null ? undefined : this.#lanes.get(lane);
    const handled = before === undefined ? message.handle() : this.#after(before, message);
    if (lane !== null) this.#lanes.set(lane, handled);
    const leave = this.#underWay.add(handled);
    void handled.then(() => {
      leave();
      if (lane !== null && this.#lanes.get(lane) === handled) this.#lanes.delete(lane);
      this.#changed();
    });
  }

  /** Many behind one that is tried again must not keep everybody's places. */
  async #after(before: Promise<void>, message: Message): Promise<void> {
    const leave = this.#consuming.hold();
    await before;
    leave();
    await message.handle();
  }

  async #close(receiver: Receiver | undefined): Promise<void> {
    if (receiver === undefined) return;
    try {
      await this.#inTime("closing", receiver.close());
    } catch {
      // the connection ends with its process, and the broker delivers what is not settled
    }
  }

  #inTime<T>(doing: string, work: Promise<T>): Promise<T> {
    const { clock, source } = this.#stores;
    const late = () => new RepriseError("REPRISE_SOURCE_AWAY", { source: source.name, doing });
    return withDeadline(clock, defaults.consume.openMs, work, late);
  }

  /** A broker that is away comes back, as a rule: it is said once, and tried again. */
  #warn(error: unknown): void {
    if (this.#warned) return;
    this.#warned = true;
    const kind = isRepriseError(error) ? error.code : error instanceof Error ? error.name : typeof error;
    process.emitWarning(
      `'${this.#stores.source.name}' cannot be received from (${kind}) and is tried again; this is said once.`,
      { code: "REPRISE_SOURCE_FAILED" },
    );
  }
}
