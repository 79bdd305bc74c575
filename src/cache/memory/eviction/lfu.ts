import { createGhosts } from "./ghosts.ts";
import { createLists } from "./lists.ts";
import { grow, grownLength, nowhere } from "./places.ts";
import type { EvictionPolicy } from "./policy.ts";
import { createSketch } from "./sketch.ts";
import { createWeights } from "./weights.ts";

export interface LfuOptions {
  /** The bound of memory, in the unit of the weights. */
  readonly maxWeight: number;
}

export interface Lfu extends EvictionPolicy {
  /** Which share of memory is the window's, 0.01 to 0.99: high where recency foretells what is read, low where frequency does. */
  readonly windowShare: () => number;
}

/**
 * Who is read often stays: W-TinyLFU (Einziger, Friedman, Manes, "TinyLFU", 2017). New slots enter a **window**. Who falls
 * out of it stays only if it was read more often, by the estimate of a sketch, than who would leave for it from
 * **probation**; who is read there is **protected**. So a pass over many keys read once flushes the window and nothing else.
 *
 * How large the window is, is learnt from evidence, with the balance of ARC (Megiddo, Modha 2003) and the demotion mark of
 * DLIRS (Li 2018): a key turned away that comes back says that the window is too small, a read of a slot that had lost
 * its protection says that the rest is. 33 to 41 bytes a place.
 */
export function createLfu({ maxWeight }: LfuOptions): Lfu {
  const lists = createLists(3);
  const weights = createWeights();
  const sketch = createSketch();
  const ghosts = createGhosts();
  let hashes = new Int32Array(16);
  /** Of each place: its list, whether a read of it waits in the queue, whether it lost its protection. */
  let marks = new Uint8Array(16);

  let count = 0;
  let newest = nowhere;
  let windowWeight = 0;
  let protectedWeight = 0;
  let maxWindow = firstWindowShare * maxWeight;
  let demoted = 0;

  // Reads wait here until the order matters, so a slot that is read time and again is moved once.
  const queue = new Int32Array(64);
  let queued = 0;
  let counted = 0;

  const enlist = (place: number, list: number, mark = 0) => {
    lists.pushFront(list, place);
    marks[place] = ((marks[place] as number) & queuedMark) | list | mark;
    if (list === window) windowWeight += weights.of(place);
    else if (list === protection) protectedWeight += weights.of(place);
    if (mark === demotedMark) demoted += 1;
  };
  const delist = (place: number) => {
    const mark = marks[place] as number;
    const list = mark & listBits;
    lists.unlink(place);
    if (list === window) windowWeight -= weights.of(place);
    else if (list === protection) protectedWeight -= weights.of(place);
    if ((mark & demotedMark) !== 0) demoted -= 1;
  };
  const forget = (place: number) => {
    delist(place);
    weights.clear(place);
    marks[place] = 0;
    count -= 1;
    if (place === newest) newest = nowhere;
  };

  /** How many entries memory holds when it is full: the bound over the mean weight. */
  const capacity = () => (maxWeight * count) / weights.sum();
  const see = (hash: number) => {
    sketch.increment(hash);
    counted += 1;
    if (counted < readsPerEntry * capacity()) return;
    sketch.age();
    counted >>= 1;
  };

  const steer = (entries: number) => {
    const changed = maxWindow + stepEntries * entries * (weights.sum() / count);
    maxWindow = Math.min(Math.max(changed, leastWindowShare * maxWeight), (1 - leastWindowShare) * maxWeight);
  };
  /** Also where only the window grew: a protection that stays too large leaves nobody on probation to choose from. */
  const demote = () => {
    const maxProtected = protectedShare * (maxWeight - maxWindow);
    while (protectedWeight > maxProtected) {
      const place = lists.back(protection);
      delist(place);
      enlist(place, probation, demotedMark);
    }
  };
  /** What the window has too much, and there is room for, needs no permission to stay. */
  const spill = () => {
    while (windowWeight > maxWindow) {
      const place = lists.back(window);
      delist(place);
      enlist(place, probation);
    }
  };

  const read = (place: number) => {
    const mark = marks[place] as number;
    see(hashes[place] as number);
    if ((mark & listBits) === window) {
      if (lists.front(window) === place) return;
      lists.unlink(place);
      lists.pushFront(window, place);
      return;
    }
    if ((mark & demotedMark) !== 0) steer(-Math.max(1, ghosts.count() / demoted));
    delist(place);
    enlist(place, protection);
    demote();
  };
  const readQueued = () => {
    const length = queued;
    queued = 0;
    for (let index = 0; index < length; index += 1) {
      const place = queue[index] as number;
      const mark = marks[place] as number;
      // It may have left meanwhile, and another one may have come to its place.
      if ((mark & queuedMark) === 0) continue;
      marks[place] = mark & ~queuedMark;
      read(place);
    }
  };

  /** Who leaves of the main area: of the two that wait longest on probation, who was read less often. */
  const mainVictim = () => {
    const last = lists.back(probation);
    if (last === nowhere) return lists.back(protection);
    const other = lists.before(last);
    return other !== nowhere && frequency(other) < frequency(last) ? other : last;
  };
  const frequency = (place: number) => sketch.estimate(hashes[place] as number);
  const windowCandidate = () => {
    const last = lists.back(window);
    return last === newest && last !== nowhere ? lists.before(last) : last;
  };

  return {
    add: (place, hash, weight) => {
      if (place >= marks.length) {
        const length = grownLength(marks.length, place);
        marks = grow(marks, length);
        hashes = grow(hashes, length);
      }
      readQueued();
      spill();
      hashes[place] = hash;
      weights.set(place, weight);
      enlist(place, window);
      count += 1;
      newest = place;
      sketch.reserve(count);
      see(hash);
      const ghostsBefore = ghosts.count();
      if (ghosts.take(hash)) steer(Math.max(1, demoted / ghostsBefore));
    },
    touch: (place) => {
      const mark = marks[place] as number;
      if ((mark & queuedMark) !== 0) return;
      marks[place] = mark | queuedMark;
      queue[queued] = place;
      queued += 1;
      if (queued === queue.length) readQueued();
    },
    update: (place, weight) => {
      const list = (marks[place] as number) & listBits;
      const change = weight - weights.of(place);
      if (list === window) windowWeight += change;
      else if (list === protection) protectedWeight += change;
      weights.set(place, weight);
    },
    remove: forget,
    evict: () => {
      readQueued();
      demote();
      let victim = mainVictim();
      const candidate = windowWeight > maxWindow || victim === nowhere ? windowCandidate() : nowhere;
      if (candidate !== nowhere) {
        if (victim !== nowhere && frequency(candidate) > frequency(victim)) {
          delist(candidate);
          enlist(candidate, probation);
        } else {
          victim = candidate;
          ghosts.fit(count);
          ghosts.remember(hashes[victim] as number);
        }
      }
      if (victim === nowhere) victim = lists.back(window);
      if (victim !== nowhere) forget(victim);
      return victim;
    },
    weight: weights.sum,
    windowShare: () => maxWindow / maxWeight,
  };
}

const window = 0;
const probation = 1;
const protection = 2;
const listBits = 3;
const queuedMark = 4;
const demotedMark = 8;

const firstWindowShare = 0.05;
const leastWindowShare = 0.01;
/** Of what is not the window's. */
const protectedShare = 0.8;
/** How many entries the window gains or loses by one piece of evidence. */
const stepEntries = 0.3;
/** Frequencies are halved after so many reads for each entry that memory can hold. */
const readsPerEntry = 30;
