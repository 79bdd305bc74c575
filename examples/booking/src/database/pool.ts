import { Worker } from "node:worker_threads";
import type { Row, Value } from "./driver.ts";
import type { Job, JobAnswer } from "./worker.ts";

export interface PoolSettings {
  readonly path: string;
  /** Worker threads, a connection each. */
  readonly connections: number;
  /** Whoever has waited so long for a connection gets an error. */
  readonly waitMs: number;
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
  /** All statements in one transaction. */
  readonly write: (statements: Job["statements"]) => Promise<void>;
  /** Waits for what runs, then ends the threads. */
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
  readonly resolve: (rows: readonly (readonly Row[])[]) => void;
  readonly reject: (error: unknown) => void;
  /** It has its connection: from now on only its end or its signal can come. */
  readonly stopWaiting: () => void;
  readonly settle: () => void;
}

/** As the pool of any database client: first come, first served, and nobody waits for ever. */
export async function openDatabasePool(settings: PoolSettings): Promise<DatabasePool> {
  const waiting = new Set<Waiting>();
  const free: Worker[] = [];
  const running = new Map<Worker, Waiting>();
  let ids = 0;
  let closed = false;

  const workers = Array.from({ length: settings.connections }, () => {
    const worker = new Worker(new URL("./worker.mjs", import.meta.url), { workerData: { path: settings.path } });
    worker.on("message", (answer: JobAnswer) => {
      const done = running.get(worker);
      running.delete(worker);
      free.push(worker);
      next();
      if (done === undefined) return;
      done.settle();
      if ("failed" in answer) done.reject(new Error(answer.failed));
      else done.resolve(answer.rows);
    });
    worker.on("error", (error) => {
      running.get(worker)?.reject(error);
      running.delete(worker);
    });
    return worker;
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once("online", resolve))));
  free.push(...workers);

  function next(): void {
    const [first] = waiting;
    const worker = first === undefined ? undefined : free.pop();
    if (first === undefined || worker === undefined) return;
    waiting.delete(first);
    first.stopWaiting();
    running.set(worker, first);
    worker.postMessage(first.job);
  }

  function submit(statements: Job["statements"], options: QueryOptions): Promise<readonly (readonly Row[])[]> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new Error("The database pool is closed."));
      const { signal } = options;
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
      ids += 1;
      const entry: Waiting = {
        job: { id: ids, statements, takesMs: options.takesMs ?? 0 },
        resolve,
        reject,
        stopWaiting: () => clearTimeout(timer),
        settle: () => signal?.removeEventListener("abort", aborted),
      };
      waiting.add(entry);
      next();
    });
  }

  return {
    query: async (sql, values = [], options = {}) => (await submit([{ sql, values }], options))[0] ?? [],
    write: async (statements) => void (await submit(statements, {})),
    close: async () => {
      closed = true;
      for (const entry of waiting) {
        entry.stopWaiting();
        entry.settle();
        entry.reject(new Error("The database pool is closing."));
      }
      waiting.clear();
      await Promise.all(
        workers.map((worker) => {
          const ended = new Promise((resolve) => worker.once("exit", resolve));
          // queued behind what runs, so that it ends first
          worker.postMessage("close");
          return ended;
        }),
      );
    },
  };
}
