import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import pc from "picocolors";
import { type Dialect, type Finding, lintSql } from "../inspect/index.ts";
import { asJson, printable, refuse } from "./print.ts";
import { count } from "./show-pairs.ts";

/** As the command line is parsed. */
export interface LintSqlOptions {
  readonly dialect?: Dialect;
  readonly json?: boolean;
}

const endings = /\.(?:sql|[cm]?ts|[cm]?js|tsx|jsx)$/i;

/** Prints, and answers the exit code: 0 sound; 1 findings; 2 something cannot be read. */
export async function runLintSql(given: readonly string[], { dialect, json }: LintSqlOptions): Promise<number> {
  const findings: Finding[] = [];
  let files = 0;
  for (const name of given) {
    const read = name === "-" ? ["-"] : await filesOf(name, true).catch((error: NodeJS.ErrnoException) => error);
    if (read instanceof Error) return refuse(`'${name}' cannot be read: ${unreadable(read)}`);
    for (const file of read) {
      const content = file === "-" ? text(process.stdin) : readFile(file).then(decoded);
      const source = await content.catch((error: NodeJS.ErrnoException) => error);
      if (source instanceof Error) return refuse(`'${file}' cannot be read: ${unreadable(source)}`);
      // what is no text would be called sound
      if (source.includes("\0")) return refuse(`'${file}' cannot be read: it is no text.`);
      files += 1;
      findings.push(...lintSql(source, { dialect, file }));
    }
  }
  if (files === 0) return refuse("There is nothing to read: no file that ends in .sql, .ts or .js.");
  if (json === true) process.stdout.write(asJson({ sound: findings.length === 0, files, findings }));
  else process.stdout.write(`${[...findings.flatMap(findingLines), summary(files, findings)].join("\n")}\n`);
  return findings.length === 0 ? 0 : 1;
}

/** SQL Server's tools write UTF-16, with a mark that says so. */
function decoded(bytes: Uint8Array): string {
  const [first, second] = bytes;
  const isBig = first === 0xfe && second === 0xff;
  const isLittle = first === 0xff && second === 0xfe;
  return new TextDecoder(isBig ? "utf-16be" : isLittle ? "utf-16le" : "utf-8").decode(bytes);
}

function unreadable({ code }: NodeJS.ErrnoException): string {
  return code === "ENOENT" ? "there is no such file." : `${code ?? "unknown"}.`;
}

/** A file that is named is read whatever its name; in a folder those that may hold SQL. No link is followed. */
async function filesOf(path: string, isNamed: boolean): Promise<readonly string[]> {
  const found = await lstat(path);
  if (!found.isDirectory())
    return isNamed || (found.isFile() && endings.test(path) && !/\.d\.[cm]?ts$/.test(path)) ? [path] : [];
  const inside: string[] = [];
  for (const name of (await readdir(path)).sort()) {
    if (name.startsWith(".") || name === "node_modules" || name === "dist") continue;
    inside.push(...(await filesOf(join(path, name), false)));
  }
  return inside;
}

/** One finding, as `inspect` tells it too. */
export function findingLines({ file, line, column, rule, why, instead }: Finding): readonly string[] {
  return [
    `${pc.bold(`${printable(file)}:${line}:${column}`)}  ${pc.yellow(rule)}`,
    `  ${printable(why)}`,
    ...instead.split("\n").map((one) => pc.dim(`    ${printable(one)}`)),
    "",
  ];
}

function summary(files: number, findings: readonly Finding[]): string {
  const read = `${count(files, "file")} read`;
  if (findings.length === 0) return `${read}: ${pc.green("sound.")}`;
  return `${read}: ${pc.yellow(count(findings.length, "finding"))}. One that is meant so: a comment above it, reprise: sound, <reason>`;
}
