import { faultyLedger } from "../../../src/testing/index.ts";
import { declareOperations, type Note, type Order } from "./declared.ts";
import { openStore, type StoreSettings } from "./store.ts";

/** One of the processes of these tests: executes what it is told, and stops or dies where it is told. */

export interface WorkerSettings {
  readonly store: StoreSettings;
  readonly gateway: string;
  readonly lease: "2s" | "30s";
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
  readonly execute: { readonly order: Order } | { readonly note: Note };
  readonly halt?: Halt | undefined;
}
/** `shift`: the store's clock stands so far ahead, where no statement can move its instants back. */
export type ToWorker = { readonly task: Task } | { readonly go: number } | { readonly shift: number };

export type FromWorker =
  | { readonly is: "ready" }
  | { readonly is: "halted" | "aborted"; readonly number: number }
  | { readonly is: "told"; readonly number: number; readonly told: Told };

/** An outcome, or the code of the error that `execute` rejected with. */
export type Told =
  | { readonly status: "done"; readonly replayed: boolean; readonly value: unknown }
  | { readonly status: "running" | "unknown" | "mismatch" | "refused" }
  | { readonly status: "rejected"; readonly code: string };

const settings = JSON.parse(process.argv[2] ?? "") as WorkerSettings;
let offsetMs = 0;
const store = openStore(settings.store, { offsetMs: () => offsetMs });
const tell = (message: FromWorker) => process.send?.(message);
const going = new Map<number, () => void>();

const { order, note } = declareOperations(store, store.ledger, settings);
const undisturbed = { order, note };

/** The same operations on a ledger that holds one call up. */
function disturbed(number: number, { at, when, does }: Halt) {
  const reached = async () => {
    if (does === "die") process.kill(process.pid, "SIGKILL");
    tell({ is: "halted", number });
    await new Promise<void>((resolve) => going.set(number, resolve));
  };
  const faulty = faultyLedger(store.ledger);
  if (at !== "body" && at !== "send") {
    const gate = faulty.block(at, { when });
    void gate.reached.then(reached).then(gate.open);
  }
  return declareOperations(store, faulty.ledger, {
    ...settings,
    halt: async (place) => {
      if (place === at) await reached();
    },
    aborted: () => tell({ is: "aborted", number }),
  });
}

async function perform({ number, execute, halt }: Task): Promise<void> {
  const operations = halt === undefined ? undisturbed : disturbed(number, halt);
  const execution =
    "order" in execute ? operations.order.execute(execute.order) : operations.note.execute(execute.note);
  const told = await execution.then(
    (outcome): Told =>
      outcome.status === "done"
        ? { status: "done", replayed: outcome.replayed, value: outcome.value }
        : { status: outcome.status },
    (error: unknown): Told => ({ status: "rejected", code: String((error as { readonly code?: unknown }).code) }),
  );
  tell({ is: "told", number, told });
}

process.on("message", (message: ToWorker) => {
  if ("task" in message) void perform(message.task);
  else if ("go" in message) going.get(message.go)?.();
  else offsetMs = message.shift;
});
// whoever forked it is gone
process.on("disconnect", () => process.exit());
await store.ledger.open();
tell({ is: "ready" });
