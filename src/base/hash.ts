/**
 * 32 bits of a text, spread evenly: two keys collide by chance only. `seed` picks one of as many functions; a random one
 * keeps outsiders from foretelling which keys collide, but this is no cryptographic hash: let a collision cost a guess
 * that comes out worse, never an answer.
 *
 * Murmur3 (Appleby, 2011) over UTF-16 code units, two of them a word.
 *
 * @example hashOf("product-17", 0); // a whole number from 0 to 4294967295
 */
export function hashOf(text: string, seed: number): number {
  const length = text.length;
  let hash = seed;
  let index = 1;
  for (; index < length; index += 2) {
    hash ^= scramble(text.charCodeAt(index - 1) | (text.charCodeAt(index) << 16));
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  if (index === length) hash ^= scramble(text.charCodeAt(index - 1));
  return finish(hash ^ length);
}

/** The same for a whole number, of which the lower 32 bits count. */
export function hashOfNumber(number: number, seed: number): number {
  const hash = seed ^ scramble(number | 0);
  return finish(Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64);
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
}

/** Every bit of the input changes half of the output's. */
function finish(hash: number): number {
  let mixed = hash;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
