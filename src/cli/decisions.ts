import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import type { Answer, Decided } from "../decisions/decided.ts";
import { readDeclarations } from "./declarations.ts";
import type { DeclaredService } from "./importing.ts";
import { asJson, refuse } from "./print.ts";

/** As the command line is parsed. */
export interface DecisionsOptions {
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** Prints, and answers the exit code: 0 done; 2 what was given cannot be used. */
export async function runDecisions(module: string, { json, deadline }: DecisionsOptions): Promise<number> {
  const services = await readDeclarations(module, deadline ?? defaults.cli.importMs);
  if (typeof services === "string") return refuse(services);
  process.stdout.write(json === true ? asJson({ services }) : `${services.flatMap(serviceLines).join("\n")}\n`);
  return 0;
}

function serviceLines({ service, decisions }: DeclaredService): readonly string[] {
  return [pc.bold(service), ...decisions.flatMap(decidedLines)];
}

function decidedLines({ kind, name, answers, undecided }: Decided): readonly string[] {
  const open = undecided.length === 0 ? "" : `  ${pc.yellow(`nobody has decided: ${undecided.join(", ")}`)}`;
  const width = Math.max(...Object.keys(answers).map((question) => question.length));
  const rows = Object.entries(answers).map(([question, answer]) => `  ${question.padEnd(width)}  ${textOf(answer)}`);
  return ["", `${kind} ${pc.bold(name)}${open}`, ...rows];
}

function textOf(answer: Answer): string {
  switch (answer.is) {
    case "declared":
      return answer.value;
    case "default":
      return pc.dim(`${answer.value} (default)`);
    case "undecided":
      return pc.yellow("?");
  }
}
