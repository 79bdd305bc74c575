import type { Trace } from "./traces.ts";

/**
 * The most hits that any policy can have which admits every miss: who leaves is who is read again last (Belady, "A study
 * of replacement algorithms for a virtual-storage computer", 1966). Exact; a figure above it is a fault of the measurement.
 */
export function beladyHits({ keys, unique }: Trace, maxEntries: number): number {
  const nextReads = nextReadsOf(keys, unique);
  // When a held key is read next; -1 for a key that is not held.
  const heldUntil = new Int32Array(unique).fill(absent);
  const heap = createFurthestHeap(keys.length);
  let held = 0;
  let hits = 0;
  for (let request = 0; request < keys.length; request += 1) {
    const key = keys[request] as number;
    const nextRead = nextReads[request] as number;
    if (heldUntil[key] !== absent) {
      hits += 1;
    } else if (held < maxEntries) {
      held += 1;
    } else {
      let victim = heap.pop();
      // The heap also has what a later read of the same key outdated.
      while (heldUntil[victim.key] !== victim.nextRead) victim = heap.pop();
      heldUntil[victim.key] = absent;
    }
    heldUntil[key] = nextRead;
    heap.push(key, nextRead);
  }
  return hits;
}

const absent = -1;

/** When the key of each request is requested again; the number of requests if never. */
function nextReadsOf(keys: Uint32Array, unique: number): Int32Array {
  const nextReads = new Int32Array(keys.length);
  const next = new Int32Array(unique).fill(keys.length);
  for (let request = keys.length - 1; request >= 0; request -= 1) {
    const key = keys[request] as number;
    nextReads[request] = next[key] as number;
    next[key] = request;
  }
  return nextReads;
}

/** A binary heap whose top is the key that is read again last. */
function createFurthestHeap(capacity: number) {
  const heapKeys = new Int32Array(capacity);
  const heapReads = new Int32Array(capacity);
  let size = 0;
  const move = (from: number, to: number) => {
    heapKeys[to] = heapKeys[from] as number;
    heapReads[to] = heapReads[from] as number;
  };
  const readAt = (index: number) => heapReads[index] as number;

  return {
    push: (key: number, nextRead: number) => {
      let index = size;
      size += 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (readAt(parent) >= nextRead) break;
        move(parent, index);
        index = parent;
      }
      heapKeys[index] = key;
      heapReads[index] = nextRead;
    },
    pop: () => {
      if (size === 0) throw new Error("memory is full, so somebody can leave.");
      const top = { key: heapKeys[0] as number, nextRead: readAt(0) };
      size -= 1;
      const key = heapKeys[size] as number;
      const nextRead = readAt(size);
      let index = 0;
      while (true) {
        const left = 2 * index + 1;
        const child = left + 1 < size && readAt(left + 1) > readAt(left) ? left + 1 : left;
        if (child >= size || readAt(child) <= nextRead) break;
        move(child, index);
        index = child;
      }
      heapKeys[index] = key;
      heapReads[index] = nextRead;
      return top;
    },
  };
}
