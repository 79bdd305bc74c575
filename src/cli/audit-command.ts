import { Command, InvalidArgumentError, Option } from "commander";
import { type AuditOptions, runAudit } from "./audit.ts";
import { parseDuration } from "./options.ts";

/** `reprise audit …`: what no error reports, looked for afterwards. */
export function auditCommand(exitWith: (code: number) => void): Command {
  return new Command("audit")
    .description(
      "Finds what no error reports: successes that happened twice, under two keys or in two rows. Of a module's operations, through all that its ledger keeps; or of a table of PostgreSQL that knows nothing of reprise. Counts and times are told, never values. Ends with 0 where there is none, with 1 where there is.",
    )
    .argument(
      "[module]",
      "exports what createReprise returned; it is imported, its ledger opened, and nothing else started",
    )
    .requiredOption("--success-twice", "two successes for one intent")
    .option("--operation <name>", "of the module: this operation only")
    .option("--service <name>", "which instance, where the module exports several")
    .option(
      "--postgres <address>",
      "the name of an environment variable that holds the address, or the address: others see that among the processes",
    )
    .option("--table <name>", "of PostgreSQL: a table or a view, as SQL names it")
    .addOption(
      new Option("--same <columns>", "two rows with one intent agree in them: user_id,seat").argParser(parseColumns),
    )
    .option("--at <column>", "when a row was written; created_at unless given")
    .addOption(
      new Option("--key <columns>", "what tells rows apart; the primary key unless given").argParser(parseColumns),
    )
    .option("--within <duration>", "the longest time between two; as declared, else 10m", parseDuration)
    .option("--show-keys", "of a table: tells the keys of the rows of each pair")
    .option("--at-most <pairs>", "ends with 0 for so many: what is known stays, and no more may come", parseWhole)
    .option("--json", "one JSON document")
    .option(
      "--deadline <duration>",
      "the longest that the table, or the module and each page, may take; 5m and 20s",
      parseDuration,
    )
    .exitOverride()
    .action(async (module: string | undefined, options: AuditOptions) => exitWith(await runAudit(module, options)));
}

function parseColumns(text: string): readonly string[] {
  const columns = text.split(",").map((column) => column.trim());
  if (columns.includes("")) throw new InvalidArgumentError("Write columns with commas between them: user_id,seat.");
  return columns;
}

function parseWhole(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError("Write a whole number, such as 0 or 12.");
  return Number(text);
}
