/**
 * What is under way, each in a slot of one array until it leaves. A `Set` does the same at a price: each table that it
 * outgrows points at the next one for the sake of its iterators, so that after the first has grown old all that ever
 * passed through lives, and is copied, until the next full collection.
 */
export class UnderWay<T> {
  readonly #slots: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  /** Returns what takes it out again. Called once more that does nothing and says false: the slot may be another's by then. */
  add(one: T): () => boolean {
    const slot = this.#free.pop() ?? this.#slots.length;
    this.#slots[slot] = one;
    let isThere = true;
    return () => {
      if (!isThere) return false;
      isThere = false;
      this.#slots[slot] = undefined;
      this.#free.push(slot);
      return true;
    };
  }

  /** Leaves out what is taken out meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const one of this.#slots) if (one !== undefined) yield one;
  }
}
