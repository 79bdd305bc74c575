import { Inbox } from "./inbox.ts";

export interface LockedInboxOptions<T> {
  /** So many unsettled ones at a time. */
  readonly most: number;
  readonly lockMs: number;
  /** Asks the broker for so many, unless it is asked already. */
  readonly ask: (count: number) => void;
  /** Keeps one from others for another `lockMs`. */
  readonly renew: (one: T) => Promise<"renewed" | "lost">;
}

/**
 * What a broker hands out when it is asked, and keeps from others for the length of a lock. From the lock's end on it is
 * delivered anew, perhaps here.
 */
export class LockedInbox<T> extends Inbox<T> {
  readonly #options: LockedInboxOptions<T>;
  /** Of what is here and not settled: until when it is kept. */
  readonly #until = new Map<T, number>();
  #waitsForRoom = false;

  constructor(options: LockedInboxOptions<T>) {
    super();
    this.#options = options;
  }

  /** Its lock begins. */
  override add(one: T): void {
    this.keep(one);
    super.add(one);
  }

  /** Kept from others for the length of a lock from now. */
  keep(one: T): void {
    this.#until.set(one, performance.now() + this.#options.lockMs);
  }

  /** It is settled, or another's, and there is room for one more. */
  release(one: T): void {
    this.#until.delete(one);
    // asked for one by one, messages come one by one, and none of them is ready with others
    if (this.#waitsForRoom) this.wake();
  }

  /** Too little of its lock is left: it may be another's. */
  isOver(one: T): boolean {
    // the broker's lock began before its message arrived here
    return this.#leftMs(one) <= this.#options.lockMs * 0.1;
  }

  /** What is not settled and not over, pulled or not, in the order in which it came. */
  get kept(): readonly T[] {
    return [...this.#until.keys()].filter((one) => !this.isOver(one));
  }

  /** As `pull`, but only what is kept still, and for long enough that whoever is handed it can renew it in time. */
  async pullKept(most: number, signal: AbortSignal): Promise<readonly T[]> {
    for (;;) {
      const pulled = await this.pull(most, signal, () => this.#ask(most));
      const kept = pulled.some((one) => this.#isLate(one)) ? await this.#keptOf(pulled) : pulled;
      if (kept.length > 0 || signal.aborted) return kept;
    }
  }

  async #keptOf(pulled: readonly T[]): Promise<readonly T[]> {
    const areKept = await Promise.all(pulled.map((one) => this.#isKept(one)));
    return pulled.filter((_, index) => areKept[index]);
  }

  #ask(most: number): void {
    const now = performance.now();
    for (const [one, until] of this.#until) if (until <= now) this.#until.delete(one);
    const count = Math.min(most, this.#options.most - this.#until.size);
    this.#waitsForRoom = count <= 0;
    if (count > 0) this.#options.ask(count);
    // a lock that ends makes room, and nobody says so
    else setTimeout(() => this.wake(), this.#options.lockMs).unref();
  }

  async #isKept(one: T): Promise<boolean> {
    if (!this.#isLate(one)) return true;
    const isKept = !this.isOver(one) && (await this.#options.renew(one)) === "renewed";
    if (!isKept) this.release(one);
    return isKept;
  }

  /** Whoever is handed it renews it at a third. */
  #isLate(one: T): boolean {
    return this.#leftMs(one) < this.#options.lockMs * 0.8;
  }

  #leftMs(one: T): number {
    return (this.#until.get(one) ?? 0) - performance.now();
  }
}
