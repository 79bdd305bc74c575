import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * What is measured runs in processes of its own: what one contender does to the engine's guesses, to the heap or to the
 * process's life must not touch another.
 */
export interface Child {
  /** One question at a time. Rejects with `ChildEnded` when the child ends, or is ended as late, before it has answered. */
  readonly ask: (question: unknown, options?: { readonly withinMs?: number }) => Promise<unknown>;
  readonly end: () => Promise<void>;
}

export class ChildEnded extends Error {
  readonly lastWords: string;

  constructor(task: string, lastWords: string) {
    super(`${task} ended before it had answered: ${lastWords}`);
    this.lastWords = lastWords;
  }
}

/** Begins a task of `child.ts`; resolves when it is ready for questions. */
export async function openChild(task: string, input: readonly string[], flags: readonly string[] = []): Promise<Child> {
  const path = fileURLToPath(new URL("./child.mjs", import.meta.url));
  const child = fork(path, [task, ...input], {
    execArgv: [...flags],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // as it is deployed: no freezing of values, no search for secrets
    env: { ...process.env, NODE_ENV: "production" },
  });
  let said = "";
  child.stderr?.on("data", (part: Buffer) => {
    said = (said + part.toString()).slice(-4_000);
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));

  const answer = (withinMs: number): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => child.kill("SIGKILL"), withinMs);
      const onMessage = (message: unknown) => {
        clearTimeout(late);
        const { answer, failed } = message as { readonly answer?: unknown; readonly failed?: string };
        if (failed === undefined) resolve(answer);
        else reject(new Error(failed));
      };
      child.once("message", onMessage);
      void closed.then(() => {
        clearTimeout(late);
        child.off("message", onMessage);
        reject(new ChildEnded(task, said));
      });
    });

  await answer(60_000);
  return {
    ask: (question, { withinMs = 600_000 } = {}) => {
      const answered = answer(withinMs);
      if (child.connected) child.send({ question }, () => {});
      return answered;
    },
    end: async () => {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

/** Asks one question and ends the child. */
export async function askChild(
  task: string,
  input: readonly string[],
  options: { readonly flags?: readonly string[]; readonly withinMs?: number } = {},
): Promise<unknown> {
  const child = await openChild(task, input, options.flags);
  try {
    return await child.ask({}, options);
  } finally {
    await child.end();
  }
}
