import { day, minute, second } from "./format.ts";

export interface Scale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

const steps = [1, 2, 3, 4, 5, 6, 8, 10] as const;

/** From zero to a round number above the highest value, with so many parts. */
export function linear(values: readonly (number | null)[], parts: number, atLeast: number): Scale {
  const highest = Math.max(atLeast, ...values.map((value) => value ?? 0)) / parts;
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = power * (steps.find((one) => one * power >= highest) ?? 10);
  // what floating point adds must not be seen at an axis
  const ticks = Array.from({ length: parts + 1 }, (_, index) => Number((step * index).toPrecision(12)));
  return { min: 0, max: step * parts, ticks };
}

/** Decades: for time only, and said. */
export function decades(values: readonly (number | null)[]): Scale {
  const known = values.filter((value): value is number => value !== null && value > 0);
  const lowest = Math.floor(Math.log10(Math.max(1, Math.min(...known, 1))));
  const highest = Math.max(lowest + 1, Math.ceil(Math.log10(Math.max(10, ...known))));
  const ticks = Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
  return { min: 10 ** lowest, max: 10 ** highest, ticks };
}

const lengths = [60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 86_400_000];

/** Round times, at most so many. */
export function times(from: number, until: number, atMost: number) {
  const length = lengths.find((one) => (until - from) / one <= atMost) ?? 86_400_000;
  const zone = new Date(until).getTimezoneOffset() * 60_000;
  const ticks: { readonly at: number; readonly label: string }[] = [];
  for (let at = Math.ceil((from - zone) / length) * length + zone; at < until - length / 3; at += length) {
    ticks.push({ at, label: length >= 86_400_000 ? day(at) : minute(at) });
  }
  const start = ticks.length === 0 ? [{ at: from, label: second(from) }] : [];
  return [...start, ...ticks, { at: until, label: "now" }];
}

/** Places on a logarithmic axis: powers of ten for counts, of four for bytes, at most so many and said in words. */
export function sizes(
  from: number,
  to: number,
  base: number,
  atMost: number,
  label: (size: number) => string,
): readonly { readonly at: number; readonly label: string }[] {
  const first = Math.ceil(Math.log(from) / Math.log(base) - 1e-9);
  const last = Math.floor(Math.log(to) / Math.log(base) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first + 1) / atMost));
  const ticks: { readonly at: number; readonly label: string }[] = [];
  for (let power = first; power <= last; power += every) {
    ticks.push({ at: Math.log10(base ** power), label: label(base ** power) });
  }
  return ticks;
}
