import type { Curve, CurvePoint } from "./curve.ts";

/**
 * The size beyond which more memory brings little: where the hit ratio lies highest above the straight line from nothing
 * to everything. Satopää, Albrecht, Irwin, Raghavan, "Finding a 'Kneedle' in a Haystack" (2011), without smoothing, as the
 * curve never turns.
 *
 * @example knee(sampler.curve()).entries;
 */
export function knee({ points }: Curve): CurvePoint {
  const first = points[0] as CurvePoint;
  const last = points.at(-1) as CurvePoint;
  const width = last.entries;
  const height = 1 - last.missRatio;
  let best = first;
  let most = 0;
  for (const point of points) {
    if (width === 0 || height === 0) break;
    const above = (1 - point.missRatio) / height - point.entries / width;
    if (above > most) {
      most = above;
      best = point;
    }
  }
  return most > 0 ? best : last;
}

/**
 * The least memory with such a hit ratio, 0 to 1; `null` where none has it, because too many reads are a key's first.
 *
 * @example sizeFor(sampler.curve(), 0.95)?.bytes;
 */
export function sizeFor({ points }: Curve, hitRatio: number): CurvePoint | null {
  // Ratios are quotients of sums: a rate that is reached may miss itself by a rounding.
  return points.find(({ missRatio }) => 1 - missRatio >= hitRatio - 1e-12) ?? null;
}
