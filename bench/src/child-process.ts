import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * What is measured runs in processes of its own: what one contender does to the engine's guesses, to the heap or to the
 * process's life must not touch another.
 */
export interface Child {
  /** One question at a time. Rejects when the child ends before it has answered. */
  readonly ask: (question: unknown) => Promise<unknown>;
  readonly end: () => Promise<void>;
}

export interface ChildOptions {
  readonly flags?: readonly string[];
  /** Ends the child; then whoever waits for an answer is rejected. */
  readonly withinMs?: number;
}

/** Begins a task of `child.ts`; resolves when it is ready for questions. */
export async function openChild(task: string, input: readonly string[], options: ChildOptions = {}): Promise<Child> {
  const path = fileURLToPath(new URL("./child.mjs", import.meta.url));
  const child = fork(path, [task, ...input], {
    execArgv: [...(options.flags ?? [])],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let said = "";
  child.stderr?.on("data", (part: Buffer) => {
    said = (said + part.toString()).slice(-2_000);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), options.withinMs ?? 600_000);
  timer.unref();
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const answer = () => answerOf(child, () => `${task} ${input.join(" ")} ended early: ${said}`);
  try {
    await answer();
  } catch (error) {
    clearTimeout(timer);
    throw error;
  }
  return {
    ask: (question) => {
      const answered = answer();
      if (child.connected) child.send({ question }, () => {});
      return answered;
    },
    end: async () => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** Asks one question and ends the child. */
export async function askChild(task: string, input: readonly string[], options: ChildOptions = {}): Promise<unknown> {
  const child = await openChild(task, input, options);
  try {
    return await child.ask({});
  } finally {
    await child.end();
  }
}

function answerOf(child: ChildProcess, ended: () => string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = () => {
      child.off("message", onMessage);
      child.off("close", onClose);
    };
    const onMessage = (message: unknown) => {
      settle();
      resolve((message as { readonly answer: unknown }).answer);
    };
    const onClose = () => {
      settle();
      reject(new Error(ended()));
    };
    if (child.exitCode !== null || child.signalCode !== null) return reject(new Error(ended()));
    child.once("message", onMessage);
    child.once("close", onClose);
  });
}
