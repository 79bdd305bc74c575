import { systemClock } from "../../base/clock.ts";

/** What says that a lock is another's, or nobody's. */
const lostCodes = new Set(["MessageLockLost", "MessageNotFound", "SessionLockLost"]);

export function isLost(error: unknown): boolean {
  return lostCodes.has(codeOf(error));
}

export function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown } | null)?.code);
}

/** Service Bus allows no shorter one. */
const shortestMs = 5_000;

/** How long a lock lasts that ends then. Whose clock is behind the broker's renews late, and is told that it is lost. */
export function lockMsOf(until: Date | undefined): number {
  const ms = (until?.getTime() ?? 0) - Date.now();
  return ms > 0 ? ms : shortestMs;
}

/** A lock of the broker's, on a message or on a session, as far as this process knows of it. */
export class Lock {
  readonly lockMs: number;
  readonly #ask: () => Promise<unknown>;
  readonly #ended: () => void;
  #takenAt = performance.now();
  #asking: Promise<"renewed" | "lost"> | undefined;
  #keepers = 0;
  #isOver = false;
  #cancelTimer = () => {};

  /** @param ended it was lost, or not renewed in time; not called after `release` */
  constructor(lockMs: number, ask: () => Promise<unknown>, ended: () => void) {
    this.lockMs = lockMs;
    this.#ask = ask;
    this.#ended = ended;
    this.#wakeInTime();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Little of it is left. */
  get isEnding(): boolean {
    return this.#isOver || performance.now() - this.#takenAt > this.lockMs * 0.8;
  }

  /** One request at a time, and none so soon after another: the messages of a session share it. */
  renew(): Promise<"renewed" | "lost"> {
    if (this.#isOver) return Promise.resolve("lost");
    if (this.#asking !== undefined) return this.#asking;
    if (performance.now() - this.#takenAt < this.lockMs / 6) return Promise.resolve("renewed");
    this.#asking = this.#renew().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Whoever is handed something under it now has the most of its length. */
  freshen(): void {
    // what it says comes out at the next renewal, or where it is settled
    this.renew().catch(() => {});
  }

  /** Renews it until what is returned is called. */
  keep(): () => void {
    this.#keepers += 1;
    this.#wakeInTime();
    let isKept = true;
    return () => {
      if (isKept) this.#keepers -= 1;
      isKept = false;
    };
  }

  /** Nothing is under it any more. */
  release(): void {
    this.#isOver = true;
    this.#cancelTimer();
  }

  async #renew(): Promise<"renewed" | "lost"> {
    const sentAt = performance.now();
    try {
      await this.#ask();
    } catch (error) {
      if (!isLost(error)) throw error;
      this.#end();
      return "lost";
    }
    this.#takenAt = sentAt;
    this.#wakeInTime();
    return "renewed";
  }

  #wakeInTime(): void {
    this.#cancelTimer();
    if (this.#isOver) return;
    const share = this.#keepers > 0 && this.#asking === undefined ? 1 / 3 : 1;
    const leftMs = this.#takenAt + this.lockMs * share - performance.now();
    // of a renewal that fails there is time for another
    this.#cancelTimer = systemClock.timer(Math.max(leftMs, this.lockMs / 20), () => this.#wake());
  }

  #wake(): void {
    if (performance.now() >= this.#takenAt + this.lockMs) this.#end();
    else if (this.#keepers > 0) this.freshen();
    this.#wakeInTime();
  }

  #end(): void {
    if (this.#isOver) return;
    this.release();
    this.#ended();
  }
}
