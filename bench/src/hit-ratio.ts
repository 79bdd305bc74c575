import { SieveCache } from "@neophi/sieve-cache";
import { simulateEviction } from "reprise/working-set";
import { newCache } from "transitory";
import { beladyHits } from "./belady.ts";
import type { Figure } from "./figure.ts";
import { readTraces, type Trace } from "./traces.ts";

/** Of the unique keys of a trace. */
const shares = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4];
/** A policy that guesses by hashes has luck in single cells. */
const salts = [1, 2, 3];
/** In a smaller cache a few entries more or less, and luck, decide. */
const leastSlotsOfWorst = 500;

/** Hit ratios, in percent, of one trace in a cache of one size. */
export interface Cell {
  readonly trace: string;
  readonly maxEntries: number;
  readonly lfu: number;
  readonly lru: number;
  readonly sieve: number;
  readonly tinyLfu: number;
  readonly belady: number;
}

/**
 * How often a cache of several sizes would have answered the requests of each trace in the folder, beside what others
 * reach and what can be reached at all.
 * @throws Error when a figure is above Belady's bound: then the measurement is wrong, and every figure with it.
 */
export async function measureHitRatio(folder: string, progress: (said: string) => void): Promise<readonly Figure[]> {
  const cells: Cell[] = [];
  for await (const trace of readTraces(folder)) {
    for (const share of shares) {
      const cell = measureCell(trace, Math.max(2, Math.round(share * trace.unique)));
      cells.push(cell);
      progress(`hitratio: ${describe(cell)}`);
    }
  }
  return figuresOf(cells);
}

function measureCell(trace: Trace, maxEntries: number): Cell {
  const { keys, name } = trace;
  const percent = (hits: number) => (100 * hits) / keys.length;
  const lfu = salts.map((salt) => simulateEviction(keys, { eviction: "lfu", maxEntries, salt }).hits);
  return {
    trace: name,
    maxEntries,
    lfu: percent(mean(lfu)),
    lru: percent(simulateEviction(keys, { eviction: "lru", maxEntries }).hits),
    sieve: percent(sieveHits(keys, maxEntries)),
    tinyLfu: percent(tinyLfuHits(keys, maxEntries)),
    belady: percent(beladyHits(trace, maxEntries)),
  };
}

function sieveHits(keys: Uint32Array, maxEntries: number): number {
  const cache = new SieveCache<number, number>(maxEntries);
  let hits = 0;
  for (const key of keys) {
    if (cache.get(key) === undefined) cache.set(key, key);
    else hits += 1;
  }
  return hits;
}

function tinyLfuHits(keys: Uint32Array, maxEntries: number): number {
  const cache = newCache<number, number>().maxSize(maxEntries).build();
  let hits = 0;
  for (const key of keys) {
    // A miss is null.
    if (cache.getIfPresent(key) === null) cache.set(key, key);
    else hits += 1;
  }
  return hits;
}

export function figuresOf(cells: readonly Cell[]): readonly Figure[] {
  const above = cells.filter(({ lfu, lru, belady }) => Math.max(lfu, lru) > belady + 1e-9);
  if (above.length > 0) throw new Error(`hit ratios above Belady's bound: ${above.map(describe).join("; ")}`);
  const meanOf = (policy: (cell: Cell) => number) => mean(cells.map(policy));
  const lfu = meanOf((cell) => cell.lfu);
  const large = cells.filter(({ maxEntries }) => maxEntries >= leastSlotsOfWorst);
  const points = (name: string, value: number): Figure => ({ name, value, unit: "points", better: "higher" });
  return [
    { name: "hitratio.mean", value: lfu, unit: "%", better: "higher" },
    points("hitratio.overTinyLfu", lfu - meanOf((cell) => cell.tinyLfu)),
    points("hitratio.overLru", lfu - meanOf((cell) => cell.lru)),
    points("hitratio.overSieve", lfu - meanOf((cell) => cell.sieve)),
    // Where no cell is large enough, nothing is known: no figure rather than a good one.
    ...(large.length === 0 ? [] : [points("hitratio.worst", Math.min(...large.map((cell) => cell.lfu - cell.lru)))]),
    { name: "hitratio.belady", value: meanOf((cell) => cell.belady), unit: "%", better: "higher" },
    { name: "hitratio.aboveBelady", value: above.length, unit: "cells", better: "lower" },
  ];
}

function describe({ trace, maxEntries, ...ratios }: Cell): string {
  const told = Object.entries(ratios).map(([policy, ratio]) => `${policy} ${ratio.toFixed(1)}`);
  return `${trace} in ${maxEntries}: ${told.join(", ")}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
