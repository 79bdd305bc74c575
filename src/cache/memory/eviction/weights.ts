import { grow, grownLength } from "./places.ts";

/** The weight of each place and their sum: 8 bytes a place, exact beyond four gigabytes. */
export interface Weights {
  readonly set: (place: number, weight: number) => void;
  readonly of: (place: number) => number;
  /** The place weighs nothing from now on. */
  readonly clear: (place: number) => void;
  readonly sum: () => number;
}

export function createWeights(): Weights {
  let weights = new Float64Array(16);
  let sum = 0;
  return {
    set: (place, weight) => {
      if (place >= weights.length) weights = grow(weights, grownLength(weights.length, place));
      sum += weight - (weights[place] as number);
      weights[place] = weight;
    },
    of: (place) => weights[place] as number,
    clear: (place) => {
      sum -= weights[place] as number;
      weights[place] = 0;
    },
    sum: () => sum,
  };
}
