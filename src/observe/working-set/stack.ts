/** A sum over a block answers for its positions, and one over a row of blocks for theirs: few numbers are added, side by side. */
const blockBits = 5;
const rowBits = 10;
const blockMask = (1 << blockBits) - 1;
const blocksInRow = 1 << (rowBits - blockBits);

/**
 * A key and what it weighs in one number, so that one addition sums both: the lower 40 bits of a sum are bytes, the 13
 * above them keys. Exact, as doubles are up to 53 bits.
 */
const oneKey = 2 ** 40;
/** So that the weights of all keys stay within 40 bits. */
const heaviest = 2 ** 27;
export const mostKeys: number = 2 ** 13;

/** Marks a position, or a place in the table, that nobody stands at. */
const nobody = -1;

interface Sums {
  readonly blocks: Float64Array;
  readonly rows: Float64Array;
  keys: number;
}

/**
 * Keys in the order of their last reads, for reuse distances over all keys and over those of one cache. A key stands at a
 * position; a read moves it to the next free one, and when they are used up the keys move together. Mattson et al.,
 * "Evaluation Techniques for Storage Hierarchies" (1970), with blocked sums in place of a list. A read allocates nothing.
 */
export class RecencyStack {
  readonly #hashes: Uint32Array;
  readonly #caches: Int16Array;
  /** A key and its weight; 0 where nobody stands. */
  readonly #values: Float64Array;
  /** The position of a key, found by its hash; open addressing, linear probing. */
  readonly #table: Int32Array;
  readonly #tableMask: number;
  readonly #all: Sums;
  /** Those of each cache. As long as there is one cache they are those of all, and nothing is summed twice. */
  readonly #ofCache: Sums[] = [];
  #several = false;
  /** What was measured last, all and of the own cache. */
  readonly #since = new Float64Array(2);
  /** The next position. */
  #next = 0;
  /** Keys before this position have not been read since `mark`. */
  #marked = 0;

  /** `most`: how many keys it may have to hold, at most `mostKeys`. */
  constructor(most: number) {
    const positions = Math.ceil((4 * most) / (1 << rowBits)) << rowBits;
    this.#hashes = new Uint32Array(positions);
    this.#caches = new Int16Array(positions).fill(nobody);
    this.#values = new Float64Array(positions);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(4 * most))).fill(nobody);
    this.#tableMask = this.#table.length - 1;
    this.#all = createSums(positions);
  }

