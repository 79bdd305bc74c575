import { grow } from "./places.ts";

const wordsPerBlock = 16;
const entriesPerBlock = 8;
/** 4 KB at least: in a smaller sketch keys of a small memory collide with all that pass by. */
const fewestBlocks = 64;

/**
 * How often a key was seen lately, 0 to 15, never too low by collisions, for keys that are held and keys that are not: a
 * count-min sketch (Cormode, Muthukrishnan 2005) of 4-bit counters that are all halved now and then, as TinyLFU does
 * (Einziger, Friedman, Manes 2017). A key's four counters lie in one block of 64 bytes, a cache line, as in the blocked
 * Bloom filters of Putze, Sanders, Singler (2007).
 */
export class Sketch {
  private words = new Int32Array(fewestBlocks * wordsPerBlock);
  /** The upper bits of a hash choose its block, so a block that is split in two can be copied to both. */
  private shift = 32 - Math.log2(fewestBlocks);

  increment(hash: number): void {
    const { words } = this;
    const block = (hash >>> this.shift) * wordsPerBlock;
    const bits = spread(hash);
    incrementCounter(words, block, bits);
    incrementCounter(words, block + 4, bits >>> 5);
    incrementCounter(words, block + 8, bits >>> 10);
    incrementCounter(words, block + 12, bits >>> 15);
  }

  estimate(hash: number): number {
    const { words } = this;
    const block = (hash >>> this.shift) * wordsPerBlock;
    const bits = spread(hash);
    const first = Math.min(counter(words, block, bits), counter(words, block + 4, bits >>> 5));
    const second = Math.min(counter(words, block + 8, bits >>> 10), counter(words, block + 12, bits >>> 15));
    return Math.min(first, second);
  }

  /** Makes room for that many entries, 8 to 16 bytes each. What was counted stays. */
  reserve(entries: number): void {
    while (entries * wordsPerBlock > this.words.length * entriesPerBlock) {
      const words = grow(this.words, 2 * this.words.length);
      for (let block = words.length / wordsPerBlock - 1; block > 0; block -= 1) {
        const from = (block >> 1) * wordsPerBlock;
        words.copyWithin(block * wordsPerBlock, from, from + wordsPerBlock);
      }
      this.words = words;
      this.shift -= 1;
    }
  }

  /** Halves all counters. */
  age(): void {
    const words = this.words;
    for (let word = 0; word < words.length; word += 1) words[word] = ((words[word] as number) >>> 1) & 0x77777777;
  }
}

/** Four times five bits, one word of four and one counter of eight each, that differ where two hashes of a block do. */
function spread(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 12;
}

function counter(words: Int32Array, row: number, bits: number): number {
  return ((words[row + (bits & 3)] as number) >>> (bits & 28)) & 15;
}

/** Without a branch, which would be foretold wrongly half of the time. */
function incrementCounter(words: Int32Array, row: number, bits: number): void {
  const word = row + (bits & 3);
  const counters = words[word] as number;
  const one = 1 ^ ((((counters >>> (bits & 28)) & 15) + 1) >>> 4);
  words[word] = counters + (one << (bits & 28));
}
