/** A random source that gives the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Ranks from 0, the n-th drawn in proportion to 1 / n^skew. */
export function zipf(ranks: number, skew: number, draws: number, random: () => number): readonly number[] {
  const reaches = new Float64Array(ranks);
  let sum = 0;
  for (let rank = 0; rank < ranks; rank += 1) {
    sum += (rank + 1) ** -skew;
    reaches[rank] = sum;
  }
  return Array.from({ length: draws }, () => {
    const aim = random() * sum;
    let low = 0;
    let high = ranks - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((reaches[middle] as number) < aim) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

/** What is popular must not lie together in memory, as what was loaded first would. */
export function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
  }
  return shuffled;
}
