import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

/** Compiles through the compiler's own API, to read what it says and what it costs. */

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export function projectOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile);
  return ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root).options;
}

/** What is parsed once serves every program of the same process: most of a program is the libraries. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** @param virtual files that are on no disk, by absolute path */
export function createProgram(
  files: readonly string[],
  options: ts.CompilerOptions,
  virtual: ReadonlyMap<string, string> = new Map(),
): ts.Program {
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (path) => virtual.has(path) || fileExists(path);
  host.readFile = (path) => virtual.get(path) ?? readFile(path);
  host.getSourceFile = (path, languageVersion, ...rest) => {
    const text = virtual.get(path);
    if (text !== undefined) return ts.createSourceFile(path, text, languageVersion);
    if (!path.endsWith(".d.ts")) return getSourceFile(path, languageVersion, ...rest);
    if (!parsed.has(path)) parsed.set(path, getSourceFile(path, languageVersion, ...rest));
    return parsed.get(path);
  };
  return ts.createProgram({ rootNames: [...files], options, host });
}

export interface Complaint {
  readonly line: number;
  /** The source from where the complaint points to the end of its line. */
  readonly at: string;
  readonly message: string;
}

export function complaintsAbout(program: ts.Program, path: string): readonly Complaint[] {
  const file = program.getSourceFile(path);
  if (file === undefined) throw new Error(`${path} is not in the program`);
  return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map((diagnostic) => {
    const start = diagnostic.start ?? 0;
    const { line } = file.getLineAndCharacterOfPosition(start);
    return {
      line: line + 1,
      at: file.text.slice(start).split("\n", 1)[0] ?? "",
      message: ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n"),
    };
  });
}

export interface Refusal {
  /** Of the refused code: the line below the comment. */
  readonly line: number;
  readonly at: string;
  readonly sentence: string;
}

/** The comments ``// refused at `TEXT`: SENTENCE`` of a file. */
export function refusalsOf(path: string): readonly Refusal[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((text, index) => {
      const found = /^\s*\/\/ refused at `(.+?)`: (.+)$/.exec(text);
      return found === null ? [] : [{ line: index + 2, at: found[1] ?? "", sentence: found[2] ?? "" }];
    });
}
