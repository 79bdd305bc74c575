/** A megabyte or two, however many slots there are: what the processor keeps at hand. */
const most = 16_384;

/**
 * The values of the slots that hold a promise in their place: a bounded number of them, for a promise costs as much as all
 * else of a slot. When they are that many, the one that came first leaves.
 */
export class HeldPromises {
  readonly #places: number[] = [];
  readonly #values: unknown[] = [];
  readonly #turns = new Map<number, number>();
  #hand = 0;

  isFull(): boolean {
    return this.#turns.size >= most;
  }

  /** Takes the slot in; who had to leave for it, with its value. */
  hold(place: number, value: unknown): { readonly place: number; readonly value: unknown } | undefined {
    const turn = this.#hand;
    this.#hand = (turn + 1) % most;
    const left = this.#places[turn] ?? -1;
    const before = left < 0 ? undefined : { place: left, value: this.drop(left) };
    this.#places[turn] = place;
    this.#values[turn] = value;
    this.#turns.set(place, turn);
    return before;
  }

  /** The slot holds its promise no longer; its value. */
  drop(place: number): unknown {
    const turn = this.#turns.get(place) as number;
    const value = this.#values[turn];
    this.#places[turn] = -1;
    this.#values[turn] = undefined;
    this.#turns.delete(place);
    return value;
  }

  valueOf(place: number): unknown {
    return this.#values[this.#turns.get(place) as number];
  }
}
