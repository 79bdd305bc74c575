import type { Command } from "commander";
import { parseDuration } from "./options.ts";

/** How a load or a schedule is named: by its module and its name, or by its name alone. */
export function addJobWords(command: Command, kind: "load" | "schedule"): Command {
  return addModuleWords(command).argument("[name]", `of the ${kind}; needed where the module declares several`);
}

/** How a module is named, and how it is asked. */
export function addModuleWords(command: Command): Command {
  return command
    .argument(
      "[module]",
      "exports what createReprise returned; it is imported, its ledger opened, and nothing else started. Left out: --module, REPRISE_MODULE, or reprise.module in package.json",
    )
    .option("--module <file>", "the module, where only the name is given")
    .option("--service <name>", "which instance, where the module exports several")
    .option("--json", "one JSON document")
    .option(
      "--deadline <duration>",
      "the longest that the module, and each look into its ledger, may take; 20s",
      parseDuration,
    )
    .exitOverride();
}
