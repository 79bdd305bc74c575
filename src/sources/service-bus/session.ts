import { systemClock } from "../../base/clock.ts";
import { Held } from "./held.ts";
import { type Line, within } from "./line.ts";
import { isLost, Lock, lockMsOf } from "./lock.ts";
import type { ServiceBusMessage, ServiceBusSession } from "./shapes.ts";

/** A session in which nothing comes for so long is left, for others wait: what is there comes sooner. */
const idleMs = 250;

/**
 * A session's state while somebody has it. The broker counts no delivery of a session that ends with its connection: only
 * this tells the next one of a crash.
 */
const atWork = { reprise: "at work" };

/** One session, which is this process's until it is left or lost. */
export class Session {
  readonly #session: ServiceBusSession;
  readonly #line: Line;
  readonly #most: number;
  readonly #lock: Lock;
  readonly #held = new Set<Held>();
  /** What was enqueued until then, somebody may have been handed who crashed; `null`: nobody did. */
  #repeatedUntil: number | null = null;
  #isMarked = false;
  #subscription: { close(): Promise<void> } | undefined;
  #isStopped = false;
  #leavesWhenEmpty = false;
  #ending: Promise<void> | undefined;
  #ended = () => {};
  #stopResting = () => {};

  /** @param most so many of its messages at once */
  constructor(session: ServiceBusSession, line: Line, most: number) {
    this.#session = session;
    this.#line = line;
    this.#most = most;
    const lockMs = lockMsOf(session.sessionLockedUntilUtc);
    const renew = () => session.renewSessionLock();
    this.#lock = new Lock(lockMs, renew, () => this.#lose());
  }

  /** Resolves when it is left, or lost. */
  async attend(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    try {
      await this.#mark();
    } catch (error) {
      if (!this.#lock.isEnding) throw error;
      // it took longer than the lock lasts: the next one may be quicker
      this.#lose();
      return ended;
    }
    this.#subscription = this.#session.subscribe(
      {
        processMessage: (message) => this.#take(message),
        processError: async ({ error }) => this.#fail(error),
      },
      { autoCompleteMessages: false, maxConcurrentCalls: this.#most },
    );
    this.#rest();
    await ended;
  }

  /** Nothing more of it is handed out. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopResting();
    await this.#subscription?.close();
  }

  /** Others have it, and what nobody has pulled of it, as soon as what was pulled of it is settled. */
  leaveWhenEmpty(): void {
    this.#leavesWhenEmpty = true;
    if (this.#held.size === 0) void this.leave();
  }

  /** What of it is not settled comes again, to whoever has the session next. */
  leave(): Promise<void> {
    this.#ending ??= this.#leave();
    return this.#ending;
  }

  async #mark(): Promise<void> {
    const state = await this.#session.getSessionState();
    this.#isMarked = state === null || state === undefined || isAtWork(state);
    if (this.#isMarked && !isAtWork(state)) await this.#session.setSessionState(atWork);
    // a state of somebody else's says nothing, and stays
    else this.#repeatedUntil = this.#session.sessionLockedUntilUtc.getTime();
  }

  #take(message: ServiceBusMessage): Promise<void> {
    // it comes again without a count when the session is left
    if (this.#isStopped) return Promise.resolve();
    this.#stopResting();
    const { deliveryCount = 0, enqueuedTimeUtc, sessionId } = message;
    const isRepeated = deliveryCount > 0 || (enqueuedTimeUtc?.getTime() ?? 0) <= (this.#repeatedUntil ?? -1);
    const [line, settling] = [this.#line, this.#session];
    const held = new Held({ line, message, settling, isRepeated, group: sessionId, giveBack: async () => {} });
    this.#held.add(held);
    void held.released.then(() => {
      this.#held.delete(held);
      if (this.#held.size === 0) this.#rest();
    });
    held.waitUnder(this.#lock);
    line.add(held);
    return held.released;
  }

  /** Nothing of it is here: it is kept for a moment. */
  #rest(): void {
    if (this.#leavesWhenEmpty) void this.leave();
    if (this.#isStopped) return;
    this.#stopResting();
    const stopKeeping = this.#lock.keep();
    const cancel = systemClock.timer(idleMs, () => void this.leave());
    this.#stopResting = () => {
      stopKeeping();
      cancel();
    };
  }

  async #leave(): Promise<void> {
    await within(this.stop());
    if (this.#isMarked && this.#held.size === 0) await within(this.#session.setSessionState(null));
    await this.#close();
  }

  #fail(error: unknown): void {
    if (this.#ending !== undefined) return;
    // the client calls it lost, too, where its connection is: long before its time
    if (isLost(error) && this.#lock.isEnding) this.#lose();
    else this.#line.break(error);
  }

  #lose(): void {
    this.#isStopped = true;
    this.#ending ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#stopResting();
    this.#lock.release();
    for (const held of this.#held) held.release();
    await within(this.#session.close());
    this.#ended();
  }
}

function isAtWork(state: unknown): boolean {
  return typeof state === "object" && state !== null && "reprise" in state;
}
