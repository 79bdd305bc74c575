import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import { serviceContract } from "../decisions/contract-document.ts";
import { contractMarkdown } from "../decisions/contract-markdown.ts";
import { contractOpenApi } from "../decisions/contract-openapi.ts";
import { findSilence, type SilenceReport, type SilentMethod } from "../decisions/openapi-silence.ts";
import { readDeclarations } from "./declarations.ts";
import { documentsBeside, readDocument, toYaml } from "./document.ts";
import { asJson, printable, refuse } from "./print.ts";

export const contractFormats = ["markdown", "json", "openapi"] as const;

/** As the command line is parsed. */
export interface ContractOptions {
  readonly format?: (typeof contractFormats)[number];
  readonly check?: string;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** Prints, and answers the exit code: 0 done; 1 methods are silent; 2 what was given cannot be used. */
export async function runContract(module: string | undefined, options: ContractOptions): Promise<number> {
  const { check, format, json = false } = options;
  if ((module === undefined) === (check === undefined)) {
    return refuse("Give a module that exports what createReprise returned, or --check and an OpenAPI document.");
  }
  if (check !== undefined) {
    return format === undefined ? runCheck(check, json) : refuse("--check has no --format; --json there is.");
  }
  if (json && format === "markdown") return refuse("Markdown is no JSON: leave out --json, or --format.");

  const services = await readDeclarations(module ?? "", options.deadline ?? defaults.cli.importMs);
  if (typeof services === "string") return refuse(services);
  const contracts = services.map(({ service, decisions }) => serviceContract(service, decisions));
  switch (format ?? (json ? "json" : "markdown")) {
    case "markdown":
      process.stdout.write(contractMarkdown(contracts));
      break;
    case "json":
      process.stdout.write(asJson({ services: contracts }));
      break;
    case "openapi": {
      const fragments = contractOpenApi(contracts);
      process.stdout.write(json ? asJson(fragments) : await toYaml(fragments));
    }
  }
  return 0;
}

async function runCheck(file: string, json: boolean): Promise<number> {
  const name = file === "-" ? "standard input" : `'${file}'`;
  const source = await readDocument(file);
  if (typeof source === "string") {
    return refuse(`${name} cannot be read: ${source} Give an OpenAPI document in YAML or JSON.`);
  }
  const report = await findSilence(source, documentsBeside());
  if (typeof report === "string") return refuse(`${name} cannot be checked: ${report}`);
  process.stdout.write(json ? asJson({ document: file, ...report }) : showSilence(report));
  return report.silent.length === 0 ? 0 : 1;
}

function showSilence({ unsafe, silent }: SilenceReport): string {
  if (unsafe === 0) return "No method of this document changes anything.\n";
  if (silent.length === 0) return `${pc.green("All")} ${unsafe} methods that change something say what a retry does.\n`;
  const width = Math.max(...silent.map(({ path }) => printable(path).length));
  return [
    pc.bold(`${silent.length} of ${unsafe} methods that change something promise nothing about retrying:`),
    "",
    ...silent.flatMap((one) => rowOf(one, width)),
    "",
    "Give each an Idempotency-Key header parameter and the answers to a repetition: `reprise contract <module> --format openapi`",
    "prints them. Where no key is needed, say what a repetition does: `x-reprise: { promise: … }` beside its operationId.",
    "",
  ].join("\n");
}

function rowOf({ method, path, operationId, unfollowed }: SilentMethod, width: number): readonly string[] {
  const row =
    `  ${method.padEnd(6)}  ${printable(path).padEnd(width)}  ${pc.dim(printable(operationId ?? ""))}`.trimEnd();
  const missed = unfollowed.map((reference) =>
    pc.yellow(`          its parameter '${printable(reference)}' cannot be followed`),
  );
  return [row, ...missed];
}
