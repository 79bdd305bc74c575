import { createReadStream } from "node:fs";
import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import { isRepriseError } from "../base/errors.ts";
import {
  type Bill,
  billOf,
  type Curve,
  type CurvePoint,
  cheapest,
  defaultPrices,
  entriesAt,
  knee,
  missRatioAt,
  type Prices,
  type Study,
  simulateEviction,
  sizeFor,
  studyTrace,
  type TraceFormat,
  traceFormats,
} from "../observe/working-set/index.ts";
import { show } from "./show.ts";

/** As the command line is parsed. */
export interface WorkingSetOptions {
  readonly trace: string;
  readonly format?: TraceFormat;
  readonly hitRate?: number;
  readonly nowEntries?: number;
  /** Bytes. */
  readonly now?: number;
  readonly entryBytes?: number;
  readonly readsPerSecond?: number;
  readonly priceGbMonth?: number;
  readonly priceMillionMisses?: number;
  readonly priceCrossZoneGb?: number;
  readonly priceHour?: number;
  readonly worthHours?: number;
  readonly json?: boolean;
}

/** What is told: with `--json`, as it stands. */
export interface Report {
  readonly format: TraceFormat;
  readonly reads: number;
  /** Different keys; estimated unless `exact`. */
  readonly keys: number;
  readonly exact: boolean;
  /** Lines that could not be understood. */
  readonly skipped: number;
  readonly points: readonly CurvePoint[];
  readonly knee: CurvePoint;
  /** `size` is null where no memory has that hit rate. */
  readonly wanted: { readonly hitRate: number; readonly size: CurvePoint | null } | null;
  /** At which memory and misses together cost least. */
  readonly cheapest: CurvePoint;
  /** The wanted size; the cheapest where none is wanted, or attained. */
  readonly recommended: CurvePoint;
  /** Of what memory holds now, by the curve. */
  readonly now: { readonly entries: number; readonly hitRate: number } | null;
  /** Hit rates at the recommended size, each read taken one by one. */
  readonly simulated: { readonly reads: number; readonly lru: number; readonly lfu: number };
  readonly assumed: {
    readonly readsPerSecond: number;
    readonly entryBytes: number;
    readonly prices: Prices;
    readonly worthHours: number;
    /** Which of the two were in neither the trace nor the options. */
    readonly guessed: readonly ("readsPerSecond" | "entryBytes")[];
  };
  readonly bill: Bill;
}

/** Reads, prints, and answers the exit code. */
export async function runWorkingSet(options: WorkingSetOptions): Promise<number> {
  const study = await read(options);
  if (typeof study === "string") {
    process.stderr.write(`${pc.red("error:")} ${study}\n`);
    return 1;
  }
  const report = reportOf(study, options);
  process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : show(report));
  return 0;
}

/** A sentence where there is nothing to tell. */
async function read({ trace, format }: WorkingSetOptions): Promise<Study | string> {
  const name = trace === "-" ? "standard input" : `'${trace}'`;
  const input = trace === "-" ? process.stdin.setEncoding("utf8") : createReadStream(trace, "utf8");
  const isWatched = process.stderr.isTTY;
  const progress = (reads: number): void => {
    process.stderr.write(`\r${reads.toLocaleString("en-US")} reads`);
  };
  try {
    const study = await studyTrace(input, { format, ...(isWatched ? { progress } : {}) });
    if (study.reads > 0) return study;
    return study.skipped === 0
      ? `${name} is empty, so there is nothing to tell. Give a trace with one request a line.`
      : `${name} holds no read in the format '${study.format}' (${study.skipped} lines could not be understood). Say what it is with --format ${traceFormats.join(", ")}.`;
  } catch (error) {
    if (isRepriseError(error)) return `${name}: ${error.message}`;
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : code;
    return `${name} cannot be read: ${why}. Give a text file with one request a line, or - for standard input.`;
  } finally {
    // Clears the line that told the progress.
    if (isWatched) process.stderr.write("\r\x1b[K");
  }
}

function reportOf(study: Study, options: WorkingSetOptions): Report {
  const entryBytes = options.entryBytes ?? study.entryBytes ?? defaults.workingSet.entryBytes;
  const readsPerSecond = options.readsPerSecond ?? study.readsPerSecond ?? defaults.workingSet.readsPerSecond;
  const worthHours = options.worthHours ?? defaults.workingSet.worthHours;
  const prices: Prices = {
    gbMonth: options.priceGbMonth ?? defaultPrices.gbMonth,
    millionMisses: options.priceMillionMisses ?? defaultPrices.millionMisses,
    crossZoneGb: options.priceCrossZoneGb ?? defaultPrices.crossZoneGb,
    personHour: options.priceHour ?? defaultPrices.personHour,
  };
  const pricing = { readsPerSecond, entryBytes, prices };
  const measured = options.entryBytes === undefined && study.entryBytes !== null;
  const curve = measured ? study.curve : weigh(study.curve, entryBytes);
  const least = cheapest(curve, pricing);
  const size = options.hitRate === undefined ? null : sizeFor(curve, options.hitRate);
  const recommended = size ?? least;
  const nowEntries = options.nowEntries ?? (options.now === undefined ? undefined : entriesAt(curve, options.now));
  const simulate = (eviction: "lru" | "lfu"): number => {
    const maxEntries = Math.max(1, recommended.entries);
    const { hits, requests } = simulateEviction(study.hashes, { eviction, maxEntries });
    return hits / requests;
  };
  return {
    format: study.format,
    reads: study.reads,
    keys: curve.keys,
    exact: study.exact,
    skipped: study.skipped,
    points: curve.points,
    knee: knee(curve),
    wanted: options.hitRate === undefined ? null : { hitRate: options.hitRate, size },
    cheapest: least,
    recommended,
    now: nowEntries === undefined ? null : { entries: nowEntries, hitRate: 1 - missRatioAt(curve, nowEntries) },
    simulated: { reads: study.hashes.length, lru: simulate("lru"), lfu: simulate("lfu") },
    assumed: {
      ...pricing,
      worthHours,
      guessed: [
        ...(options.readsPerSecond === undefined && study.readsPerSecond === null ? (["readsPerSecond"] as const) : []),
        ...(options.entryBytes === undefined && study.entryBytes === null ? (["entryBytes"] as const) : []),
      ],
    },
    bill: billOf(curve, { ...pricing, nowEntries, thenEntries: recommended.entries, worthHours }),
  };
}

/** Every entry weighs the same. */
function weigh(curve: Curve, entryBytes: number): Curve {
  return { ...curve, points: curve.points.map((point) => ({ ...point, bytes: point.entries * entryBytes })) };
}
