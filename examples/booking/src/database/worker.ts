import { parentPort, workerData } from "node:worker_threads";
import { inTransaction, openDatabase, type Row, type Statement, type Value } from "./driver.ts";

/** A thread with one connection: what it runs blocks nobody but itself, as a connection to a server does. */

export interface Job {
  readonly id: number;
  readonly statements: readonly { readonly sql: string; readonly values: readonly Value[] }[];
  /** The connection is held for at least so long: the wait for disk and network that a server would have. */
  readonly takesMs: number;
}
export type JobAnswer =
  | { readonly id: number; readonly rows: readonly (readonly Row[])[] }
  | { readonly id: number; readonly failed: string };

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

function answer(job: Job): JobAnswer {
  const from = performance.now();
  try {
    const all = () => job.statements.map(({ sql, values }) => prepare(sql).all(...values));
    const rows = job.statements.length > 1 ? inTransaction(database, all) : all();
    const left = job.takesMs - (performance.now() - from);
    if (left > 0) Atomics.wait(nobodyWakes, 0, 0, left);
    return { id: job.id, rows };
  } catch (error) {
    return { id: job.id, failed: error instanceof Error ? error.message : String(error) };
  }
}

function prepare(sql: string): Statement {
  const known = prepared.get(sql);
  if (known !== undefined) return known;
  const statement = database.prepare(sql);
  prepared.set(sql, statement);
  return statement;
}
