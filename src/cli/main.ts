#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import pc from "picocolors";
import { version } from "../../package.json" with { type: "json" };
import { traceFormats } from "../observe/working-set/index.ts";
import { auditCommand } from "./audit-command.ts";
import { type ContractOptions, contractFormats, runContract } from "./contract.ts";
import { type DecisionsOptions, runDecisions } from "./decisions.ts";
import { type DoctorOptions, runDoctor } from "./doctor.ts";
import { inspectCommand, lintCommand } from "./inspect-commands.ts";
import { loadCommand } from "./load-command.ts";
import { messagesCommand } from "./messages-command.ts";
import { type MigrateOptions, runMigrate } from "./migrate.ts";
import { operationsCommand } from "./operations-command.ts";
import { parseAmount, parseBytes, parseCount, parseDuration, parseRate, parseRatio } from "./options.ts";
import { scheduleCommand } from "./schedule-command.ts";
import { runWorkingSet, type WorkingSetOptions } from "./working-set.ts";

/**
 * 0: done; 1: what was given cannot be read, or is empty, or is not as it should be, or was not done, or the answer cannot be
 * written; 2: wrong usage.
 */
const unwritten = 1;
const wrongUsage = 2;

const program = new Command("reprise")
  .description("Makes production backends safe to run again.")
  .version(version)
  .showHelpAfterError("(--help tells what there is)")
  .exitOverride();

program
  .command("working-set")
  .description(
    "Tells from a stream of requests how large a cache ought to be: the miss-ratio curve of least recent use, its knee, the size for a hit rate, and the bill. Keys are never printed.",
  )
  .requiredOption("--trace <file>", "the requests, in their order; - for standard input")
  .addOption(new Option("--format <format>", "of the trace; detected unless given").choices(traceFormats))
  .option("--hit-rate <share>", "the share of reads that memory is to answer: 95% or 0.95", parseRatio)
  .addOption(
    new Option("--now-entries <entries>", "how many entries memory holds now").argParser(parseCount).conflicts("now"),
  )
  .option("--now <size>", "how much memory holds now: 256mb", parseBytes)
  .option("--entry-bytes <bytes>", "what an entry weighs; from the trace, else 1024", parseCount)
  .option("--reads-per-second <reads>", "for the bill; from the trace, else 100", parseRate)
  .option("--price-gb-month <dollars>", "a GB of memory for a month", parseAmount)
  .option("--price-million-misses <dollars>", "a million reads of the source", parseAmount)
  .option("--price-cross-zone-gb <dollars>", "a GB that a miss carries between zones; 0 within one", parseAmount)
  .option("--price-hour <dollars>", "an hour of the person who would change the size", parseAmount)
  .option("--worth-hours <hours>", "hours a month below which a saving is not worth a change; 1", parseAmount)
  .option("--json", "one JSON document")
  .exitOverride()
  .action(async (options: WorkingSetOptions) => {
    process.exitCode = await runWorkingSet(options);
  });

program
  .command("contract")
  .description(
    "Tells what the callers of each operation are promised: whether a retry is safe, for how long, and what each answer means. With --check, which methods of an OpenAPI document promise nothing.",
  )
  .argument("[module]", "exports what createReprise returned; it is imported, and nothing is started")
  .addOption(new Option("--format <format>", "markdown unless given; openapi is YAML").choices(contractFormats))
  .option(
    "--check <document>",
    "OpenAPI 3.0 or 3.1, YAML or JSON; - for standard input. Ends with 1 where it finds any",
  )
  .option("--json", "one JSON document, of --format openapi too")
  .option("--deadline <duration>", "the longest that the module may take; 20s", parseDuration)
  .exitOverride()
  .action(async (module: string | undefined, options: ContractOptions) => {
    process.exitCode = await runContract(module, options);
  });

program
  .command("decisions")
  .description("Tells what a module declares: each question with its answer, its default, or that nobody has decided.")
  .argument("<module>", "exports what createReprise returned; it is imported, and nothing is started")
  .option("--json", "one JSON document")
  .option("--deadline <duration>", "the longest that the module may take; 20s", parseDuration)
  .exitOverride()
  .action(async (module: string, options: DecisionsOptions) => {
    process.exitCode = await runDecisions(module, options);
  });

const exitWith = (code: number) => {
  process.exitCode = code;
};
program.addCommand(operationsCommand(exitWith)).addCommand(auditCommand(exitWith));
program.addCommand(loadCommand(exitWith)).addCommand(scheduleCommand(exitWith));
program.addCommand(messagesCommand(exitWith));
program.addCommand(lintCommand(exitWith)).addCommand(inspectCommand(exitWith));
program
  .command("migrate")
  .description(
    "Creates what is missing of the ledger's tables, columns and indexes, and changes nothing that is there. Ends with 1 where what is there differs, and with 2 where that is of another version or no table of the ledger's: then nothing is done.",
  )
  .argument("<module>", "exports what createReprise returned; it is imported, and nothing is started")
  .option("--print", "the statements that create all of it; connects to nothing")
  .option(
    "--partitions <number>",
    "PostgreSQL: new tables in so many hash partitions; 64 for a billion records",
    parseCount,
  )
  .option("--json", "one JSON document")
  .option("--deadline <duration>", "the longest that the module may take to be imported; 20s", parseDuration)
  .exitOverride()
  .action(async (module: string, options: MigrateOptions) => {
    process.exitCode = await runMigrate(module, options);
  });

program
  .command("doctor")
  .description(
    "Compares the ledger's tables with those that it needs, of Redis the settings, and tells how to mend each difference. Changes nothing. Ends with 1 where it finds any.",
  )
  .argument("<module>", "exports what createReprise returned; it is imported, and nothing is started")
  .option("--json", "one JSON document")
  .option("--deadline <duration>", "the longest that the module may take to be imported; 20s", parseDuration)
  .exitOverride()
  .action(async (module: string, options: DoctorOptions) => {
    process.exitCode = await runDoctor(module, options);
  });

process.stdout.on("error", ({ code }: NodeJS.ErrnoException) => {
  // A reader that has seen enough, such as `head`, is no failure.
  if (code === "EPIPE") process.exit(0);
  process.stderr.write(
    `${pc.red("error:")} The answer cannot be written: ${code ?? "unknown"}. See what standard output is.\n`,
  );
  process.exit(unwritten);
});
// There is nowhere left to tell it; what stands on standard output is whole all the same, and so is the exit code.
process.stderr.on("error", () => {});

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Asked for help is done; help because nothing was asked is wrong usage.
  process.exitCode = error.exitCode === 0 ? 0 : wrongUsage;
}
