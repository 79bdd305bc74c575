import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IncidentResult } from "reprise/page";
import { resultsDirectory } from "../config.ts";

/** The last result of each incident is kept, whoever started it, so that the page can show it after a restart. */
export async function keepResult(name: string, result: IncidentResult): Promise<void> {
  await mkdir(resultsDirectory, { recursive: true });
  const file = join(resultsDirectory, `${name}.json`);
  // a reader sees the old one or the new one, never half of it
  await writeFile(`${file}.${process.pid}`, JSON.stringify(result));
  await rename(`${file}.${process.pid}`, file);
}

export async function lastResult(name: string): Promise<IncidentResult | undefined> {
  try {
    return JSON.parse(await readFile(join(resultsDirectory, `${name}.json`), "utf8")) as IncidentResult;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
