import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "tsdown";

/** A program of the tests, built once, so that its processes start fast on every version of Node. */
export interface Program {
  readonly path: string;
  /** Deletes it; its processes are whoever started them to end. */
  readonly remove: () => void;
}

/** @param source the path of its TypeScript */
export async function buildProgram(source: string): Promise<Program> {
  // inside the project, so that it finds the drivers
  const cache = join(import.meta.dirname, "../../node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const name = basename(source, ".ts");
  const directory = mkdtempSync(join(cache, `reprise-${name}-`));
  await build({
    entry: { [name]: source },
    config: false,
    outDir: directory,
    format: "esm",
    platform: "node",
    dts: false,
    deps: { neverBundle: [/^@?[a-z]/] },
    logLevel: "error",
  });
  return { path: join(directory, `${name}.mjs`), remove: () => rmSync(directory, { recursive: true, force: true }) };
}
