import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { buildProgram } from "../../support/program.ts";
import type { Execute, Told } from "./declared.ts";
import type { FromWorker, Halt, ToWorker, WorkerSettings } from "./worker.ts";

/** Processes of these tests, as their parent sees them. */

export interface Execution {
  readonly told: Promise<Told>;
  /** It stands where it was told to halt. */
  readonly halted: Promise<void>;
  /** The signal of its run is aborted. */
  readonly aborted: Promise<void>;
  /** Lets it go on from there. */
  readonly go: () => void;
}

export interface Worker {
  readonly execute: (execute: Execute, halt?: Halt) => Execution;
  readonly shift: (ms: number) => void;
  /** It stops itself by SIGSTOP, until it is sent SIGCONT. */
  readonly stop: () => void;
  readonly signal: (name: "SIGKILL" | "SIGCONT") => void;
  /** Resolves with the signal that ended it. */
  readonly ended: Promise<string | null>;
}

export interface Workers {
  readonly start: (settings: WorkerSettings) => Promise<Worker>;
  /** Deletes the program; its processes are whoever started them to end. */
  readonly remove: () => void;
}

/** Builds the worker's program once, so that processes start fast on every version of Node. */
export async function buildWorkers(): Promise<Workers> {
  const program = await buildProgram(join(import.meta.dirname, "worker.ts"));
  return {
    start: async (settings) => {
      const child = fork(program.path, [JSON.stringify(settings)]);
      const ended = once(child, "exit").then(([, signal]) => signal as string | null);
      const worker = workerOf(child, ended);
      await Promise.race([
        worker.ready,
        ended.then((signal) => {
          throw new Error(`a worker ended before it was ready (${signal ?? "by itself"})`);
        }),
      ]);
      return worker;
    },
    remove: program.remove,
  };
}

/** What a worker may say of an execution, each once. */
function latches() {
  let tell: (told: Told) => void = () => {};
  let halt = () => {};
  let abort = () => {};
  const told = new Promise<Told>((resolve) => {
    tell = resolve;
  });
  const halted = new Promise<void>((resolve) => {
    halt = resolve;
  });
  const aborted = new Promise<void>((resolve) => {
    abort = resolve;
  });
  return { told, halted, aborted, tell, halt, abort };
}

function workerOf(child: ChildProcess, ended: Promise<string | null>): Worker & { readonly ready: Promise<void> } {
  const executions = new Map<number, ReturnType<typeof latches>>();
  const send = (message: ToWorker) => void child.send(message);
  let count = 0;
  const ready = new Promise<void>((resolve) => {
    child.on("message", (message: FromWorker) => {
      if (message.is === "ready") return resolve();
      const execution = executions.get(message.number);
      if (message.is === "told") execution?.tell(message.told);
      else if (message.is === "halted") execution?.halt();
      else execution?.abort();
    });
  });
  return {
    ready,
    ended,
    execute: (execute, halt) => {
      count += 1;
      const number = count;
      const { told, halted, aborted, ...latch } = latches();
      executions.set(number, { told, halted, aborted, ...latch });
      send({ task: { number, execute, halt } });
      return { told, halted, aborted, go: () => send({ go: number }) };
    },
    shift: (ms) => send({ shift: ms }),
    stop: () => send("stop"),
    signal: (name) => void child.kill(name),
  };
}
