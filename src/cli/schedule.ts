import { defaults } from "../base/defaults.ts";
import { withoutEnd } from "../schedule/counters.ts";
import { failedJob, type JobOptions, type Jobs, oneOf, stoppedCode, withJobs } from "./jobs.ts";
import { notSo } from "./operations.ts";
import { asJson, printable, refuse } from "./print.ts";
import { inZone, scheduleLines, tickLines } from "./show-schedule.ts";

/** As the command line is parsed. */
export interface ListSchedulesOptions extends JobOptions {
  readonly limit?: number;
}
export interface NextOptions extends JobOptions {
  readonly count?: number;
}
export interface RunTickOptions extends JobOptions {
  /** Milliseconds since the epoch. */
  readonly at?: number;
}
export interface NoteOptions extends JobOptions {
  readonly who?: string;
  readonly why: string;
}

type Words = readonly (string | undefined)[];

/**
 * Each prints, and answers the exit code: 0 done; 1 it did not run to its end, or another runs it; 2 what was given cannot
 * be used; 130 and 143 it was stopped.
 */

export function runListSchedules(words: Words, options: ListSchedulesOptions): Promise<number> {
  return withJobs("schedule", words, options, async ({ name, ask }) => {
    const answer = await ask(name === undefined ? { verb: "schedules" } : { verb: "schedule", name });
    if (answer.is !== "schedules") return failedJob(answer, options, "");
    if (answer.schedules.length === 0) return refuse("The module declares no schedule.");
    // one that is named is read; of several the last ticks tell how they are
    const { limit = name === undefined ? 1 : defaults.cli.ticksListed } = options;
    return print(
      options,
      { schedules: answer.schedules },
      answer.schedules.flatMap((schedule) => scheduleLines(schedule, limit)),
      0,
    );
  });
}

export function runNext(words: Words, options: NextOptions): Promise<number> {
  return withOne(words, options, async (name, { ask, declared }) => {
    const { count = 1 } = options;
    const answer = await ask({ verb: "schedule-next", name, count });
    if (answer.is !== "schedule-next") return failedJob(answer, options, "");
    const zone = declared.find((one) => one.name === name)?.answers["timeZone"];
    const timeZone = zone === undefined || zone.is === "undecided" ? null : zone.value;
    const lines = answer.next.map((at) => {
      const utc = new Date(at).toISOString().slice(0, 19).replace("T", " ");
      return timeZone === null || timeZone === "UTC" ? `${utc} UTC` : `${inZone(at, timeZone)}  (${utc} UTC)`;
    });
    const told = { schedule: name, timeZone, next: answer.next.map((at) => new Date(at).toISOString()) };
    return print(options, told, lines.length === 0 ? ["It names no further date."] : lines, 0);
  });
}

export function runTick(words: Words, options: RunTickOptions): Promise<number> {
  return withOne(words, options, async (name, { ask, askAtLength }) => {
    const looked = await ask({ verb: "schedule", name });
    if (looked.is !== "schedules") return failedJob(looked, options, "Nothing was run.");
    const timeZone = looked.schedules[0]?.timeZone ?? null;
    const answer = await askAtLength(
      { verb: "schedule-run", name, at: options.at },
      { stopping: "\nBegins nothing further, and ends when what has begun has ended. Once more: at once." },
    );
    switch (answer.is) {
      case "stopped":
        process.stderr.write("Stopped. Whoever runs this tick next goes on from what is recorded.\n");
        return stoppedCode();
      case "schedule-held":
        return print(
          options,
          { schedule: name, is: "held", holder: answer.holder },
          [`${printable(name)} runs a tick at ${printable(answer.holder ?? "another process")}: nothing was run.`],
          1,
        );
      case "schedule-ran": {
        const { tick } = answer;
        const isWhole = tick.counts === null || withoutEnd(tick.counts) === 0;
        const code = tick.is === "ran" && isWhole ? 0 : 1;
        return print(options, { schedule: name, ...tick }, tickLines(tick, timeZone), code);
      }
      default:
        return failedJob(answer, options, "Whoever runs this tick next goes on from what is recorded.");
    }
  });
}

export function runPause(words: Words, options: NoteOptions): Promise<number> {
  return runChange("schedule-pause", words, options);
}
export function runResume(words: Words, options: NoteOptions): Promise<number> {
  return runChange("schedule-resume", words, options);
}

async function runChange(
  verb: "schedule-pause" | "schedule-resume",
  words: Words,
  options: NoteOptions,
): Promise<number> {
  const { who = "", why } = options;
  if (who.trim() === "") return refuse("Nobody knows who decides. Say it: --who NAME.");
  if (why.trim() === "") return refuse("Say why: --why TEXT. It is kept with the schedule.");
  return withOne(words, options, async (name, { ask }) => {
    const answer = await ask({ verb, name, note: { who, why } });
    if (answer.is === "late")
      return notSo("The ledger gave no answer in time. It may have been done all the same: list the schedule.");
    if (answer.is !== "schedule-changed") return failedJob(answer, options, "");
    const { changed, schedule } = answer;
    // it is so, whoever made it so: a script that says it twice goes on
    if (!changed) process.stderr.write(verb === "schedule-pause" ? "It was paused already.\n" : "It was not paused.\n");
    return print(options, { changed, ...schedule }, scheduleLines(schedule, 0), 0);
  });
}

function withOne(
  words: Words,
  options: JobOptions,
  work: (name: string, jobs: Jobs) => Promise<number>,
): Promise<number> {
  return withJobs("schedule", words, options, async (jobs) => {
    const schedule = oneOf("schedule", jobs);
    return typeof schedule === "string" ? refuse(schedule) : work(schedule.name, jobs);
  });
}

function print({ json }: JobOptions, document: object, lines: readonly string[], code: number): number {
  process.stdout.write(json === true ? asJson(document) : `${lines.join("\n")}\n`);
  return code;
}
