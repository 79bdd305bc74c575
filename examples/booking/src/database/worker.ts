import { parentPort, workerData } from "node:worker_threads";
import { openDatabase, type Row, type Statement, type Value } from "./driver.ts";

/**
 * A thread with one connection: what it runs blocks nobody but itself, as a connection to a server does. It sends "ready"
 * when its database is open, and then an answer for each job, in their order.
 */

export interface Job {
  readonly sql: string;
  readonly values: readonly Value[];
  /** The connection is held for at least so long: the wait for disk and network that a server would have. */
  readonly takesMs: number;
}
export type JobAnswer = { readonly rows: readonly Row[] } | { readonly failed: string };

const port = parentPort;
if (port === null) throw new Error("This file is a worker thread of the database pool.");

const database = openDatabase(String((workerData as { readonly path: string }).path));
const prepared = new Map<string, Statement>();
const nobodyWakes = new Int32Array(new SharedArrayBuffer(4));

port.on("message", (message: Job | "close") => {
  if (message === "close") {
    database.close();
    port.close();
    return;
  }
  port.postMessage(answer(message));
});
port.postMessage("ready");

function answer({ sql, values, takesMs }: Job): JobAnswer {
  const from = performance.now();
  try {
    const rows = prepare(sql).all(...values);
    const left = takesMs - (performance.now() - from);
    if (left > 0) Atomics.wait(nobodyWakes, 0, 0, left);
    return { rows };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

function prepare(sql: string): Statement {
  const known = prepared.get(sql);
  if (known !== undefined) return known;
  const statement = database.prepare(sql);
  prepared.set(sql, statement);
  return statement;
}
