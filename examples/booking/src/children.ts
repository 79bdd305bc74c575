import { type ChildProcess, fork } from "node:child_process";

export interface Child<Ready> {
  /** What it sent first: where it listens. */
  readonly ready: Ready;
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  /** Ends it and waits until it has ended. */
  readonly stop: () => Promise<void>;
}

/** Starts one of the built programs beside this file and waits for its first message. */
export function startChild<Ready>(
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Child<Ready>> {
  const child = fork(new URL(`./${program}.mjs`, import.meta.url), [...parameters], {
    env: { ...process.env, ...environment },
    // results go to standard output alone, so a child speaks on standard error
    stdio: ["ignore", 2, 2, "ipc"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return new Promise((resolve, reject) => {
    const failed = (code: number | null) => reject(new Error(`${program} ended with ${code} before it was ready`));
    child.once("exit", failed);
    child.once("error", reject);
    child.once("message", (ready) => {
      child.off("exit", failed);
      resolve({
        ready: ready as Ready,
        process: child,
        ended,
        stop: async () => {
          if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
          await ended;
        },
      });
    });
  });
}
