import { RepriseError } from "../base/errors.ts";
import type { CheckedScope, Key } from "./key.ts";
import { createSlot, type Slot, type SlotOwner } from "./slot.ts";

/** The slots of all caches of an instance, in the order of their last use, never more than `maxEntries`. */
export interface Memory {
  readonly maxEntries: number;
  readonly entries: () => number;
  /** A new slot of a cache that has none for the key. The least recently used one leaves if memory is full. */
  readonly add: (owner: SlotOwner, key: Key, scope: CheckedScope) => Slot;
  readonly touch: (slot: Slot) => void;
  readonly remove: (slot: Slot) => void;
}

export function createMemory(maxEntries: number): Memory {
  if (!(Number.isInteger(maxEntries) && maxEntries >= 1)) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "memory.maxEntries",
      why: "it is no whole number above zero.",
      mend: "Say how many entries memory may hold.",
    });
  }
  let newest: Slot | undefined;
  let oldest: Slot | undefined;
  let entries = 0;

  const link = (slot: Slot) => {
    slot.older = newest;
    slot.newer = undefined;
    if (newest !== undefined) newest.newer = slot;
    newest = slot;
    oldest ??= slot;
  };
  const unlink = (slot: Slot) => {
    if (slot.newer === undefined) newest = slot.older;
    else slot.newer.older = slot.older;
    if (slot.older === undefined) oldest = slot.newer;
    else slot.older.newer = slot.newer;
  };
  const remove = (slot: Slot) => {
    // a slot that left already must not take the place of its successor with it
    if (slot.owner.slots.get(slot.key) !== slot) return;
    slot.owner.slots.delete(slot.key);
    unlink(slot);
    entries -= 1;
  };

  return {
    maxEntries,
    entries: () => entries,
    add: (owner, key, scope) => {
      if (entries >= maxEntries && oldest !== undefined) {
        oldest.owner.counters.evicted += 1;
        remove(oldest);
      }
      const slot = createSlot(owner, key, scope);
      owner.slots.set(key, slot);
      link(slot);
      entries += 1;
      return slot;
    },
    touch: (slot) => {
      if (slot === newest) return;
      unlink(slot);
      link(slot);
    },
    remove,
  };
}
