import { type ChildProcess, fork } from "node:child_process";

export interface Child<Ready> {
  /** What it sent first: where it listens. */
  readonly ready: Ready;
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  /** Sends a message and waits for the next one that comes. @throws when none comes in time, or the child ends */
  readonly ask: <Answer>(question: object | string) => Promise<Answer>;
  /** Ends it and waits until it has ended; one that does not end by itself is killed. */
  readonly stop: () => Promise<void>;
}

/** A child that needs longer is stuck: what waits for it must not be. */
const readyWithinMs = 20_000;
const answersWithinMs = 20_000;
const stopsWithinMs = 5_000;

const living = new Set<ChildProcess>();

/** Ends every child at once, for an end of this process that cannot wait. */
export function killChildren(): void {
  for (const child of living) child.kill("SIGKILL");
}

/** Starts one of the built programs beside this file and waits for its first message. */
export async function startChild<Ready>(
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Child<Ready>> {
  const child = fork(new URL(`./${program}.mjs`, import.meta.url), [...parameters], {
    env: { ...process.env, ...environment },
    // results go to standard output alone, so a child speaks on standard error
    stdio: ["ignore", 2, 2, "ipc"],
  });
  living.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  void ended.then(() => living.delete(child));

  const nextMessage = <T>(withinMs: number): Promise<T> =>
    new Promise((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) {
        return reject(new Error(`The process '${program}' has ended.`));
      }
      const settled = () => {
        clearTimeout(timer);
        child.off("exit", gone);
        child.off("error", failed);
        child.off("message", came);
      };
      const failed = (error: Error) => {
        settled();
        reject(error);
      };
      const gone = (code: number | null, signal: string | null) =>
        failed(new Error(`The process '${program}' ended with ${signal ?? code} when a message of it was awaited.`));
      const came = (message: unknown) => {
        settled();
        resolve(message as T);
      };
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        failed(new Error(`The process '${program}' said nothing for ${withinMs / 1_000} s.`));
      }, withinMs);
      child.once("exit", gone);
      child.once("error", failed);
      child.once("message", came);
    });

  const ready = await nextMessage<Ready>(readyWithinMs);
  return {
    ready,
    process: child,
    ended,
    ask: (question) => {
      const answer = nextMessage<never>(answersWithinMs);
      // a channel that is closed already is told by the end of the child
      child.send(question, () => undefined);
      return answer;
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
      const stuck = setTimeout(() => child.kill("SIGKILL"), stopsWithinMs);
      await ended;
      clearTimeout(stuck);
    },
  };
}
