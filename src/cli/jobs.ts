import { constants } from "node:os";
import { defaults } from "../base/defaults.ts";
import type { Decided } from "../decisions/decided.ts";
import type { LoadProgress } from "../load/surface.ts";
import { type Lost, withModule } from "./apart.ts";
import type { Answered } from "./importing.ts";
import type { AskedOfJobs } from "./importing-jobs.ts";
import { namedIn } from "./module-of.ts";
import { failed, notSo, placeOf } from "./operations.ts";
import { refuse } from "./print.ts";

/** What the commands of loads, of schedules and of messages have in common. */
export interface JobOptions {
  readonly module?: string;
  readonly service?: string;
  readonly json?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
}

/** The module's instance, and what it declares of a kind. */
export interface Jobs {
  readonly declared: readonly Decided[];
  /** As it was asked for; `undefined`: no name was given. */
  readonly name: string | undefined;
  /** Bounded by the deadline: what only looks. */
  readonly ask: (asked: AskedOfJobs) => Promise<Answered | Lost>;
  /** Takes as long as it takes; whoever stops this process is told on standard error what that does. */
  readonly askAtLength: (asked: AskedOfJobs, telling: Telling) => Promise<Answered | Lost>;
}

export interface Telling {
  readonly progress?: (progress: LoadProgress) => void;
  /** What the first signal does, as it is said then. Left out: this process ends, for nothing is lost. */
  readonly stopping?: string;
}

type Kind = "load" | "schedule" | "consumer";

export async function withJobs(
  kind: Kind,
  words: readonly (string | undefined)[],
  options: JobOptions,
  work: (jobs: Jobs) => Promise<number>,
): Promise<number> {
  const named = namedIn(words, options.module);
  if (typeof named === "string") return refuse(named);
  const { module, name } = named;
  const code = await withModule(
    module,
    options.deadline ?? defaults.cli.importMs,
    async (apart): Promise<number | string> => {
      const place = placeOf(apart, options.service);
      if (typeof place === "string") return place;
      const declared = apart.services[place]?.decisions.filter((one) => one.kind === kind) ?? [];
      const known = declared.map((one) => one.name);
      if (name !== undefined && !known.includes(name)) {
        return known.length === 0
          ? `'${module}' declares no ${kind}.`
          : `'${module}' declares no ${kind} '${name}'. There is: ${known.join(", ")}.`;
      }
      const askAtLength: Jobs["askAtLength"] = async (asked, { progress, stopping }) => {
        const ignore = onSignal(() => {
          if (stopping === undefined) process.exit(stoppedCode());
          process.stderr.write(`${stopping}\n`);
          apart.stop({ verb: "stop", place });
        });
        try {
          return await apart.ask({ ...asked, place }, Infinity, progress);
        } finally {
          ignore();
        }
      };
      const done = await work({ declared, name, ask: (asked) => apart.ask({ ...asked, place }), askAtLength });
      await apart.ask({ verb: "close", place });
      return done;
    },
    { outlivesSignals: true },
  );
  return typeof code === "string" ? refuse(code) : code;
}

/** The one that is meant, or a sentence that says that nobody knows. */
export function oneOf(kind: Kind, { declared, name }: Jobs): Decided | string {
  const found = declared.filter((one) => name === undefined || one.name === name);
  const [only, another] = found;
  if (only === undefined) return `The module declares no ${kind}.`;
  if (another === undefined) return only;
  return `The module declares several: ${declared.map((one) => one.name).join(", ")}. Say which ${kind} is meant.`;
}

let stoppedBy: NodeJS.Signals | undefined;

/** The exit code of a process that was stopped, as shells know it. */
export function stoppedCode(): number {
  return 128 + constants.signals[stoppedBy ?? "SIGINT"];
}

/** The first one is handled, the second ends this process, and with it the module's. */
function onSignal(first: () => void): () => void {
  const handle = (signal: NodeJS.Signals) => {
    if (stoppedBy !== undefined) process.exit(stoppedCode());
    stoppedBy = signal;
    first();
  };
  process.on("SIGINT", handle).on("SIGTERM", handle);
  return () => process.off("SIGINT", handle).off("SIGTERM", handle);
}

/** What went wrong, with its exit code: 2 where what was given is no such thing, else 1. */
export function failedJob(answer: Answered | Lost, options: JobOptions, ended: string): number {
  if (answer.is === "refused" && answer.code === "REPRISE_INPUT_INVALID") return refuse(answer.why);
  if (answer.is === "refused" && answer.code === "REPRISE_NO_SUCH_TICK") return refuse(answer.why);
  if (answer.is === "ended") return notSo(`The module ended its process (${answer.how}). ${ended}`);
  return failed(answer, options);
}
