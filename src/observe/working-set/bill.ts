import { defaults } from "../../base/defaults.ts";
import { bytesAt, type Curve, type CurvePoint, meanWeight, missRatioAt } from "./curve.ts";

/** In US dollars; a GB is 2^30 bytes. Unless given, those of `defaultPrices`. */
export interface Prices {
  /** A GB of memory for a month. */
  readonly gbMonth: number;
  /** A million reads that memory did not answer. */
  readonly millionMisses: number;
  /** A GB that a miss carries from another zone; 0 where the source is in the same one. */
  readonly crossZoneGb: number;
  /** An hour of the person who would change the size. */
  readonly personHour: number;
}

export const defaultPrices: Prices = defaults.workingSet.prices;

export interface Pricing {
  readonly readsPerSecond: number;
  /** What an entry weighs where the curve does not know. */
  readonly entryBytes: number;
  readonly prices?: Partial<Prices>;
}

export interface BillOptions extends Pricing {
  /** Entries that memory holds now; unless given, there is nothing to compare with. */
  readonly nowEntries?: number | undefined;
  /** Entries that it would hold. */
  readonly thenEntries: number;
  /** Hours of a person a month below which a saving is not worth it. */
  readonly worthHours?: number;
}

/** What a size costs a month, in US dollars. */
export interface Cost {
  readonly entries: number;
  readonly bytes: number;
  readonly hitRatio: number;
  readonly memory: number;
  readonly misses: number;
  readonly crossZone: number;
  readonly total: number;
}

export interface Bill {
  readonly now: Cost | null;
  readonly then: Cost;
  /** Below zero, the change costs that much. `null` where nothing is known of now. */
  readonly saving: number | null;
  readonly worthIt: boolean | null;
  /** The same in words. */
  readonly sentence: string;
}

const bytesOfGb = 2 ** 30;
/** A twelfth of a year of 365.25 days. */
const secondsOfMonth = 2_629_800;

/**
 * What memory of a size and the misses that it leaves cost a month, now and then.
 *
 * @example
 * billOf(curve, { nowEntries: 1e6, thenEntries: knee(curve).entries, readsPerSecond: 200, entryBytes: 900 }).sentence;
 */
export function billOf(curve: Curve, options: BillOptions): Bill {
  const { nowEntries, thenEntries, worthHours = defaults.workingSet.worthHours } = options;
  const prices = { ...defaultPrices, ...options.prices };
  const cost = (entries: number) => costOf(curve, entries, options);
  const then = cost(thenEntries);
  if (nowEntries === undefined) {
    const sentence = `Memory of this size costs ${dollars(then.total)} a month with the misses that it leaves. Say what it holds now to learn what a change would save.`;
    return { now: null, then, saving: null, worthIt: null, sentence };
  }
  const now = cost(nowEntries);
  const saving = now.total - then.total;
  const threshold = worthHours * prices.personHour;
  const worthIt = saving >= threshold;
  return { now, then, saving, worthIt, sentence: sentenceOf(saving, worthIt, threshold, worthHours) };
}

/** The size at which memory and misses together cost least. */
export function cheapest(curve: Curve, pricing: Pricing): CurvePoint {
  const total = ({ entries }: CurvePoint) => costOf(curve, entries, pricing).total;
  return curve.points.reduce((best, point) => (total(point) < total(best) ? point : best));
}

function costOf(curve: Curve, entries: number, { readsPerSecond, entryBytes, prices }: Pricing): Cost {
  const { gbMonth, millionMisses, crossZoneGb } = { ...defaultPrices, ...prices };
  const weight = meanWeight(curve) || entryBytes;
  const bytes = meanWeight(curve) === 0 ? entries * entryBytes : bytesAt(curve, entries);
  const missRatio = missRatioAt(curve, entries);
  const missesOfMonth = missRatio * readsPerSecond * secondsOfMonth;
  const memory = (bytes / bytesOfGb) * gbMonth;
  const misses = (missesOfMonth / 1e6) * millionMisses;
  const crossZone = ((missesOfMonth * weight) / bytesOfGb) * crossZoneGb;
  return { entries, bytes, hitRatio: 1 - missRatio, memory, misses, crossZone, total: memory + misses + crossZone };
}

function sentenceOf(saving: number, worthIt: boolean, threshold: number, hours: number): string {
  if (worthIt) return `The change saves ${dollars(saving)} a month.`;
  const least = `${hours === 1 ? "one hour" : `${hours} hours`} of a person (${dollars(threshold)})`;
  if (saving > 0) {
    return `The change saves ${dollars(saving)} a month, less than ${least}: not worth a person's time.`;
  }
  return `The change saves no money: it costs ${dollars(-saving)} more a month.`;
}

function dollars(amount: number): string {
  return `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
}
