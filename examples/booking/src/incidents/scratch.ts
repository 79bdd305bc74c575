import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killChildren } from "../children.ts";

/** `share` runs from 0 to 1. */
export type Progress = (line: string, share: number) => void;

/** `disconnect`: the process that started this one with a channel has ended. */
const endings = ["SIGINT", "SIGTERM", "SIGHUP", "disconnect"] as const;

/** Runs an incident in a directory of its own, which is gone afterwards. */
export async function inScratch<T>(name: string, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), `reprise-${name}-`));
  // ended from outside, or the platform that started it is gone: neither child processes nor the directory may stay
  const ended = () => {
    killChildren();
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    process.exit(1);
  };
  for (const event of endings) process.once(event, ended);
  try {
    return await work(directory);
  } finally {
    for (const event of endings) process.off(event, ended);
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A part of a whole: progress from 0 to 1 becomes progress from `from` to `to`. */
export function part(progress: Progress, from: number, to: number): Progress {
  return (line, share) => progress(line, from + share * (to - from));
}

/** Parts that run at once: the whole is as far as all of them together. */
export function together<const Name extends string>(
  progress: Progress,
  names: readonly Name[],
): Readonly<Record<Name, Progress>> {
  const shares = new Map<Name, number>();
  const partOf =
    (name: Name): Progress =>
    (line, share) => {
      shares.set(name, share / names.length);
      progress(
        line,
        [...shares.values()].reduce((sum, one) => sum + one, 0),
      );
    };
  return Object.fromEntries(names.map((name) => [name, partOf(name)])) as Record<Name, Progress>;
}

/** @throws an error that says `late` when the work takes longer; it goes on all the same */
export function within<T>(work: Promise<T>, ms: number, late: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(late)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
