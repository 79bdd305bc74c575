import { Command, Option } from "commander";
import { runStates } from "../admin/rows.ts";
import {
  type AnswerOptions,
  type DecideOptions,
  type ListOptions,
  type OperationsOptions,
  runAnswer,
  runDecide,
  runList,
  runSettle,
  runShow,
  runTwice,
  type SettleOptions,
} from "./operations.ts";
import { parseCount, parseDuration } from "./options.ts";
import { user } from "./user.ts";

const moduleWords = "exports what createReprise returned; it is imported, its ledger opened, and nothing else started";
const valueWords = "JSON; - reads it from standard input, so that no shell remembers it. It is never printed";

/** `reprise operations …`: recorded work, and what a person decides about it. */
export function operationsCommand(exitWith: (code: number) => void): Command {
  const operations = new Command("operations")
    .description(
      "Lists and shows recorded work, and carries out what a person decides about it. Each decision says first what it will do, and is kept with who made it and why. Ends with 0 where it is done, with 1 where it is not.",
    )
    .exitOverride();

  const verb = (name: string, description: string): Command =>
    operations
      .command(name)
      .description(description)
      .argument("<module>", moduleWords)
      .option("--service <name>", "which instance, where the module exports several")
      .option("--json", "one JSON document")
      .option(
        "--deadline <duration>",
        "the longest that the module, and each answer of its ledger, may take; 20s",
        parseDuration,
      )
      .exitOverride();
  const decision = (name: string, description: string): Command =>
    verb(name, description)
      .argument("<id>", "as list tells it")
      .requiredOption("--why <text>", "kept with the work")
      .option("--who <name>", "kept with the work; the user of this process unless given", user())
      .option("--yes", "does not ask; needed where nobody can be asked");

  verb("list", "Recorded work, newest first. The ledger is never counted.")
    .addOption(new Option("--state <state>", "unknown waits for a person").choices(runStates))
    .option("--operation <name>", "of this operation only")
    .option("--limit <runs>", "at most so many; 50", parseCount)
    .action(async (module: string, options: ListOptions) => exitWith(await runList(module, options)));

  verb("twice", "Successes that happened twice, among the newest works of each operation that declares sameIntent.")
    .option("--operation <name>", "of this operation only")
    .option("--limit <pairs>", "at most so many; 50", parseCount)
    .action(async (module: string, options: ListOptions) => exitWith(await runTwice(module, options)));

  verb("show", "What happened to one piece of work, and what may be decided about it.")
    .argument("<id>", "as list tells it")
    .action(async (module: string, id: string, options: OperationsOptions) =>
      exitWith(await runShow(module, id, options)),
    );

  decision("rerun", "Opens parked work again: it goes on from what is recorded.").action(
    async (module: string, id: string, options: DecideOptions) =>
      exitWith(await runDecide(module, id, { does: "rerun" }, options)),
  );

  decision("answer", "Says what became of an effect whose answer was lost.")
    .requiredOption("--effect <name>", "the effect")
    .addOption(new Option("--value <json>", `its answer: ${valueWords}`).conflicts("neverHappened"))
    .option("--never-happened", "it is called by the next attempt")
    .action(async (module: string, id: string, options: AnswerOptions) =>
      exitWith(await runAnswer(module, id, options)),
    );

  decision("settle", "Gives parked work its outcome by hand: nothing is run.")
    .addOption(new Option("--value <json>", `what it would have returned: ${valueWords}`).conflicts("refusal"))
    .option("--refusal <code>", "one that the operation declares")
    .action(async (module: string, id: string, options: SettleOptions) =>
      exitWith(await runSettle(module, id, options)),
    );

  decision("release", "Takes running work from an owner that is known to be gone.").action(
    async (module: string, id: string, options: DecideOptions) =>
      exitWith(await runDecide(module, id, { does: "release" }, options)),
  );

  decision("cancel", "Says that nobody wants background work any more.").action(
    async (module: string, id: string, options: DecideOptions) =>
      exitWith(await runDecide(module, id, { does: "cancel" }, options)),
  );

  return operations;
}
