/**
 * Decides who leaves memory when it is full. It knows slots by their **place**, a small whole number that is used again
 * once its slot has left, and keeps what it knows in typed arrays indexed by place, which grow with the highest place.
 *
 * Weights are in whatever unit memory is bounded in: bytes, or 1 for each entry. The owner adds first and then calls
 * `evict` for as long as the weight exceeds its bound, so a new slot is always admitted.
 *
 * A place is held from its `add` until its `remove` or until `evict` returns it. The owner touches, updates and removes
 * only places that are held, and adds only places that are not.
 */
export interface EvictionPolicy {
  /** A slot came into memory. `hash`: 32 bits of its key; `weight` at least 1, in the unit of the bound. */
  readonly add: (place: number, hash: number, weight: number) => void;
  /** It was read: on the hot path of every hit, so next to nothing. */
  readonly touch: (place: number) => void;
  /** Its weight, or its expiry, is another. */
  readonly update: (place: number, weight: number) => void;
  /** It left for another reason than memory being full. */
  readonly remove: (place: number) => void;
  /**
   * Chooses who leaves, forgets it here (what the policy needs of it stays as a ghost) and returns its place. Never the
   * slot added last while there is another: whoever was told that a value is stored finds it. -1 when nothing is held.
   */
  readonly evict: () => number;
  /** The sum of the weights held. */
  readonly weight: () => number;
}
