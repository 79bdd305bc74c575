import { Worker } from "node:worker_threads";
import type { Row, Value } from "./driver.ts";
import type { Job, JobAnswer } from "./worker.ts";

export interface PoolSettings {
  readonly path: string;
  /** Worker threads, a connection each. */
  readonly connections: number;
  /** Whoever has waited so long for a connection gets an error. */
  readonly waitMs: number;
  /** What a thread runs; without it, the built worker beside this file. */
  readonly worker?: URL | undefined;
}

export interface QueryOptions {
  /** The connection is held for at least so long. */
  readonly takesMs?: number | undefined;
  /** Rejects with its reason. A statement that runs already goes on, and its connection is busy until it ends. */
  readonly signal?: AbortSignal | undefined;
}

export interface DatabasePool {
  /** @throws DatabaseBusyError when no connection was free in time */
  readonly query: (sql: string, values?: readonly Value[], options?: QueryOptions) => Promise<readonly Row[]>;
  /** Waits some seconds for what runs, then ends the threads. */
  readonly close: () => Promise<void>;
}

export class DatabaseBusyError extends Error {
  readonly statusCode = 503;
  constructor(waitMs: number) {
    super(`No database connection was free for ${Math.round(waitMs)} ms.`);
    this.name = "DatabaseBusyError";
  }
}

interface Waiting {
  readonly job: Job;
  readonly resolve: (rows: readonly Row[]) => void;
  readonly reject: (error: unknown) => void;
  /** It has its connection: from now on only its end or its signal can come. */
  readonly stopWaiting: () => void;
  readonly settle: () => void;
}

/** A thread that has not ended by then is ended, whatever it runs. */
const closesWithinMs = 5_000;

/**
 * As the pool of any database client: first come, first served, and nobody waits for ever. A thread that dies fails the
 * query it was running and is missing from then on.
 *
 * @throws when a thread cannot open the database
 */
export async function openDatabasePool(settings: PoolSettings): Promise<DatabasePool> {
  const script = settings.worker ?? new URL("./worker.mjs", import.meta.url);
  const waiting = new Set<Waiting>();
  const living = new Set<Worker>();
  const free = new Set<Worker>();
  const running = new Map<Worker, Waiting>();
  let closed = false;

  const start = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(script, { workerData: { path: settings.path } });
      let cause: unknown;
      living.add(worker);
      // the first message says that the database is open
      worker.once("message", () => {
        worker.on("message", (answer: JobAnswer) => finish(worker, answer));
        free.add(worker);
        resolve();
      });
      worker.on("error", (error) => {
        cause = error;
      });
      worker.once("exit", () => {
        living.delete(worker);
        free.delete(worker);
        const ended = new Error("A thread of the database pool has ended.", { cause });
        reject(ended);
        const entry = running.get(worker);
        running.delete(worker);
        entry?.settle();
        entry?.reject(ended);
      });
    });

  function finish(worker: Worker, answer: JobAnswer): void {
    const entry = running.get(worker);
    running.delete(worker);
    free.add(worker);
    next();
    entry?.settle();
    if ("failed" in answer) entry?.reject(new Error(answer.failed));
    else entry?.resolve(answer.rows);
  }

  function next(): void {
    const [first] = waiting;
    const [worker] = free;
    if (first === undefined || worker === undefined) return;
    waiting.delete(first);
    free.delete(worker);
    first.stopWaiting();
    running.set(worker, first);
    worker.postMessage(first.job);
  }

  function submit(job: Job, signal: AbortSignal | undefined): Promise<readonly Row[]> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new Error("The database pool is closed."));
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const aborted = () => {
        waiting.delete(entry);
        entry.stopWaiting();
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => {
        waiting.delete(entry);
        entry.settle();
        reject(new DatabaseBusyError(settings.waitMs));
      }, settings.waitMs);
      signal?.addEventListener("abort", aborted, { once: true });
      const entry: Waiting = {
        job,
        resolve,
        reject,
        stopWaiting: () => clearTimeout(timer),
        settle: () => signal?.removeEventListener("abort", aborted),
      };
      waiting.add(entry);
      next();
    });
  }

  async function close(): Promise<void> {
    closed = true;
    for (const entry of waiting) {
      entry.stopWaiting();
      entry.settle();
      entry.reject(new Error("The database pool is closing."));
    }
    waiting.clear();
    const late = setTimeout(() => {
      for (const worker of living) void worker.terminate();
    }, closesWithinMs);
    await Promise.all(
      [...living].map((worker) => {
        const ended = new Promise((resolve) => worker.once("exit", resolve));
        // queued behind what runs, so that it ends first
        worker.postMessage("close");
        return ended;
      }),
    );
    clearTimeout(late);
  }

  try {
    await Promise.all(Array.from({ length: settings.connections }, start));
  } catch (error) {
    await Promise.all([...living].map((worker) => worker.terminate()));
    throw error;
  }
  return {
    query: (sql, values = [], { takesMs = 0, signal } = {}) => submit({ sql, values, takesMs }, signal),
    close,
  };
}
