import { grow, grownLength, nowhere } from "./places.ts";
import type { EvictionPolicy } from "./policy.ts";
import { createWeights } from "./weights.ts";

/**
 * The slot that expires first leaves; reads do not count. 24 bytes a place: a binary heap of places, and where in the
 * heap each place stands. `expiryOf` tells a place's expiry, on any scale; it is asked while the place is held, and after
 * it changed the owner calls `update`.
 */
export function createNearestExpiry(expiryOf: (place: number) => number): EvictionPolicy {
  const weights = createWeights();
  let heap = new Int32Array(16);
  let positions = new Int32Array(16);
  // A copy of what `expiryOf` told last: an expiry that changes before `update` is called must not break the heap.
  let expiries = new Float64Array(16);
  let size = 0;
  let newest = nowhere;

  const expiryAt = (position: number) => expiries[heap[position] as number] as number;
  const settle = (position: number, place: number) => {
    heap[position] = place;
    positions[place] = position;
  };
  const rise = (from: number, place: number) => {
    const expiry = expiries[place] as number;
    let position = from;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (expiryAt(parent) <= expiry) break;
      settle(position, heap[parent] as number);
      position = parent;
    }
    settle(position, place);
    return position;
  };
  const sink = (from: number, place: number) => {
    const expiry = expiries[place] as number;
    let position = from;
    while (true) {
      const child = earlierChild(position);
      if (child >= size || expiryAt(child) >= expiry) break;
      settle(position, heap[child] as number);
      position = child;
    }
    settle(position, place);
  };
  const earlierChild = (position: number) => {
    const left = 2 * position + 1;
    return left + 1 < size && expiryAt(left + 1) < expiryAt(left) ? left + 1 : left;
  };
  const order = (position: number, place: number) => {
    if (rise(position, place) === position) sink(position, place);
  };
  const forget = (place: number) => {
    const position = positions[place] as number;
    size -= 1;
    const last = heap[size] as number;
    if (last !== place) order(position, last);
    weights.clear(place);
    if (place === newest) newest = nowhere;
  };

  return {
    add: (place, _hash, weight) => {
      if (place >= positions.length) {
        const length = grownLength(positions.length, place);
        positions = grow(positions, length);
        expiries = grow(expiries, length);
        heap = grow(heap, length);
      }
      weights.set(place, weight);
      expiries[place] = expiryOf(place);
      size += 1;
      rise(size - 1, place);
      newest = place;
    },
    touch: () => undefined,
    update: (place, weight) => {
      weights.set(place, weight);
      expiries[place] = expiryOf(place);
      order(positions[place] as number, place);
    },
    remove: forget,
    evict: () => {
      if (size === 0) return nowhere;
      const first = heap[0] as number;
      const victim = first === newest && size > 1 ? (heap[earlierChild(0)] as number) : first;
      forget(victim);
      return victim;
    },
    weight: weights.sum,
  };
}
