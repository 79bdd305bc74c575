import { RepriseError } from "../../base/errors.ts";
import { hashOf } from "../../base/hash.ts";
import { type Curve, meanWeight } from "./curve.ts";
import { createReader, detectFormat, type Reader, type TraceFormat } from "./requests.ts";
import { createSampler } from "./sampler.ts";
import { mostKeys } from "./stack.ts";

/** What a trace tells. No key of it is kept. */
export interface Study {
  readonly format: TraceFormat;
  readonly curve: Curve;
  /** All keys were watched, not a sample. */
  readonly exact: boolean;
  readonly reads: number;
  /** `null` where the trace has no time. */
  readonly readsPerSecond: number | null;
  /** What an entry weighs, the mean over keys; `null` where the trace has no sizes. */
  readonly entryBytes: number | null;
  /** The hash of each read's key, of the first ones: for policies that have to see them one by one. */
  readonly hashes: Uint32Array;
  /** Lines that tell of nothing that could be understood, empty ones aside. */
  readonly skipped: number;
}

export interface StudyOptions {
  /** Unless given, detected by the first lines. */
  readonly format?: TraceFormat | undefined;
  /** Called now and then with the reads so far. */
  readonly progress?: (reads: number) => void;
}

/** Lines that the format is detected by. */
const linesToDetect = 20;
/** A policy takes about a second for so many; more would tell little more. */
const hashesKept = 2_000_000;
const readsPerProgress = 250_000;
/** A line is a key, not a document: so long a one is no trace, and would fill memory. */
const longestLine = 1_048_576;

/**
 * Reads a trace as a stream, in memory that does not grow with it.
 *
 * @example
 * const { curve } = await studyTrace(createReadStream("requests.txt", "utf8"));
 *
 * @throws REPRISE_BAD_DECLARATION if it is no text, or a line is longer than a megabyte.
 */
export async function studyTrace(
  chunks: AsyncIterable<string> | Iterable<string>,
  options: StudyOptions = {},
): Promise<Study> {
  let reads = 0;
  let skipped = 0;
  let hashes = new Uint32Array(16_384);
  const sampler = createSampler({ most: mostKeys, share: 1, reads: () => reads });
  const everyKey = sampler.threshold();

  const request = (key: string, bytes: number): void => {
    const hash = hashOf(key, 0);
    if (reads < hashesKept) {
      if (reads === hashes.length) {
        const longer = new Uint32Array(2 * reads);
        longer.set(hashes);
        hashes = longer;
      }
      hashes[reads] = hash;
    }
    reads += 1;
    if (hash < sampler.threshold()) sampler.record(hash, 0, bytes);
    if (reads % readsPerProgress === 0) options.progress?.(reads);
  };
  let reader: Reader | undefined = options.format === undefined ? undefined : createReader(options.format, request);
  const first: string[] = [];
  const take = (to: Reader, line: string): void => {
    if (!to.read(line) && line.trim() !== "") skipped += 1;
  };
  const decide = (): Reader => {
    const decided = createReader(detectFormat(first), request);
    for (const line of first) take(decided, line);
    return decided;
  };

  for await (const line of linesOf(chunks)) {
    if (reader !== undefined) take(reader, line);
    else if (first.push(line) >= linesToDetect) reader = decide();
  }
  reader ??= decide();
  const seconds = reader.seconds();
  const curve = sampler.curve();
  return {
    format: reader.format,
    curve,
    exact: sampler.threshold() === everyKey,
    reads,
    readsPerSecond: seconds === null || seconds <= 0 ? null : reads / seconds,
    entryBytes: meanWeight(curve) || null,
    hashes: hashes.subarray(0, Math.min(reads, hashesKept)),
    skipped,
  };
}

async function* linesOf(chunks: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    if (chunk.includes("\0")) throw noTrace("it is no text.");
    if (rest.length > longestLine) throw noTrace(`a line is longer than ${longestLine} characters.`);
    yield* lines;
  }
  if (rest !== "") yield rest;
}

function noTrace(why: string): RepriseError {
  return new RepriseError("REPRISE_BAD_DECLARATION", {
    where: "trace",
    why,
    mend: "Give a text with one request a line, unpacked.",
  });
}
