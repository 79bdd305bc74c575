import { grow } from "./places.ts";

/**
 * How often a key was seen lately, 0 to 15, never too low by collisions, for keys that are held and keys that are not: a
 * count-min sketch (Cormode, Muthukrishnan 2005) of 4-bit counters that are all halved now and then, as TinyLFU does
 * (Einziger, Friedman, Manes 2017). A key's four counters lie in one block of 64 bytes, a cache line, as in the blocked
 * Bloom filters of Putze, Sanders, Singler (2007).
 */
export interface Sketch {
  readonly increment: (hash: number) => void;
  readonly estimate: (hash: number) => number;
  /** Makes room for that many entries, 8 to 16 bytes each. What was counted stays. */
  readonly reserve: (entries: number) => void;
  /** Halves all counters. */
  readonly age: () => void;
}

const wordsPerBlock = 16;
const entriesPerBlock = 8;
/** 4 KB at least: in a smaller sketch keys of a small memory collide with all that pass by. */
const fewestBlocks = 64;

export function createSketch(): Sketch {
  let words = new Int32Array(fewestBlocks * wordsPerBlock);
  // The upper bits of a hash choose its block, so a block that is split in two can be copied to both.
  let shift = 32 - Math.log2(fewestBlocks);

  return {
    increment: (hash) => {
      let row = (hash >>> shift) * wordsPerBlock;
      let bits = spread(hash);
      for (const end = row + wordsPerBlock; row < end; row += 4) {
        const word = row + (bits & 3);
        const offset = bits & 28;
        const counters = words[word] as number;
        if (((counters >>> offset) & 15) !== 15) words[word] = counters + (1 << offset);
        bits >>>= 5;
      }
    },
    estimate: (hash) => {
      let row = (hash >>> shift) * wordsPerBlock;
      let bits = spread(hash);
      let least = 15;
      for (const end = row + wordsPerBlock; row < end; row += 4) {
        const count = ((words[row + (bits & 3)] as number) >>> (bits & 28)) & 15;
        if (count < least) least = count;
        bits >>>= 5;
      }
      return least;
    },
    reserve: (entries) => {
      while (entries * wordsPerBlock > words.length * entriesPerBlock) {
        words = grow(words, 2 * words.length);
        for (let block = words.length / wordsPerBlock - 1; block > 0; block -= 1) {
          const from = (block >> 1) * wordsPerBlock;
          words.copyWithin(block * wordsPerBlock, from, from + wordsPerBlock);
        }
        shift -= 1;
      }
    },
    age: () => {
      for (let word = 0; word < words.length; word += 1) words[word] = ((words[word] as number) >>> 1) & 0x77777777;
    },
  };
}

/** Four times five bits, one word of four and one counter of eight each, that differ where two hashes of a block do. */
function spread(hash: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> 12;
}
