import { Command, Option } from "commander";
import { dialects } from "../inspect/index.ts";
import { type InspectOptions, runInspectKeys } from "./inspect-keys.ts";
import { type LintSqlOptions, runLintSql } from "./lint-sql.ts";
import { parseDuration } from "./options.ts";

/** `reprise lint sql …`: what is not safe to run again, in files. */
export function lintCommand(exitWith: (code: number) => void): Command {
  const lint = new Command("lint").description("Finds in files what is not safe to run again.").exitOverride();
  lint
    .command("sql")
    .description(
      "Finds check-then-insert, INSERT IGNORE, REPLACE, MERGE without its guard, delete-and-insert and findOrCreate in SQL (PostgreSQL with its bodies, MySQL, SQLite, T-SQL) and in TypeScript and JavaScript: where, why, and the statement to write instead. A comment on the line or above it accepts one: reprise: sound, <reason>. Ends with 0 where there is none, with 1 where there is.",
    )
    .argument("<files...>", "files and folders; - for standard input, as SQL")
    .addOption(new Option("--dialect <dialect>", "of all of it; guessed for each file unless given").choices(dialects))
    .option("--json", "one JSON document")
    .exitOverride()
    .action(async (files: readonly string[], options: LintSqlOptions) => exitWith(await runLintSql(files, options)));
  return lint;
}

/** `reprise inspect … --keys`: what a database that knows nothing of reprise says of itself. */
export function inspectCommand(exitWith: (code: number) => void): Command {
  return new Command("inspect")
    .description(
      "Lists the tables of a database that lack a natural key, and the duplicates that are there already, with the statements that mend them; of PostgreSQL also functions whose bodies are not safe to run twice. Only reads, in bounded time; counts and names are told, never values. Ends with 0 where there is none, with 1 where there is.",
    )
    .argument(
      "<database>",
      "postgres://…, mysql://…, sqlite:file or file.db, or the name of an environment variable that holds it: others see an address among the processes",
    )
    .requiredOption("--keys", "natural keys and duplicates")
    .option("--json", "one JSON document")
    .option("--deadline <duration>", "the longest that all of it may take; 30s", parseDuration)
    .exitOverride()
    .action(async (database: string, options: InspectOptions) => exitWith(await runInspectKeys(database, options)));
}
