/**
 * What is under way, each in a slot of one array until it is taken out. A `Set` does the same at a price: each table that
 * it outgrows points at the next one for the sake of its iterators, so that after the first has grown old all that ever
 * passed through lives, and is copied, until the next full collection.
 */
export class UnderWay<T> {
  readonly #slots: (T | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#slots.length - this.#free.length;
  }

  /** The slot to take it out by. */
  add(one: T): number {
    const slot = this.#free.pop();
    if (slot === undefined) return this.#slots.push(one) - 1;
    this.#slots[slot] = one;
    return slot;
  }

  /** Once for each slot that `add` returned. */
  remove(slot: number): void {
    this.#slots[slot] = undefined;
    this.#free.push(slot);
  }

  /** Leaves out what is taken out meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const one of this.#slots) if (one !== undefined) yield one;
  }
}
