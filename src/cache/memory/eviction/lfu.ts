import { Ghosts } from "./ghosts.ts";
import { listCount, Nodes } from "./nodes.ts";
import { grow, grownLength, nowhere } from "./places.ts";
import type { EvictionPolicy } from "./policy.ts";
import { Sketch } from "./sketch.ts";

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
 * its protection says that the rest is. 36 to 44 bytes a place.
 */
export function createLfu({ maxWeight }: LfuOptions): Lfu {
  return new WindowTinyLfu(maxWeight);
}

/** A class, because a hit is measured in nanoseconds: V8 inlines methods that all instances share, closures it does not. */
class WindowTinyLfu implements Lfu {
  private readonly sketch = new Sketch();
  private readonly ghosts = new Ghosts();
  private readonly nodes = new Nodes();
  private weights = new Float64Array(16);

  private count = 0;
  private sum = 0;
  private windowWeight = 0;
  private protectedWeight = 0;
  private demoted = 0;
  private newest = nothing;
  private readonly maxWeight: number;
  private maxWindow: number;
  private readsSeen = 0;
  private readsUntilAging = readsPerEntry;

  /** Reads wait here until the order matters, so a slot that is read time and again is moved once. */
  private readonly queue = new Int32Array(64);
  private queued = 0;

  constructor(maxWeight: number) {
    this.maxWeight = maxWeight;
    this.maxWindow = firstWindowShare * maxWeight;
  }

  add(place: number, hash: number, weight: number): void {
    const node = place + firstPlace;
    if (node >= this.weights.length) this.weights = grow(this.weights, grownLength(this.weights.length, node));
    this.readQueued();
    // What the window has too much, and memory has room for, needs no permission to stay.
    while (this.windowWeight > this.maxWindow) this.putOnProbation(this.nodes.last(window), 0);

    this.nodes.create(node, hash, window);
    this.weights[node] = weight;
    this.windowWeight += weight;
    this.sum += weight;
    this.count += 1;
    this.newest = node;

    this.sketch.reserve(this.count);
    this.see(hash);
    const ghosts = this.ghosts.count();
    if (this.ghosts.take(hash)) this.steer(Math.max(1, this.demoted / ghosts));
  }

  touch(place: number): void {
    const node = place + firstPlace;
    const mark = this.nodes.mark(node);
    if ((mark & queuedMark) !== 0) return;
    this.nodes.setMark(node, mark | queuedMark);
    this.queue[this.queued] = node;
    this.queued += 1;
    if (this.queued === this.queue.length) this.readQueued();
  }

  update(place: number, weight: number): void {
    const node = place + firstPlace;
    const change = weight - this.weightOf(node);
    const list = this.nodes.mark(node) & listBits;
    if (list === window) this.windowWeight += change;
    else if (list === protection) this.protectedWeight += change;
    this.sum += change;
    this.weights[node] = weight;
  }

  remove(place: number): void {
    this.forget(place + firstPlace);
  }

  evict(): number {
    if (this.count === 0) return nowhere;
    this.readQueued();
    this.demote();
    const victim = this.chooseVictim();
    this.forget(victim);
    return victim - firstPlace;
  }

  weight(): number {
    return this.sum;
  }

  windowShare(): number {
    return this.maxWindow / this.maxWeight;
  }

  private readQueued(): void {
    const { nodes, queue, queued } = this;
    this.queued = 0;
    for (let index = 0; index < queued; index += 1) {
      const node = queue[index] as number;
      const mark = nodes.mark(node);
      // It may have left meanwhile, and another one may have come to its place.
      if ((mark & queuedMark) === 0) continue;
      nodes.setMark(node, mark & ~queuedMark);
      this.read(node, mark);
    }
  }

  private read(node: number, mark: number): void {
    const { nodes } = this;
    this.see(nodes.hash(node));
    const list = mark & listBits;
    if (list !== probation) {
      nodes.moveFirst(list, node);
      return;
    }
    if ((mark & demotedMark) !== 0) {
      this.steer(-Math.max(1, this.ghosts.count() / this.demoted));
      this.demoted -= 1;
    }
    nodes.setMark(node, protection);
    nodes.moveFirst(protection, node);
    this.protectedWeight += this.weightOf(node);
    this.demote();
  }

