import { Abortable } from "../base/abortable.ts";
import { RepriseError } from "../base/errors.ts";
import type { Atomic, Finished, Piece } from "../contract/ledger.ts";
import { telling } from "./doubt.ts";
import type { Execution } from "./execution.ts";
import { Refusal } from "./outcome.ts";
import { encodeOutcome, type Settlement } from "./record.ts";
import { callRun, createRefuse, settle } from "./refusing.ts";
import { type Told, tellSettled, told } from "./told.ts";

/** How the ledger is asked to run one piece of work: in a transaction of its own, or in the caller's. */
type Transact = (work: (tx: unknown) => Promise<Finished<Settled>>) => Promise<Atomic<Settled>>;

/** How work ended, before it is told. */
export interface Settled {
  readonly settlement: Settlement;
  readonly rendered: string | null;
}

/**
 * `effects: "database"`: claim, work and outcome in one transaction: all of it happened, or nothing. `begun` is called where
 * the work begins.
 */
export async function executeDatabase(execution: Execution, begun: () => void): Promise<Told> {
  const { ledger, work, host, settings } = execution;
  const committed = () => host.committed(settings.name, work.input);
  const transact: Transact = (run) =>
    ledger.atomic(work, (tx) => {
      begun();
      return run(tx);
    });
  const answer = await whileItMay(execution, (ending) =>
    telling(committed, () => transactOrRefuse(execution, transact, ending)),
  );
  if (answer.outcome.status === "done" && !answer.outcome.replayed) committed();
  return answer;
}

/** The same in a transaction that the caller holds. What it changes is the caller's to tell, after its commit. */
export function executeJoined(execution: Execution, tx: unknown): Promise<Told> {
  const { ledger, work, host } = execution;
  return transactOrRefuse(execution, (run) => ledger.join(tx, work, run), host.closing);
}

/** `ifRunsAgain: "converges"`: no record; the work itself is such that it may simply run again. */
export async function executeConverging(
  execution: Pick<Execution, "host" | "settings" | "ledger" | "render">,
  input: unknown,
): Promise<Told> {
  const { ledger, host, settings } = execution;
  const run = runOf(execution, input, host.closing);
  const committed = () => host.committed(settings.name, input);
  const settlement = await settle(() => telling(committed, () => ledger.transaction(run)));
  if (settlement.status === "done") committed();
  return tellSettled(settlement, { replayed: false, at: host.clock().now() }, execution.render(settlement));
}

/** `ending` is aborted when the instance closes, or when the platform ends its caller: a transaction must not outlive it idle. */
async function whileItMay<T>(execution: Execution, work: (ending: Abortable) => Promise<T>): Promise<T> {
  const { host, settings, endsAt } = execution;
  if (endsAt === null) return work(host.closing);
  const clock = host.clock();
  const ending = new Abortable();
  const ignoreClosing = host.closing.onAbort((reason) => ending.abort(reason));
  const over = () => ending.abort(new RepriseError("REPRISE_LEASE_LOST", { operation: settings.name }));
  const cancel = clock.timer(Math.max(0, endsAt - clock.monotonic()), over);
  try {
    return await work(ending);
  } finally {
    cancel();
    ignoreClosing();
  }
}

async function transactOrRefuse(execution: Execution, transact: Transact, ending: Abortable): Promise<Told> {
  const { run, finish } = pieceOf(execution, ending);
  let result: Atomic<Settled>;
  try {
    result = await transact(async (tx) => finish(await run(tx)));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    // what the run wrote is rolled back; the refusal is stored in a claim of its own, and whoever finished meanwhile wins
    const { code, detail } = error;
    result = await transact(async () => finishOf(execution, { status: "refused", code, detail }));
  }
  return toldOf(execution, result);
}

/** What the ledger is handed of it. */
export function pieceOf(execution: Execution, ending: Abortable): Piece<unknown, Settled> {
  const { work } = execution;
  const finish = (value: unknown) => finishOf(execution, { status: "done", value });
  return { request: work, run: runOf(execution, work.input, ending), finish };
}

function finishOf({ settings, render }: Execution, settlement: Settlement): Finished<Settled> {
  const rendered = render(settlement);
  return {
    value: { settlement, rendered },
    outcome: encodeOutcome(settings, settlement, rendered),
    refused: settlement.status === "refused",
  };
}

export function toldOf({ host, settings }: Execution, result: Atomic<Settled>): Told {
  if (result.is !== "ran") return told(result, { now: host.clock().now(), leaseMs: settings.leaseMs });
  const { settlement, rendered } = result.value;
  return tellSettled(settlement, { replayed: false, at: result.at }, rendered);
}

export function runOf(
  { settings }: Pick<Execution, "settings">,
  input: unknown,
  ending: Abortable,
): (tx: unknown) => Promise<unknown> {
  const run = settings.declaration.run as (run: unknown) => Promise<unknown>;
  return (tx) => callRun(() => run({ input, tx, signal: ending.signal, refuse: createRefuse(settings) }));
}
