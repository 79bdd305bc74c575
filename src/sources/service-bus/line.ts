import { Abortable } from "../../base/abortable.ts";
import { systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { untilAborted, withDeadline } from "../../base/promise.ts";
import { UnderWay } from "../../base/under-way.ts";
import type { Delivery } from "../../contract/source.ts";
import { Inbox } from "../inbox.ts";
import type { Held } from "./held.ts";

/** What was settled last is on its way for so long at most, when a receiver closes. */
const flushMs = 2_000;

/** What one receiver has of the broker's messages, until its connection is gone or it is closed. */
export class Line {
  /** Aborted when nothing can be settled over it any more. */
  readonly #gone = new Abortable();
  readonly #inbox = new Inbox<Held>();
  readonly #settling = new UnderWay<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #isAsked = false;
  #isStopped = false;
  #isGivingBack = false;

  /** Nothing can be settled over it any more. */
  get isOver(): boolean {
    return this.#inbox.isBroken;
  }

  /** Nothing more is received over it. */
  get isStopped(): boolean {
    return this.#isStopped || this.isOver;
  }

  add(held: Held): void {
    if (this.isOver || this.#isGivingBack) void held.giveBack();
    else this.#inbox.add(held);
  }

  async pull(most: number, signal: AbortSignal): Promise<readonly Delivery[]> {
    for (;;) {
      const helds = await this.#inbox.pull(most, signal, () => this.#ask());
      this.#isAsked = false;
      const deliveries = helds.map((held) => held.handOut()).filter((one) => one !== null);
      if (deliveries.length > 0 || signal.aborted) return deliveries;
    }
  }

  /** Resolves while somebody waits for messages, or when it is over: nobody else's are taken before. */
  whenAsked(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isAsked || this.isStopped) resolve();
      else this.#waiting.push(resolve);
    });
  }

  /** Its connection is gone. */
  break(error: unknown): void {
    const reason = error instanceof Error ? error : new Error("Service Bus has ended the connection");
    for (const held of this.#inbox.drain()) held.release();
    this.#inbox.break(reason);
    this.#gone.abort(reason);
    this.#wakeWaiting();
  }

  /** Over a connection that was cut no answer comes: then it is given up, and what is not settled is delivered again. */
  async settling(work: Promise<void>): Promise<void> {
    const leave = this.#settling.add(work.catch(() => {}));
    const late = () => {
      const reason = new Error("Service Bus does not answer");
      this.break(reason);
      return reason;
    };
    try {
      const answer = untilAborted(work, this.#gone.signal);
      await withDeadline(systemClock, defaults.consume.settleMs, answer, late);
    } finally {
      leave();
    }
  }

  /**
   * Receives nothing more, and after `first` gives back what nobody has pulled, one after the other as it came.
   * @param stop nothing more comes, or what is on its way still
   */
  async stop(stop: () => Promise<unknown>, first: Promise<unknown>): Promise<void> {
    this.#isStopped = true;
    this.#wakeWaiting();
    await within(stop());
    await first;
    this.#isGivingBack = true;
    for (const held of this.#inbox.drain()) await within(held.giveBack());
  }

  /**
   * Hands nothing out any more, and waits for what is being settled.
   * @param stop nothing more comes
   * @param leave all is settled that will be
   */
  async end(stop: () => Promise<unknown>, leave: () => Promise<unknown> = async () => {}): Promise<void> {
    const waiting = this.#inbox.drain();
    this.#inbox.break(new Error("it is closed"));
    this.#wakeWaiting();
    if (this.#gone.reason !== undefined) return;
    // what comes before it has stopped is given back by `add`
    await within(stop());
    await within(Promise.all([...this.#settling, ...waiting.map((held) => held.giveBack())]));
    await within(leave());
    this.#gone.abort(new Error("it is closed"));
  }

  #ask(): void {
    this.#isAsked = true;
    this.#wakeWaiting();
  }

  #wakeWaiting(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** What fails, or hangs, ends with the connection. */
export async function within(work: Promise<unknown>): Promise<void> {
  await withDeadline(systemClock, flushMs, work, () => new Error("Service Bus does not answer")).catch(() => {});
}
