import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import { differenceLines, ledgerLine } from "./doctor.ts";
import type { LedgerReport } from "./importing.ts";
import { asJson, refuse } from "./print.ts";
import { askTables } from "./tables.ts";

/** As the command line is parsed. */
export interface MigrateOptions {
  readonly print?: boolean;
  readonly partitions?: number;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** Prints, and answers the exit code: 0 done; 1 what is there differs still; 2 what was given cannot be used. */
export async function runMigrate(module: string, options: MigrateOptions): Promise<number> {
  const { print = false, partitions, json = false, deadline } = options;
  const asked = { verb: print ? "print" : "migrate", options: { partitions } } as const;
  const ledgers = await askTables(module, asked, { importMs: deadline, answerMs: defaults.migrateMs });
  if (typeof ledgers === "string") return refuse(ledgers);
  if (json) process.stdout.write(asJson({ ledgers }));
  else process.stdout.write(`${ledgers.flatMap(print ? scriptOf : linesOf).join("\n")}\n`);
  return ledgers.some(({ differences }) => differences.length > 0) ? 1 : 0;
}

/** As a database's own client takes it. */
function scriptOf({ ledger, services, statements }: LedgerReport): readonly string[] {
  const needs = statements.length === 0 ? ", which needs no statements" : "";
  return [`-- ${services.join(", ")}: ledger ${ledger}${needs}`, ...statements.map((text) => `${text};`)];
}

function linesOf(report: LedgerReport): readonly string[] {
  const { statements, differences, hasSchema } = report;
  const ran = statements.map((text) => `  ${text.split("\n").join("\n  ")};`);
  const done = statements.length > 0 ? pc.green("Ran") : hasSchema ? "Nothing was missing." : "It keeps no tables.";
  return [
    `${ledgerLine(report)}  ${statements.length > 0 ? `${done} ${statements.length} statements:` : done}`,
    ...ran,
    ...(differences.length === 0 ? [] : ["", pc.yellow("What is there was left as it is, and differs:")]),
    ...differences.flatMap(differenceLines),
  ];
}
