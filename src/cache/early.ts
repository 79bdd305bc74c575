/**
 * When to refresh ahead of expiry, so that the value that readers wait for is there before the old one ends.
 *
 * XFetch (Vattani, Chierichetti, Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015) lets each read
 * at distance d from expiry begin a load with probability exp(-d / (Δ·β)), Δ being how long a load takes. Of reads that
 * come at random with a rate r, the first that does so stands at the distance
 *
 *     d = Δ·β · (ln(r·Δ·β) − ln(−ln u)),   u uniform in (0, 1)
 *
 * (a Gumbel draw: the survival function of the first arrival is exp(−r·Δ·β·exp(−d/(Δ·β)))). It is drawn once for a
 * value, in the middle of its life, when its rate of reads is known; until the drawn instant a hit compares one number.
 *
 * @returns milliseconds before expiry; zero or less: the value is read too seldom to be worth a refresh ahead.
 */
export function drawEarly(draw: {
  /** Reads a millisecond. */
  readonly rate: number;
  readonly loadMs: number;
  readonly beta: number;
  /** 0 to 1, 1 excluded. */
  readonly uniform: number;
}): number {
  const scale = draw.loadMs * draw.beta;
  if (!(scale > 0 && draw.rate > 0)) return 0;
  return scale * (Math.log(draw.rate * scale) - Math.log(-Math.log(draw.uniform)));
}

/** The mean load time, recent loads weighing more: what the next one will take. */
export interface LoadTime {
  readonly observe: (ms: number) => void;
  /** 0 before the first load. */
  readonly ms: () => number;
}

/** A load moves the mean by a tenth: the last twenty or so count. */
const weight = 0.1;

export function createLoadTime(): LoadTime {
  let mean: number | undefined;
  return {
    observe: (ms) => {
      mean = mean === undefined ? ms : mean + weight * (ms - mean);
    },
    ms: () => mean ?? 0,
  };
}
