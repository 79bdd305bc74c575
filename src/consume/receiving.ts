import { Abortable } from "../base/abortable.ts";
import { defaults } from "../base/defaults.ts";
import { isRepriseError, RepriseError } from "../base/errors.ts";
import { pause, untilAborted, withDeadline } from "../base/promise.ts";
import { UnderWay } from "../base/under-way.ts";
import type { Delivery, Receiver } from "../contract/source.ts";
import { labelOf } from "../operation/endings.ts";
import { type ConsumeStores, Consuming, Left } from "./consuming.ts";
import { Lanes, type Place } from "./lanes.ts";
import { Message } from "./message.ts";
import { oldestOf } from "./settings.ts";

export interface ReceivingTold {
  /** It receives for the first time, or again. */
  readonly began: () => void;
  /** Before it begins, or may not. */
  readonly horizon: (ms: number | null) => void;
  /** It may not begin. */
  readonly refused: (reason: Error) => void;
}

/** Receives the messages of one consumer in one instance, and hands each to its handling. */
export class Receiving {
  readonly #stores: ConsumeStores;
  readonly #consuming: Consuming;
  readonly #underWay = new UnderWay<Promise<void>>();
  /** Receivers that are left, until what they handed out is settled. */
  readonly #leaving = new UnderWay<Promise<void>>();
  readonly #lanes: Lanes;
  readonly #told: ReceivingTold;
  #pulling: Abortable | undefined;
  /** Of the present receiver. */
  #ending: Abortable | undefined;
  #paused = false;
  #wake = () => {};
  #loop: Promise<void> = Promise.resolve();
  #isAway = false;
  /** Some of what it receives runs one after the other. */
  #hasLanes: boolean;
  #warnedAt = Number.NEGATIVE_INFINITY;

  constructor(stores: ConsumeStores, told: ReceivingTold) {
    this.#stores = stores;
    this.#consuming = new Consuming(stores, () => this.#changed());
    this.#lanes = new Lanes(stores.clock);
    this.#told = told;
    this.#hasLanes = stores.settings.inOrderBy !== null;
  }

  start(): void {
    this.#stores.draining.onAbort(() => this.#wake());
    this.#loop = this.#receive();
  }

  /** While it is, it has no receiver: what that had received ahead would be kept from others. */
  set paused(paused: boolean) {
    this.#paused = paused;
    if (paused) this.#ending?.abort(new Left("it is paused"));
    this.#wake();
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
      if (this.#paused) {
        await this.#change();
        continue;
      }
      const ending = new Abortable();
      this.#ending = ending;
      const stopDraining = draining.onAbort((reason) => ending.abort(reason));
      let receiver: Receiver | undefined;
      try {
        receiver = await this.#open();
        this.#isAway = false;
        this.#lanes.began(ending);
        this.#told.began();
        await this.#receiveFrom(receiver, ending, () => {
          pauseMs = defaults.consume.awayMs.least;
        });
        const left = this.#leave(receiver);
        // what comes back to a lane must find nothing of it here that is still to be given back
        if (this.#hasLanes) await left;
      } catch (error) {
        ending.abort(error instanceof Error ? error : new Error("its connection is gone"));
        if (isRepriseError(error, "REPRISE_BAD_DECLARATION")) return this.#told.refused(error);
        if (draining.reason === undefined) this.#warn(error);
        await this.#close(receiver);
      }
      stopDraining();
      if (draining.reason !== undefined || this.#paused) continue;
      await pause(clock, pauseMs, draining.signal).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, defaults.consume.awayMs.most);
    }
    // also what came over connections that are gone
    await Promise.all([...this.#underWay, ...this.#leaving]);
  }

  /** Lets others have what it has received ahead, and closes it when what it handed out is settled. Never rejects. */
  async #leave(receiver: Receiver): Promise<void> {
    const handled = Promise.all(this.#underWay);
    const leave = async () => {
      // in order, what it handed out is given back before what it has received after that
      const first = this.#hasLanes ? handled : Promise.resolve();
      const stopped = receiver.stop?.(first).catch(() => {});
      await first;
      // one that cannot is closed all the same
      if (stopped !== undefined) await this.#inTime("stopping", stopped).catch(() => {});
      await handled;
      await this.#close(receiver);
    };
    const leaving = leave();
    const left = this.#leaving.add(leaving);
    await leaving;
    left();
  }

  /** @throws REPRISE_BAD_DECLARATION where it may not begin */
  async #open(): Promise<Receiver> {
    const { source, settings, draining } = this.#stores;
    if (this.#consuming.oldestMs === undefined) {
      const horizon = this.#inTime("telling its horizon", source.horizon());
      const horizonMs = await untilAborted(horizon, draining.signal);
      this.#told.horizon(horizonMs);
      this.#consuming.oldestMs = oldestOf(settings, horizonMs);
    }
    const opening = source.open(settings.atOnce * defaults.consume.heldPerAtOnce, settings.inOrderBy !== null);
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
    const { counters, attempts } = this.#stores;
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
      counters.underWay += deliveries.length;
      attempts.sweep();
      for (const delivery of deliveries) this.#take(delivery, ending);
    }
    const isLeft = ending.reason instanceof Left || this.#stores.draining.reason !== undefined;
    if (!isLeft) throw ending.reason;
  }

  /** How many more may be received now. */
  #room(): number {
    const { settings } = this.#stores;
    const { held, isAway } = this.#consuming;
    const all = this.#underWay.size;
    // where none waits for the ledger any more, the next one asks
    if (isAway && all > 0) return 0;
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
    const { inLane } = message;
    const handled = inLane === null ? message.handle() : this.#handleInLane(message, this.#lanes.enter(inLane, ending));
    const leave = this.#underWay.add(handled);
    void handled.then(() => {
      leave();
      this.#changed();
    });
  }

  async #handleInLane(message: Message, place: Place): Promise<void> {
    this.#hasLanes = true;
    if (place.reached !== null) {
      // many behind one that is tried again must not keep everybody's places
      const leave = this.#consuming.hold();
      await place.reached;
      leave();
    }
    await message.handle();
    place.leave(message.hasEnded);
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

  /** A broker that is away comes back, as a rule: it is said once each time, not each time that it is tried again. */
  #warn(error: unknown): void {
    const now = this.#stores.clock.monotonic();
    if (this.#isAway || now - this.#warnedAt < defaults.consume.warnEveryMs) return;
    this.#isAway = true;
    this.#warnedAt = now;
    const why = isRepriseError(error, "REPRISE_SOURCE_AWAY") ? error.details.doing : labelOf(error);
    process.emitWarning(`'${this.#stores.source.name}' cannot be received from (${why}) and is tried again.`, {
      code: "REPRISE_SOURCE_FAILED",
    });
  }
}
