import { Command, Option } from "commander";
import { addJobWords } from "./job-words.ts";
import {
  type ListLoadsOptions,
  type RangeOptions,
  type ReconcileOptions,
  type RunLoadOptions,
  runListLoads,
  runLoad,
  runPreviewLoad,
  runReconcileLoad,
} from "./load.ts";
import { parseCount } from "./options.ts";

/** `reprise load …`: declared loads, run and looked at from a shell, cron or an orchestrator. */
export function loadCommand(exitWith: (code: number) => void): Command {
  const load = new Command("load")
    .description(
      "Runs declared loads and looks at them. Whoever starts a run, it is the same run: one that did not come to its end goes on where it was, and what is in the table already is not written again. Ends with 0 where it is done, with 1 where the table differs, the load is refused, another runs it or the ledger does not answer, with 2 where what was given cannot be used, with 130 or 143 where it was stopped.",
    )
    .exitOverride();
  const verb = (name: string, description: string): Command =>
    addJobWords(load.command(name).description(description), "load");
  const ranged = (name: string, description: string): Command =>
    verb(name, description)
      .option("--from <bound>", "from this on, of the column that windows are cut by: 2026-01, 2026-01-15, 20000")
      .option("--to <bound>", "before this: 2026-03 ends with February");

  verb("list", "The loads, each with its newest run; of one that is named, its newest runs.")
    .option("--limit <runs>", "at most so many; 20", parseCount)
    .option("--run <run>", "the windows of this run, one by one")
    .action(async (first: string | undefined, second: string | undefined, options: ListLoadsOptions) =>
      exitWith(await runListLoads([first, second], options)),
    );

  ranged("preview", "Tells what a run would change, as things stand. Writes nothing.").action(
    async (first: string | undefined, second: string | undefined, options: RangeOptions) =>
      exitWith(await runPreviewLoad([first, second], options)),
  );

  ranged(
    "run",
    "Runs a load and tells what became of every row. Ctrl-C ends it when the window under way is committed, and the same command goes on; a process that is killed loses one window at most. What is refused is told with the statements that mend it.",
  )
    .option("--run <name>", "as an orchestrator calls this run: once it has ended, nothing of it runs again")
    .addOption(
      new Option("--progress <form>", "on standard error; json: a line for each window").choices([
        "terminal",
        "json",
        "none",
      ]),
    )
    .action(async (first: string | undefined, second: string | undefined, options: RunLoadOptions) =>
      exitWith(await runLoad([first, second], options)),
    );

  ranged("reconcile", "Compares the table with the source and lists the keys that do not agree. Writes nothing.")
    .option("--list <keys>", "at most so many keys; 50", parseCount)
    .action(async (first: string | undefined, second: string | undefined, options: ReconcileOptions) =>
      exitWith(await runReconcileLoad([first, second], options)),
    );

  return load;
}
