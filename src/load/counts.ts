/**
 * What became of the rows that a load read. Each is in exactly one class:
 * read = inserted + updated + unchanged + refusedOlder + tied + duplicates + keyless.
 */
export interface LoadCounts {
  readonly read: number;
  readonly inserted: number;
  /** Newer, or with other content where that overwrites, or marked as lost and there again. */
  readonly updated: number;
  /** The table had it so; or another wrote a row of this key while this one was about to, and that stays. */
  readonly unchanged: number;
  /** The table has a newer row of this key, which stays. */
  readonly refusedOlder: number;
  /** The same version with other content, where that is refused: the table's row stays. */
  readonly tied: number;
  /** Of a key that the source repeats: those that are not the newest. */
  readonly duplicates: number;
  /** A part of the identity is null, so that nothing would ever recognise the row: it is not written. */
  readonly keyless: number;
}

/** Rows of the table that the source no longer has. None is read from the source, so they are in no sum. */
export interface LostCounts {
  /** Those that carried no mark. */
  readonly lost: number;
  /** Those that were marked: all of them, or none because they were more than the declared share. */
  readonly marked: number;
}

export type WindowCounts = LoadCounts & LostCounts;

export const noCounts: WindowCounts = {
  read: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  refusedOlder: 0,
  tied: 0,
  duplicates: 0,
  keyless: 0,
  lost: 0,
  marked: 0,
};

export const noneLost: LostCounts = { lost: 0, marked: 0 };

/** Text and JSON are read with these names alone. */
export const countNames = Object.keys(noCounts) as readonly (keyof WindowCounts)[];

export function addCounts(a: WindowCounts, b: WindowCounts): WindowCounts {
  const sums = countNames.map((name) => [name, a[name] + b[name]]);
  return Object.fromEntries(sums) as unknown as WindowCounts;
}

/** Whether every row that was read is in one class. */
export function addsUp(counts: WindowCounts): boolean {
  const { read, inserted, updated, unchanged, refusedOlder, tied, duplicates, keyless } = counts;
  const sum = inserted + updated + unchanged + refusedOlder + tied + duplicates + keyless;
  return countNames.every((name) => Number.isSafeInteger(counts[name]) && counts[name] >= 0) && sum === read;
}
