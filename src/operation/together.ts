import { isRepriseError } from "../base/errors.ts";
import type { Ledger, Piece } from "../contract/ledger.ts";
import { batchingOf } from "./batching.ts";
import { pieceOf, runOf, type Settled, toldOf } from "./database.ts";
import { telling } from "./doubt.ts";
import type { Execution } from "./execution.ts";
import { type Told, tellSettled } from "./told.ts";

/** Of those that were executed together. One that is not there was not, and nothing of it happened. */
export interface Answers<Request> {
  readonly told: ReadonlyMap<Request, () => Promise<Told>>;
  /** Their transaction did not fall apart. */
  readonly isWhole: boolean;
}

/** A ledger that is away would be waited for by each of them: they are all told so. What else goes wrong may be one's alone. */
export async function answersOf<Request>(
  requests: readonly Request[],
  together: () => Promise<readonly Told[]>,
): Promise<Answers<Request>> {
  const told = new Map<Request, () => Promise<Told>>();
  try {
    for (const [place, one] of (await together()).entries()) {
      const request = requests[place];
      if (request !== undefined) told.set(request, async () => one);
    }
    return { told, isWhole: true };
  } catch (error) {
    if (isRepriseError(error, "REPRISE_LEDGER_AWAY") || isRepriseError(error, "REPRISE_LEDGER_BUSY")) {
      const rejecting = () => Promise.reject(error);
      for (const request of requests) told.set(request, rejecting);
    }
    return { told, isWhole: false };
  }
}

/**
 * Several pieces of database work in one transaction: all of it happened, or nothing. None has a name of another's. What one
 * throws is thrown, a refusal too. `begun` is called where the work begins.
 */
export async function executeTogether(
  ledger: Ledger<unknown>,
  executions: readonly Execution[],
  begun: () => void,
): Promise<readonly Told[]> {
  const committed = ({ host, settings, work }: Execution) => host.committed(settings.name, work.input);
  const pieces = executions.map((execution): Piece<unknown, Settled> => {
    const { request, run, finish } = pieceOf(execution, execution.host.closing);
    return {
      request,
      finish,
      run: (tx) => {
        begun();
        return run(tx);
      },
    };
  });
  const results = await telling(
    () => executions.forEach(committed),
    () => batchingOf(ledger).atomic(pieces),
  );
  return results.map((result, place) => {
    const execution = executions[place] as Execution;
    const answer = toldOf(execution, result);
    if (result.is === "ran") committed(execution);
    return answer;
  });
}

/** The same for work that converges. */
export async function executeConvergingTogether(
  { ledger, host, settings }: Pick<Execution, "host" | "settings" | "ledger">,
  inputs: readonly unknown[],
): Promise<readonly Told[]> {
  const committed = () => {
    for (const input of inputs) host.committed(settings.name, input);
  };
  const runs = inputs.map((input) => runOf({ settings }, input, host.closing));
  const values = await telling(committed, () => batchingOf(ledger).transaction(runs));
  committed();
  const at = host.clock().now();
  return values.map((value) => tellSettled({ status: "done", value }, { replayed: false, at }, null));
}
