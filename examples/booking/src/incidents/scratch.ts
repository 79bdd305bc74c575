import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** `share` runs from 0 to 1. */
export type Progress = (line: string, share: number) => void;

/** Runs an incident in a directory of its own, which is gone afterwards. */
export async function inScratch<T>(name: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), `reprise-${name}-`));
  // ended from outside: the child processes end with this one, and the directory must not stay
  const ended = () => {
    rmSync(directory, { recursive: true, force: true });
    process.exit(1);
  };
  process.once("SIGINT", ended);
  process.once("SIGTERM", ended);
  try {
    return await work(directory);
  } finally {
    process.off("SIGINT", ended);
    process.off("SIGTERM", ended);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A part of a whole: progress from 0 to 1 becomes progress from `from` to `to`. */
export function part(progress: Progress, from: number, to: number): Progress {
  return (line, share) => progress(line, from + share * (to - from));
}
