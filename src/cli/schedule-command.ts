import { Command, InvalidArgumentError } from "commander";
import { addJobWords } from "./job-words.ts";
import { parseCount } from "./options.ts";
import {
  type ListSchedulesOptions,
  type NextOptions,
  type NoteOptions,
  type RunTickOptions,
  runListSchedules,
  runNext,
  runPause,
  runResume,
  runTick,
} from "./schedule.ts";
import { user } from "./user.ts";

/** `reprise schedule …`: how declared schedules stand, and what a person does about them. */
export function scheduleCommand(exitWith: (code: number) => void): Command {
  const schedule = new Command("schedule")
    .description(
      "Shows declared schedules, runs a tick by hand, pauses and resumes. No due tick is run besides. Ends with 0 where it is done, with 1 where a tick did not run to its end, another process runs one or the ledger does not answer, with 2 where what was given cannot be used, with 130 or 143 where it was stopped.",
    )
    .exitOverride();
  const verb = (name: string, description: string): Command =>
    addJobWords(schedule.command(name).description(description), "schedule");
  const decision = (name: string, description: string): Command =>
    verb(name, description)
      .requiredOption("--why <text>", "kept, and shown to everybody who looks")
      .option("--who <name>", "kept too; the user of this process unless given", user());

  verb("list", "How the schedules stand: their last ticks, the next one, who paused them and why.")
    .option("--limit <ticks>", "of each, so many; 20 of one that is named, else 1", parseCount)
    .action(async (first: string | undefined, second: string | undefined, options: ListSchedulesOptions) =>
      exitWith(await runListSchedules([first, second], options)),
    );

  verb("next", "The next ticks, in the schedule's time zone and in UTC; asks no store.")
    .option("--count <ticks>", "so many; 1", parseCount)
    .action(async (first: string | undefined, second: string | undefined, options: NextOptions) =>
      exitWith(await runNext([first, second], options)),
    );

  verb(
    "run",
    "Runs a tick here and now, paused or not: the newest, or the one of --at. A tick that has run replays; one that failed, or was stopped, goes on from what is recorded.",
  )
    .option("--at <instant>", "its nominal instant: 2026-11-29T10:15:00Z", parseInstant)
    .action(async (first: string | undefined, second: string | undefined, options: RunTickOptions) =>
      exitWith(await runTick([first, second], options)),
    );

  decision("pause", "From now on no tick starts, in any instance; one that runs is left to its end.").action(
    async (first: string | undefined, second: string | undefined, options: NoteOptions) =>
      exitWith(await runPause([first, second], options)),
  );

  decision("resume", "Ends the pause. What came due meanwhile does not run.").action(
    async (first: string | undefined, second: string | undefined, options: NoteOptions) =>
      exitWith(await runResume([first, second], options)),
  );

  return schedule;
}

/** With its zone: a clock without one names another instant on every machine. */
function parseInstant(text: string): number {
  const at = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError("Write an instant with its zone, such as 2026-11-29T10:15:00Z.");
  return at;
}
