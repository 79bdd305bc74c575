import { defaults } from "../base/defaults.ts";
import type { Lost } from "./apart.ts";
import type { Answered } from "./importing.ts";
import { failedJob, type JobOptions, type Jobs, oneOf, stoppedCode, withJobs } from "./jobs.ts";
import { type ProgressForm, tellProgress } from "./load-progress.ts";
import { asJson, refuse } from "./print.ts";
import { loadLines, previewLines, reconciliationLines, resultLines, runLines, windowLines } from "./show-load.ts";

/** As the command line is parsed. */
export interface ListLoadsOptions extends JobOptions {
  readonly run?: string;
  readonly limit?: number;
}
export interface RangeOptions extends JobOptions {
  readonly from?: string;
  readonly to?: string;
}
export interface RunLoadOptions extends RangeOptions {
  readonly run?: string;
  readonly progress?: ProgressForm;
}
export interface ReconcileOptions extends RangeOptions {
  readonly list?: number;
}

type Words = readonly (string | undefined)[];

const goesOn = "What was committed stays, and the next call goes on from there.";

/**
 * Each prints, and answers the exit code: 0 done; 1 it differs, is refused, runs elsewhere or was not done; 2 what was given
 * cannot be used; 130 and 143 it was stopped.
 */

export function runListLoads(words: Words, options: ListLoadsOptions): Promise<number> {
  return withJobs("load", words, options, async (jobs) => {
    const { name, ask } = jobs;
    const { run, limit = defaults.cli.runsListed } = options;
    if (run !== undefined) return windowsOf(jobs, run, options);
    if (name === undefined) {
      const answer = await ask({ verb: "loads" });
      if (answer.is !== "loads") return failedJob(answer, options, "");
      if (answer.loads.length === 0) return refuse("The module declares no load.");
      return print(options, { loads: answer.loads }, loadLines(answer.loads), 0);
    }
    const answer = await ask({ verb: "load-runs", name, limit });
    if (answer.is !== "load-runs") return failedJob(answer, options, "");
    const lines = answer.runs.length === 0 ? ["It has not run yet."] : answer.runs.flatMap(runLines);
    return print(options, { load: name, runs: answer.runs }, lines, 0);
  });
}

async function windowsOf(jobs: Jobs, run: string, options: ListLoadsOptions): Promise<number> {
  const load = oneOf("load", jobs);
  if (typeof load === "string") return refuse(load);
  const answer = await jobs.ask({ verb: "load-windows", name: load.name, run });
  if (answer.is !== "load-windows") return failedJob(answer, options, "");
  if (answer.run === null) return refuse(`'${load.name}' has no run '${run}' among its newest.`);
  const told = { load: load.name, run: answer.run, windows: answer.windows };
  return print(options, told, [...runLines(answer.run), ...windowLines(answer.windows)], 0);
}

export function runPreviewLoad(words: Words, options: RangeOptions): Promise<number> {
  return withOne(words, options, async (name, { askAtLength }) => {
    const asked = { verb: "load-preview", name, range: rangeIn(options) } as const;
    const answer = await askAtLength(asked, {});
    if (answer.is !== "load-previewed") return failedJob(answer, options, "Nothing was written.");
    const { preview } = answer;
    return print(options, { load: name, ...preview }, previewLines(name, preview), codeOf(preview, true));
  });
}

export function runLoad(words: Words, options: RunLoadOptions): Promise<number> {
  return withOne(words, options, async (name, { ask, askAtLength }) => {
    // bounded, so that a ledger that does not answer is told of before the run
    const looked = await ask({ verb: "load-runs", name, limit: 1 });
    if (looked.is !== "load-runs") return failedJob(looked, options, "Nothing was run.");
    const progress = tellProgress(name, options.progress ?? "terminal");
    let answer: Answered | Lost;
    try {
      answer = await askAtLength(
        { verb: "load-run", name, range: rangeIn(options), run: options.run },
        {
          progress: progress.tell,
          stopping: "\nStops when the window under way is committed. Once more: at once; that window is rolled back.",
        },
      );
    } finally {
      progress.stop();
    }
    if (answer.is === "stopped") {
      process.stderr.write(`Stopped. ${goesOn} Go on with the same command.\n`);
      return stoppedCode();
    }
    if (answer.is !== "load-ran") return failedJob(answer, options, goesOn);
    const { result } = answer;
    return print(
      options,
      { load: name, ...result },
      resultLines(name, result),
      codeOf(result, result.status === "done"),
    );
  });
}

export function runReconcileLoad(words: Words, options: ReconcileOptions): Promise<number> {
  return withOne(words, options, async (name, { askAtLength }) => {
    const { list = defaults.load.listed } = options;
    const asked = { verb: "load-reconcile", name, range: rangeIn(options), list } as const;
    const answer = await askAtLength(asked, {});
    if (answer.is !== "load-compared") return failedJob(answer, options, "Nothing was written.");
    const { reconciliation: told } = answer;
    const isEqual = told.status === "compared" && told.equal;
    return print(options, { load: name, ...told }, reconciliationLines(name, told), codeOf(told, isEqual));
  });
}

function withOne(
  words: Words,
  options: JobOptions,
  work: (name: string, jobs: Jobs) => Promise<number>,
): Promise<number> {
  return withJobs("load", words, options, async (jobs) => {
    const load = oneOf("load", jobs);
    return typeof load === "string" ? refuse(load) : work(load.name, jobs);
  });
}

function rangeIn({ from, to }: RangeOptions) {
  return { from, to };
}

function codeOf({ status }: { readonly status: string }, isDone: boolean): number {
  return status !== "refused" && isDone ? 0 : 1;
}

function print({ json }: JobOptions, document: object, lines: readonly string[], code: number): number {
  process.stdout.write(json === true ? asJson(document) : `${lines.join("\n")}\n`);
  return code;
}