  /** Makes room for a cache, once, before its first key comes. */
  join(cache: number): void {
    if (this.#ofCache.length === 0) {
      this.#ofCache[cache] = this.#all;
      return;
    }
    if (!this.#several) {
      this.#several = true;
      for (const first of this.#ofCache.keys()) {
        if (this.#ofCache[first] !== undefined) this.#ofCache[first] = createSums(this.#values.length);
      }
      this.keep(everything);
    }
    this.#ofCache[cache] = createSums(this.#values.length);
  }

  /** How many keys it holds: of a cache, or in all. */
  keys(cache?: number): number {
    return (cache === undefined ? this.#all : this.#ofCache[cache])?.keys ?? 0;
  }

  /** Where the table has the key, or would have it: for the calls below, until the next `touch` or `keep`. */
  find(hash: number, cache: number): number {
    let slot = hash & this.#tableMask;
    for (;;) {
      const position = this.#table[slot] as number;
      if (position === nobody) return slot;
      if (this.#hashes[position] === hash && this.#caches[position] === cache) return slot;
      slot = (slot + 1) & this.#tableMask;
    }
  }

  has(slot: number): boolean {
    return this.#table[slot] !== nobody;
  }

  weight(slot: number): number {
    return (this.#values[this.#table[slot] as number] as number) - oneKey;
  }

  /** Measures what was read since the key was, itself not counted; to be asked for below. */
  measure(slot: number): void {
    const values = this.#values;
    const position = this.#table[slot] as number;
    const next = this.#next;
    const blockEnd = Math.min(next, (position | blockMask) + 1);
    this.#since[0] = sumOf(values, position + 1, blockEnd) + sumBehind(this.#all, position, next);
    if (!this.#several) return;
    const caches = this.#caches;
    const cache = caches[position] as number;
    let since = 0;
    for (let other = position + 1; other < blockEnd; other += 1) {
      if (caches[other] === cache) since += values[other] as number;
    }
    this.#since[1] = since + sumBehind(this.#ofCache[cache] as Sums, position, next);
  }

  /** Whether keys and bytes of the own cache differ from those of all. */
  several(): boolean {
    return this.#several;
  }

  keysSince(of: 0 | 1): number {
    return Math.floor((this.#since[of] as number) / oneKey);
  }

  bytesSince(of: 0 | 1): number {
    const since = this.#since[of] as number;
    return since - Math.floor(since / oneKey) * oneKey;
  }

  /** The key was read, and becomes the last. If it is new there must be room for it. */
  touch(slot: number, hash: number, cache: number, weight: number): void {
    const position = this.#table[slot] as number;
    const value = oneKey + Math.min(heaviest, Math.ceil(weight));
    if (position !== nobody) {
      if (position === this.#next - 1 && this.#values[position] === value) return;
      this.#add(position, cache, -(this.#values[position] as number), -1);
      this.#values[position] = 0;
      this.#caches[position] = nobody;
    }
    if (this.#next < this.#values.length) {
      this.#table[slot] = this.#place(hash, cache, value);
    } else {
      this.keep(everything);
      this.#table[this.find(hash, cache)] = this.#place(hash, cache, value);
    }
  }

  /** From now on `keep` can tell which keys have been read. */
  mark(): void {
    this.#marked = this.#next;
  }

  /** Forgets the keys that are not to be kept, and moves the others together. */
  keep(isKept: (hash: number, readSinceMark: boolean) => boolean): void {
    const marked = this.#marked;
    const end = this.#next;
    this.#table.fill(nobody);
    clear(this.#all);
    for (const sums of this.#ofCache) if (sums !== undefined) clear(sums);
    this.#next = 0;
    for (let position = 0; position < end; position += 1) {
      if (position === marked) this.#marked = this.#next;
      const cache = this.#caches[position] as number;
      if (cache === nobody) continue;
      const hash = this.#hashes[position] as number;
      const value = this.#values[position] as number;
      this.#caches[position] = nobody;
      this.#values[position] = 0;
      if (isKept(hash, position >= marked)) this.#table[this.find(hash, cache)] = this.#place(hash, cache, value);
    }
    if (marked >= end) this.#marked = this.#next;
  }

  #place(hash: number, cache: number, value: number): number {
    const position = this.#next;
    this.#next += 1;
    this.#hashes[position] = hash;
    this.#caches[position] = cache;
    this.#values[position] = value;
    this.#add(position, cache, value, 1);
    return position;
  }

  #add(position: number, cache: number, value: number, keys: number): void {
    addTo(this.#all, position, value, keys);
    if (this.#several) addTo(this.#ofCache[cache] as Sums, position, value, keys);
  }
}

function createSums(positions: number): Sums {
  return {
    blocks: new Float64Array(positions >> blockBits),
    rows: new Float64Array(positions >> rowBits),
    keys: 0,
  };
}

function clear(sums: Sums): void {
  sums.blocks.fill(0);
  sums.rows.fill(0);
  sums.keys = 0;
}

function addTo(sums: Sums, position: number, value: number, keys: number): void {
  const { blocks, rows } = sums;
  const block = position >> blockBits;
  const row = position >> rowBits;
  blocks[block] = (blocks[block] as number) + value;
  rows[row] = (rows[row] as number) + value;
  sums.keys += keys;
}

/** Over the blocks behind that of the position. */
function sumBehind({ blocks, rows }: Sums, position: number, next: number): number {
  const row = position >> rowBits;
  const lastBlock = (next - 1) >> blockBits;
  const inRow = sumOf(blocks, (position >> blockBits) + 1, Math.min(lastBlock + 1, (row + 1) * blocksInRow));
  return inRow + sumOf(rows, row + 1, ((next - 1) >> rowBits) + 1);
}

function sumOf(values: Float64Array, from: number, end: number): number {
  let sum = 0;
  for (let at = from; at < end; at += 1) sum += values[at] as number;
  return sum;
}

function everything(): boolean {
  return true;
}
