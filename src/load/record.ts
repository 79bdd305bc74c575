import { sha256 } from "../base/names.ts";
import { encodeScalars } from "../base/scalar.ts";
import { countNames, type WindowCounts } from "./counts.ts";
import type { LoadRefusal } from "./refusal.ts";
import type { LoadRange, LoadWindow } from "./window.ts";

/** What a run is kept as, in registers: how it was cut when it began, and a register for each window that is done. */
export interface RunRecord {
  /** As the caller named it, or as it was made from its range and its number. */
  readonly run: string;
  /** Of the range, and of the caller's name: by it a rerun finds the run. */
  readonly key: string;
  readonly range: LoadRange;
  readonly startedAt: number;
  /** `null`: not yet. */
  readonly endedAt: number | null;
  /** Rows of the source when it began. */
  readonly rows: number;
  /** Never changed once written: the index of a window is the name of what is kept of it. */
  readonly windows: readonly LoadWindow[];
  /** Of what was loaded, and how. `null`: it was not written down yet when this run began. */
  readonly print: RunPrint | null;
}

/** Two runs of the same prints do the same: what one has done, the other need not do. */
export interface RunPrint {
  /** Of what the declaration says. */
  readonly declared: string;
  /** Of what was found of it: the table, and the columns that are written. */
  readonly found: string;
}

export function runKey({ from, to }: LoadRange, run: string | undefined): string {
  const named = run === undefined ? "" : `=${run}`;
  return sha256(encodeScalars(["load", knownAs(from), knownAs(to), named], "run")).slice(0, 32);
}

/**
 * A day and its first instant are one bound of a column that takes both, whatever kind of column it is: so the run is found
 * before anybody looks at the table.
 */
function knownAs(bound: string | null): string {
  return bound?.replace(/(?: 00:00:00|T00:00:00\.000Z)$/, "") ?? "";
}

/** Names of registers; no service or load can write into another's. */
export interface RegisterNames {
  /** Of the lease too. */
  readonly load: string;
  readonly key: (key: string) => string;
  /** What kept the load from writing last. */
  readonly refusal: string;
  readonly runs: string;
  readonly run: (number: number) => string;
  /** The number in the name of a run. */
  readonly numberOf: (name: string) => number;
  readonly windows: (number: number) => string;
  readonly window: (number: number, index: number) => string;
}

/** Registers are listed by name, ascending: the newest run must come first. */
const lastRun = 999_999_999;

export function registerNames(service: string, name: string): RegisterNames {
  const load = `load/${encodeURIComponent(service)}/${encodeURIComponent(name)}`;
  const runs = `${load}/run/`;
  const descending = (number: number) => String(lastRun - number).padStart(9, "0");
  const windows = (number: number) => `${load}/window/${descending(number)}/`;
  return {
    load,
    key: (key) => `${load}/key/${key}`,
    refusal: `${load}/refusal`,
    runs,
    run: (number) => `${runs}${descending(number)}`,
    numberOf: (register) => lastRun - Number(register.slice(runs.length)),
    windows,
    window: (number, index) => `${windows(number)}${String(index).padStart(6, "0")}`,
  };
}

/** Of the registers' form. What a newer version wrote is not read by an older one. */
const form = 1;

export function encodeRun(record: RunRecord): string {
  const { run, key, range, startedAt, endedAt, rows, windows, print } = record;
  return JSON.stringify({ form, run, key, range, startedAt, endedAt, rows, windows, print: print ?? undefined });
}
/** `null`: of another form. */
export function decodeRun(text: string): RunRecord | null {
  const { form: written, print = null, ...record } = JSON.parse(text) as KeptRecord;
  return written === form ? { ...record, print } : null;
}

type KeptRecord = Omit<RunRecord, "print"> & { readonly form: number; readonly print?: RunPrint };

/** `token`: of the lease of the call that committed it. */
export function encodeCounts(counts: WindowCounts, token?: number): string {
  return JSON.stringify({ form, ...Object.fromEntries(countNames.map((name) => [name, counts[name]])), token });
}
export function decodeCounts(text: string): WindowCounts | null {
  const { form: written, token: _, ...counts } = JSON.parse(text) as KeptCounts;
  return written === form ? counts : null;
}
/** `null`: it was not written down. */
export function decodeToken(text: string): number | null {
  return (JSON.parse(text) as KeptCounts).token ?? null;
}
type KeptCounts = WindowCounts & { readonly form: number; readonly token?: number };

export function encodeRefusal(because: readonly LoadRefusal[]): string {
  return JSON.stringify({ form, because });
}
/** `null`: of another form. */
export function decodeRefusal(text: string): readonly LoadRefusal[] | null {
  const kept = JSON.parse(text) as { readonly form: number; readonly because: readonly LoadRefusal[] };
  return kept.form === form ? kept.because : null;
}
