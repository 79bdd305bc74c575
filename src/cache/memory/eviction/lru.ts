import { createLists } from "./lists.ts";
import { nowhere } from "./places.ts";
import type { EvictionPolicy } from "./policy.ts";
import { createWeights } from "./weights.ts";

/**
 * The least recently used slot leaves. 16 bytes a place. Nothing is cheaper or easier to foretell, but one pass over many
 * keys that are read once empties memory of all that is read often.
 */
export function createLru(): EvictionPolicy {
  const lists = createLists(1);
  const recency = 0;
  const weights = createWeights();
  let newest = nowhere;

  const forget = (place: number) => {
    lists.unlink(place);
    weights.clear(place);
    if (place === newest) newest = nowhere;
  };

  return {
    add: (place, _hash, weight) => {
      lists.pushFront(recency, place);
      weights.set(place, weight);
      newest = place;
    },
    touch: (place) => {
      if (lists.front(recency) === place) return;
      lists.unlink(place);
      lists.pushFront(recency, place);
    },
    update: weights.set,
    remove: forget,
    evict: () => {
      let victim = lists.back(recency);
      if (victim === newest && victim !== nowhere) {
        const other = lists.before(victim);
        if (other !== nowhere) victim = other;
      }
      if (victim !== nowhere) forget(victim);
      return victim;
    },
    weight: weights.sum,
  };
}
