import { readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** A module and, in it, the name of what is meant; no name: there is only one, or all are meant. */
export interface Named {
  readonly module: string;
  readonly name: string | undefined;
}

/**
 * What is meant by `MODULE NAME`, `MODULE`, `NAME` or nothing: a word that is a file, or is written like one, is the module.
 * Where none is named it is taken from `--module`, from REPRISE_MODULE, or from the next package.json. A sentence: there is
 * none.
 */
export function namedIn(words: readonly (string | undefined)[], option: string | undefined): Named | string {
  const [first, second] = words;
  if (first !== undefined && second !== undefined) {
    return option === undefined
      ? { module: first, name: second }
      : `The module is given twice: '${first}', and --module ${option}.`;
  }
  if (option !== undefined) return { module: option, name: first };
  if (first !== undefined && isFile(first)) return { module: first, name: undefined };
  const module = process.env["REPRISE_MODULE"] ?? declaredModule(process.cwd());
  if (module !== undefined && module !== "") return { module, name: first };
  const taken = first === undefined ? "" : `There is no file '${first}', so it is taken for a name. `;
  return `${taken}Say which module declares it: --module dist/jobs.mjs; or once for all, REPRISE_MODULE=dist/jobs.mjs, or in package.json: "reprise": { "module": "dist/jobs.mjs" }.`;
}

function isFile(word: string): boolean {
  return (
    /\.[cm]?[jt]sx?$/.test(word) ||
    /^\.{0,2}[\\/]/.test(word) ||
    statSync(word, { throwIfNoEntry: false }) !== undefined
  );
}

/** As the next package.json above says, from where it lies. */
function declaredModule(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    const found = moduleIn(join(here, "package.json"));
    if (found !== undefined) return resolve(here, found);
    if (dirname(here) === here) return undefined;
  }
}

function moduleIn(file: string): string | undefined {
  try {
    const { reprise } = JSON.parse(readFileSync(file, "utf8")) as { reprise?: { module?: unknown } };
    return typeof reprise?.module === "string" ? reprise.module : undefined;
  } catch {
    // there is none here, or it is another tool's business what is wrong with it
    return undefined;
  }
}
