import { createSampler, hashOfNumber, missRatioAt } from "reprise/working-set";
import type { Figure } from "./figure.ts";
import type { Trace } from "./traces.ts";

/** A sample is drawn by hashes, and a hash function has luck: the error of a trace is the mean over several. */
const salts = [1, 2, 3];
/** Where the curves are compared: at so many sizes, evenly up to all keys. */
const sizes = 100;
/** What an entry weighs; only the count of entries is compared. */
const entryBytes = 256;

/** How far the sampler, with the limits it has in production, is from the exact curve of least recent use. */
export async function measureWorkingSet(traces: AsyncIterable<Trace> | Iterable<Trace>): Promise<readonly Figure[]> {
  let worst = 0;
  let mostKeys = 0;
  for await (const trace of traces) {
    const exact = exactMissRatios(trace);
    const measured = salts.map((salt) => sample(trace, salt, exact));
    worst = Math.max(worst, measured.reduce((sum, { error }) => sum + error, 0) / measured.length);
    mostKeys = Math.max(mostKeys, ...measured.map(({ keys }) => keys));
  }
  return [
    { name: "workingset.error", value: worst, unit: "points", better: "lower" },
    { name: "workingset.keys", value: mostKeys, unit: "keys", better: "lower" },
  ];
}

function sample({ keys, unique }: Trace, salt: number, exact: readonly number[]) {
  let reads = 0;
  const sampler = createSampler({ reads: () => reads });
  let most = 0;
  for (const key of keys) {
    reads += 1;
    const hash = hashOfNumber(key, salt);
    if (hash < sampler.threshold()) sampler.record(hash, 0, entryBytes);
    most = Math.max(most, sampler.keys());
  }
  const curve = sampler.curve();
  const errors = exact.map((missRatio, at) => Math.abs(missRatioAt(curve, sizeAt(at, unique)) - missRatio));
  return { error: (100 * errors.reduce((sum, error) => sum + error, 0)) / errors.length, keys: most };
}

function sizeAt(at: number, unique: number): number {
  return Math.max(1, Math.round(((at + 1) * unique) / sizes));
}

/**
 * The miss ratio of least recent use at each size. A binary indexed tree over the requests (Fenwick, 1994) has a one where
 * a key was last requested, so that the ones behind a key's last request are the keys that came since.
 */
function exactMissRatios({ keys, unique }: Trace): readonly number[] {
  const tree = new Int32Array(keys.length + 1);
  const add = (at: number, value: number): void => {
    for (let node = at + 1; node < tree.length; node += node & -node) tree[node] = (tree[node] as number) + value;
  };
  const before = (at: number): number => {
    let sum = 0;
    for (let node = at; node > 0; node -= node & -node) sum += tree[node] as number;
    return sum;
  };
  const last = new Int32Array(unique).fill(-1);
  const hitsWithin = new Float64Array(unique + 1);
  let seen = 0;
  for (const [at, key] of keys.entries()) {
    const previous = last[key] as number;
    if (previous === -1) seen += 1;
    else {
      const distance = seen - before(previous);
      hitsWithin[distance] = (hitsWithin[distance] as number) + 1;
      add(previous, -1);
    }
    add(at, 1);
    last[key] = at;
  }
  for (let size = 1; size <= unique; size += 1) {
    hitsWithin[size] = (hitsWithin[size] as number) + (hitsWithin[size - 1] as number);
  }
  return Array.from({ length: sizes }, (_, at) => 1 - (hitsWithin[sizeAt(at, unique)] as number) / keys.length);
}
