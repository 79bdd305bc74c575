import { faultyLedger } from "../../../src/testing/index.ts";
import { type DeclaredOptions, declareOperations, type Execute, type Told } from "./declared.ts";
import { openStore, type StoreSettings } from "./store.ts";

/** One of the processes of these tests: executes what it is told, and stops or dies where it is told. */

export interface WorkerSettings {
  readonly store: StoreSettings;
  readonly gateway: string;
  readonly lease: "3s" | "30s";
}

/** Where an execution stops. `body`: in its transaction, after its writes; `send`: before its effect is sent. */
export interface Halt {
  readonly at: "claim" | "start" | "pin" | "renew" | "transact" | "atomic" | "complete" | "release" | "body" | "send";
  readonly when: "before" | "after";
  /** `die`: by SIGKILL, there and then. `wait`: says that it is there, and goes on when told to. */
  readonly does: "die" | "wait";
}

export interface Task {
  /** Tells executions apart. */
  readonly number: number;
  readonly execute: Execute;
  readonly halt?: Halt | undefined;
}
/** `shift`: the store's clock stands so far ahead, where no statement can move its instants back. */
export type ToWorker =
  | { readonly task: Task }
  | { readonly go: number }
  | { readonly shift: number }
  /** By SIGSTOP, between two turns of its loop: stopped in the middle of a commit, it would hold the file of SQLite. */
  | "stop";

export type FromWorker =
  | { readonly is: "ready" }
  | { readonly is: "halted" | "aborted"; readonly number: number }
  | { readonly is: "told"; readonly number: number; readonly told: Told };

const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
let offsetMs = 0;
const store = await openStore(settings.store, { offsetMs: () => offsetMs });
const tell = (message: FromWorker) => process.send?.(message);
const going = new Map<number, () => void>();

/** The newest task for each identity: what runs knows its own identity only. */
const tasks = new Map<string, Task>();

async function reach({ number, halt }: Task): Promise<void> {
  if (halt?.does === "die") process.kill(process.pid, "SIGKILL");
  tell({ is: "halted", number });
  await new Promise<void>((resolve) => going.set(number, resolve));
}
const options: DeclaredOptions = {
  ...settings,
  halt: async (at, id) => {
    const task = tasks.get(id);
    if (task?.halt?.at === at) await reach(task);
    // a claim is given back where the run failed
    if (task?.halt?.at === "release" && at === "charged") throw new Error("fails");
  },
  aborted: (id) => {
    const task = tasks.get(id);
    if (task !== undefined) tell({ is: "aborted", number: task.number });
  },
};
const operations = declareOperations(store, store.ledger, options);

/** The same operations on a ledger that holds up the call where the task halts. */
function disturbed(task: Task) {
  if (task.halt === undefined) return operations;
  const { at, when } = task.halt;
  if (at === "body" || at === "send") return operations;
  const faulty = faultyLedger(store.ledger);
  const gate = faulty.block(at, { when });
  void gate.reached.then(() => reach(task)).then(gate.open);
  return declareOperations(store, faulty.ledger, options);
}

async function perform(task: Task): Promise<void> {
  const { number, execute } = task;
  tasks.set("order" in execute ? execute.order.id : execute.note.id, task);
  const told = await disturbed(task).execute(execute);
  tell({ is: "told", number, told });
}

process.on("message", (message: ToWorker) => {
  if (message === "stop") process.kill(process.pid, "SIGSTOP");
  else if ("task" in message) void perform(message.task);
  else if ("go" in message) going.get(message.go)?.();
  else offsetMs = message.shift;
});
// whoever forked it is gone
process.on("disconnect", () => process.exit());
await store.ledger.open();
tell({ is: "ready" });
