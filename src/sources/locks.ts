/** What is here and not settled, and until when it is kept from others: from then on it is delivered anew, perhaps here. */
export class Locks<T> {
  readonly #lockMs: number;
  readonly #until = new Map<T, number>();

  constructor(lockMs: number) {
    this.#lockMs = lockMs;
  }

  /** Kept from others for the length of a lock from now. */
  keep(one: T): void {
    this.#until.set(one, performance.now() + this.#lockMs);
  }

  release(one: T): void {
    this.#until.delete(one);
  }

  /** How many are kept still. */
  get size(): number {
    const now = performance.now();
    for (const [one, until] of this.#until) if (until <= now) this.#until.delete(one);
    return this.#until.size;
  }

  /** Of its lock: `over` whoever pulls it now has nothing; `late` it is to be renewed before it is handed out. */
  stateOf(one: T): "kept" | "late" | "over" {
    const leftMs = (this.#until.get(one) ?? 0) - performance.now();
    // the broker's lock began before its message arrived here: what is about to end may be another's already
    if (leftMs <= this.#lockMs * 0.1) return "over";
    // whoever is handed it renews it at a third
    return leftMs < this.#lockMs * 0.8 ? "late" : "kept";
  }

  /** A lock that ends makes room, and nobody says so. */
  whenOneEnds(wake: () => void): void {
    setTimeout(wake, this.#lockMs).unref();
  }
}
