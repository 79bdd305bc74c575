import { isMonitorLine, keysRead, parseMonitorLine } from "./monitor.ts";

/** `keys`: one a line. `sizes`: a key and its bytes a line. `monitor`: what `redis-cli monitor` prints. */
export type TraceFormat = "keys" | "sizes" | "monitor";
export const traceFormats: readonly TraceFormat[] = ["keys", "sizes", "monitor"];

export interface Reader {
  readonly format: TraceFormat;
  /** Calls back for each read that the line tells of; false if it tells of nothing that can be understood. */
  readonly read: (line: string) => boolean;
  /** From the first command to the last; `null` where the format has no time. */
  readonly seconds: () => number | null;
}

/** A key, then blanks or a comma, then whole bytes. */
const keyAndSize = /^(.*\S)(?:\s+|\s*,\s*)(\d+)\s*$/;

/** The format of a trace that begins with these lines. */
export function detectFormat(lines: readonly string[]): TraceFormat {
  const told = lines.filter((line) => line.trim() !== "");
  if (told.some(isMonitorLine)) return "monitor";
  return told.length > 0 && told.every((line) => keyAndSize.test(line)) ? "sizes" : "keys";
}

/** `request`: called with a key and its bytes, 0 where the line does not tell. */
export function createReader(format: TraceFormat, request: (key: string, bytes: number) => void): Reader {
  let first: number | undefined;
  let last = 0;
  const readers: Readonly<Record<TraceFormat, (line: string) => boolean>> = {
    keys: (line) => {
      const key = line.trim();
      if (key === "") return false;
      request(key, 0);
      return true;
    },
    sizes: (line) => {
      const parts = keyAndSize.exec(line);
      if (parts === null) return false;
      request((parts[1] as string).trim(), Number(parts[2]));
      return true;
    },
    monitor: (line) => {
      const parsed = parseMonitorLine(line);
      // The server says OK before the first command.
      if (parsed === undefined) return line.trim() === "OK";
      first ??= parsed.at;
      last = parsed.at;
      for (const key of keysRead(parsed.command)) request(`${parsed.database} ${key}`, 0);
      return true;
    },
  };
  return { format, read: readers[format], seconds: () => (first === undefined ? null : last - first) };
}
