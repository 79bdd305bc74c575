import { defaults } from "../base/defaults.ts";
import type { LoadProgress } from "../load/surface.ts";
import { printable } from "./print.ts";
import { count, inWords } from "./show-pairs.ts";

/** `terminal`: one line that is written over, or a line now and then where nobody looks; `json`: one line for each window. */
export type ProgressForm = "terminal" | "json" | "none";

/** Tells on standard error how far a run has come. */
export interface ProgressTold {
  readonly tell: (progress: LoadProgress) => void;
  /** Leaves the line free for what is written next. */
  readonly stop: () => void;
}

const barWidth = 24;

export function tellProgress(name: string, form: ProgressForm): ProgressTold {
  const { stderr } = process;
  if (form === "none") return { tell: () => {}, stop: () => {} };
  const since = performance.now();
  if (form === "json") {
    return {
      tell: (progress) => {
        const elapsedMs = Math.round(performance.now() - since);
        stderr.write(`${JSON.stringify({ load: name, ...progress, elapsedMs })}\n`);
      },
      stop: () => {},
    };
  }
  const isTerminal = stderr.isTTY === true;
  const { drawEveryMs, tellEveryMs } = defaults.cli.progress;
  const pace = new Pace(since);
  let written = false;
  const line = () => `${printable(name)}  ${pace.words(performance.now())}`;
  const draw = () => {
    // one that wraps would not be written over
    stderr.write(isTerminal ? `\r\u001b[2K${line().slice(0, stderr.columns - 1)}` : `${line()}\n`);
    written = isTerminal;
  };
  const timer = setInterval(draw, isTerminal ? drawEveryMs : tellEveryMs).unref();
  return {
    tell: (progress) => pace.tell(progress, performance.now()),
    stop: () => {
      clearInterval(timer);
      if (written) stderr.write("\r\u001b[2K");
    },
  };
}

/** How fast a run goes, by the windows of this call alone. */
export class Pace {
  readonly #since: number;
  #now: LoadProgress | undefined;
  /** After the first window of this call: rows of earlier calls are told with it. */
  #first: { readonly at: number; readonly read: number } | undefined;
  #last = 0;

  constructor(since: number) {
    this.#since = since;
  }

  tell(progress: LoadProgress, at: number): void {
    this.#first ??= { at, read: progress.counts.read };
    this.#now = progress;
    this.#last = at;
  }

  words(at: number): string {
    const now = this.#now;
    const elapsed = inWords(at - this.#since);
    if (now === undefined) return `looks at the source and the table before it writes, ${elapsed}`;
    const { done, skipped, of, counts } = now;
    const all = done + skipped;
    const filled = Math.round((all / of) * barWidth);
    return [
      `${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`,
      `${all} of ${count(of, "window")}${skipped === 0 ? "" : `, ${skipped} of them done before`}`,
      `${counts.read.toLocaleString("en-US")} rows`,
      ...this.#rate(now),
      ...this.#remaining(now),
    ].join("  ");
  }

  #rate({ counts }: LoadProgress): readonly string[] {
    const first = this.#first;
    if (first === undefined || this.#last <= first.at) return [];
    const perSecond = (counts.read - first.read) / ((this.#last - first.at) / 1_000);
    return [`${Math.round(perSecond).toLocaleString("en-US")}/s`];
  }

  #remaining({ done, skipped, of }: LoadProgress): readonly string[] {
    const left = of - done - skipped;
    if (left === 0 || done === 0) return [];
    return [`about ${inWords(((this.#last - this.#since) / done) * left)} left`];
  }
}
