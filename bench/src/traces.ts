import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { XzReadableStream } from "xz-decompress";

/** Requests that a system made, in their order. */
export interface Trace {
  readonly name: string;
  /** The key of each request. Keys are numbered from 0 in the order of their first request. */
  readonly keys: Uint32Array;
  /** How many different keys there are. */
  readonly unique: number;
}

/**
 * The traces in a folder, in the order of their names, one at a time: some fill a good part of memory.
 *
 * Files may be compressed (`.xz`, `.gz`, `.br`, and `.zst` where Node has it). Inside is either text, one request a line
 * of which the first word is the key, or 32-bit whole numbers. In a `.lis` file, the format of the ARC traces, a line
 * "start count …" requests `count` keys from `start` on. Files of other kinds, such as a README.md, are passed over.
 */
export async function* readTraces(folder: string): AsyncGenerator<Trace> {
  const files = (await readdir(folder, { withFileTypes: true }))
    .filter(
      (entry) => !entry.isDirectory() && !/^\.|\.(md|json|ya?ml)$|^(licen[cs]e|readme|notice)\b/i.test(entry.name),
    )
    .map((entry) => entry.name)
    .sort();
  for (const file of files) yield await readTrace(join(folder, file));
}

export async function readTrace(file: string): Promise<Trace> {
  const compression = compressions.find(({ suffix }) => file.endsWith(suffix));
  const packed = await readFile(file);
  const content = compression === undefined ? packed : await compression.decompress(packed);
  const inner = compression === undefined ? file : file.slice(0, -compression.suffix.length);
  const numbering = createNumbering(content.length / 4);
  if (!isText(content)) readWords(content, numbering.request);
  else if (inner.endsWith(".lis")) readRanges(content, numbering.request);
  else readLines(content, numbering.request);
  return { name: nameOf(inner), keys: numbering.keys(), unique: numbering.unique() };
}

interface Compression {
  readonly suffix: string;
  readonly decompress: (packed: Buffer) => Promise<Buffer>;
}

const compressions: readonly Compression[] = [
  { suffix: ".xz", decompress: unpackXz },
  { suffix: ".gz", decompress: promisify(zlib.gunzip) },
  { suffix: ".br", decompress: promisify(zlib.brotliDecompress) },
  { suffix: ".zst", decompress: unpackZstandard },
];

async function unpackXz(packed: Buffer): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const stream = new XzReadableStream(Readable.toWeb(Readable.from([packed])) as ReadableStream<Uint8Array>);
  const reader = stream.getReader();
  for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
    // A copy: the decompressor lends its buffer and writes the next chunk over it.
    if (value !== undefined) chunks.push(value.slice());
  }
  return Buffer.concat(chunks);
}

async function unpackZstandard(packed: Buffer): Promise<Buffer> {
  const { zstdDecompress } = zlib as { zstdDecompress?: typeof zlib.gunzip };
  if (zstdDecompress === undefined) throw new Error("this Node cannot read .zst: Node 22.15 and later can.");
  return await promisify(zstdDecompress)(packed);
}

/** All printable, as far as one can see. 32-bit numbers betray themselves by a byte that no text has. */
function isText(content: Buffer): boolean {
  return content.subarray(0, 65_536).every((byte) => (byte >= 0x20 && byte !== 0x7f) || (byte >= 0x09 && byte <= 0x0d));
}

/** Which end comes first does not matter: the words differ either way exactly where the keys do. */
function readWords(content: Buffer, request: (key: number) => void): void {
  for (let offset = 0; offset + 4 <= content.length; offset += 4) request(content.readUInt32BE(offset));
}

function readLines(content: Buffer, request: (key: string) => void): void {
  for (const line of linesOf(content)) {
    const [key] = line.trim().split(/[\s,]+/, 1);
    // "*" alone marks the end of a trace of the LIRS authors.
    if (key !== undefined && key !== "" && key !== "*") request(key);
  }
}

function readRanges(content: Buffer, request: (key: number) => void): void {
  for (const line of linesOf(content)) {
    const [start, count] = line.trim().split(/\s+/, 2).map(Number);
    if (start === undefined || count === undefined) continue;
    for (let key = start; key < start + count; key += 1) request(key);
  }
}

/** Line by line from the bytes: a trace may be longer than the longest string. */
function* linesOf(content: Buffer): Generator<string> {
  for (let from = 0; from < content.length; ) {
    const end = content.indexOf(0x0a, from);
    const to = end === -1 ? content.length : end;
    yield content.toString("latin1", from, to);
    from = to + 1;
  }
}

function createNumbering(expected: number) {
  const numbers = new Map<number | string, number>();
  let keys = new Uint32Array(Math.max(1_024, Math.ceil(expected)));
  let count = 0;
  return {
    request: (key: number | string) => {
      let number = numbers.get(key);
      if (number === undefined) {
        number = numbers.size;
        numbers.set(key, number);
      }
      if (count === keys.length) {
        const longer = new Uint32Array(2 * count);
        longer.set(keys);
        keys = longer;
      }
      keys[count] = number;
      count += 1;
    },
    keys: () => keys.slice(0, count),
    unique: () => numbers.size,
  };
}

function nameOf(file: string): string {
  return file.replace(/^.*[\\/]/, "").replace(/\.(trace|trc|lis|txt|bin)$/, "");
}