  private see(hash: number): void {
    this.sketch.increment(hash);
    this.readsSeen += 1;
    if (this.readsSeen >= this.readsUntilAging) this.age();
  }

  private age(): void {
    // How many entries fill memory is known only now, by their mean weight.
    this.readsUntilAging = Math.ceil(readsPerEntry * (this.maxWeight / this.sum) * this.count);
    if (this.readsSeen < this.readsUntilAging) return;
    this.sketch.age();
    this.readsSeen >>= 1;
  }

  private steer(entries: number): void {
    const changed = this.maxWindow + stepEntries * entries * (this.sum / this.count);
    const least = leastWindowShare * this.maxWeight;
    this.maxWindow = Math.min(Math.max(changed, least), this.maxWeight - least);
  }

  /** Also where only the window grew: a protection that stays too large leaves nobody on probation to choose from. */
  private demote(): void {
    const maxProtected = protectedShare * (this.maxWeight - this.maxWindow);
    while (this.protectedWeight > maxProtected) {
      this.putOnProbation(this.nodes.last(protection), demotedMark);
      this.demoted += 1;
    }
  }

  /** To the front of probation. A read of it that waits in the queue still counts. */
  private putOnProbation(node: number, mark: number): void {
    this.discount(node);
    this.nodes.moveFirst(probation, node);
    this.nodes.setMark(node, (this.nodes.mark(node) & queuedMark) | probation | mark);
  }

  private chooseVictim(): number {
    const main = this.mainVictim();
    if (main !== nothing && this.windowWeight <= this.maxWindow) return main;
    const candidate = this.windowVictim();
    if (candidate === nothing) return main === nothing ? this.newest : main;
    if (main !== nothing && this.estimate(candidate) > this.estimate(main)) {
      this.putOnProbation(candidate, 0);
      return main;
    }
    this.ghosts.fit(this.count);
    this.ghosts.remember(this.nodes.hash(candidate));
    return candidate;
  }

  /** Of the two that wait longest on probation, who was read less often. */
  private mainVictim(): number {
    const { nodes } = this;
    const last = nodes.last(probation);
    if (last === probation) {
      const unprotected = nodes.last(protection);
      return unprotected === protection ? nothing : unprotected;
    }
    const other = nodes.before(last);
    return other !== probation && this.estimate(other) < this.estimate(last) ? other : last;
  }

  private windowVictim(): number {
    const last = this.nodes.last(window);
    const oldest = last === this.newest ? this.nodes.before(last) : last;
    return oldest === window ? nothing : oldest;
  }

  private forget(node: number): void {
    this.discount(node);
    this.nodes.unlink(node);
    this.nodes.setMark(node, 0);
    this.count -= 1;
    this.sum -= this.weightOf(node);
    if (node === this.newest) this.newest = nothing;
  }

  /** What leaving its list changes, except the links. */
  private discount(node: number): void {
    const mark = this.nodes.mark(node);
    const list = mark & listBits;
    if (list === window) this.windowWeight -= this.weightOf(node);
    else if (list === protection) this.protectedWeight -= this.weightOf(node);
    else if ((mark & demotedMark) !== 0) this.demoted -= 1;
  }

  private estimate(node: number): number {
    return this.sketch.estimate(this.nodes.hash(node));
  }

  private weightOf(node: number): number {
    return this.weights[node] as number;
  }
}

// The lists, each named by the node of its ends; the nodes of the places come behind them.
const window = 0;
const probation = 1;
const protection = 2;
const firstPlace = listCount;
const nothing = -1;

// Marks: which list a node is in, whether a read of it waits in the queue, whether it lost its protection.
const listBits = 3;
const queuedMark = 4;
const demotedMark = 8;

const firstWindowShare = 0.05;
const leastWindowShare = 0.01;
/** Of what is not the window's. */
const protectedShare = 0.8;
/** How many entries the window gains or loses by one piece of evidence. Half of it follows a change of load too slowly. */
const stepEntries = 0.6;
/** Frequencies are halved after so many reads for each entry that memory can hold. */
const readsPerEntry = 30;
