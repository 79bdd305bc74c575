import pc from "picocolors";
import { defaults } from "../base/defaults.ts";
import type { SchemaDifference } from "../contract/ledger-schema.ts";
import type { LedgerReport } from "./importing.ts";
import { asJson, printable, refuse } from "./print.ts";
import { askTables } from "./tables.ts";

/** As the command line is parsed. */
export interface DoctorOptions {
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** Prints, and answers the exit code: 0 sound; 1 it differs; 2 what was given cannot be used. */
export async function runDoctor(module: string, { json, deadline }: DoctorOptions): Promise<number> {
  const deadlines = { importMs: deadline, answerMs: defaults.cli.compareMs };
  const ledgers = await askTables(module, { verb: "compare" }, deadlines);
  if (typeof ledgers === "string") return refuse(ledgers);
  const sound = ledgers.every(({ differences }) => differences.length === 0);
  if (json === true) {
    const told = ledgers.map(({ ledger, services, differences }) => ({ ledger, services, differences }));
    process.stdout.write(asJson({ sound, ledgers: told }));
  } else process.stdout.write(`${ledgers.flatMap(linesOf).join("\n")}\n`);
  return sound ? 0 : 1;
}

function linesOf(report: LedgerReport): readonly string[] {
  const { differences, hasSchema } = report;
  const told = !hasSchema
    ? "It keeps no tables, and has no settings."
    : differences.length === 0
      ? pc.green("Sound.")
      : pc.yellow(`It differs in ${differences.length}:`);
  return [`${ledgerLine(report)}  ${told}`, ...differences.flatMap(differenceLines)];
}

export function ledgerLine({ ledger, services }: LedgerReport): string {
  return `${pc.bold(services.map(printable).join(", "))}  ledger ${ledger}`;
}

export function differenceLines({ what, mend }: SchemaDifference): readonly string[] {
  return ["", `  ${printable(what)}`, ...mend.map((text) => pc.dim(`    ${text.split("\n").join("\n    ")};`))];
}
