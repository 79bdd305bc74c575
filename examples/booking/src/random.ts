/** Numbers from 0 to 1 that are the same for the same seed, on every machine (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The pause until the next arrival of an open process: people who know nothing of each other (exponential). */
export function pauseBetweenArrivals(random: () => number, perSecond: number): number {
  return -Math.log(1 - random()) / perSecond;
}

/** Draws 0 to `count` − 1; place n is drawn as often as 1 / (n + 1) ^ exponent says: few are popular, many are not. */
export function createZipf(count: number, exponent: number): (random: () => number) => number {
  const sums: number[] = [];
  let total = 0;
  for (let place = 1; place <= count; place += 1) {
    total += place ** -exponent;
    sums.push(total);
  }
  return (random) => {
    const drawn = random() * total;
    const place = sums.findIndex((sum) => sum > drawn);
    return place === -1 ? count - 1 : place;
  };
}
