import { defaults } from "../../base/defaults.ts";
import { RepriseError } from "../../base/errors.ts";
import type { MaybePromise } from "../../base/promise.ts";
import type { Carried } from "../../operation/carry.ts";
import type { LambdaContext } from "./aws-shapes.ts";
import { runBatch } from "./batch.ts";
import { Invocation } from "./invocation.ts";
import { type MessageOptions, Messages } from "./message.ts";

/** What is common to a batch of a queue and one of a stream. */
export interface LambdaBatchOptions<in out In, in T> extends MessageOptions<In> {
  /** What a record asks for. `undefined`: nothing is to be done for it. */
  readonly input?: ((record: T) => MaybePromise<NoInfer<In> | undefined>) | undefined;
  /** So many records at once. Default 10. */
  readonly atOnce?: number | undefined;
  /** Told of each record that has no outcome why, begun or not, for Lambda tells nobody. Default: `console.error`. */
  readonly failed?: ((error: Error) => void) | undefined;
}

export interface BatchRecord<T> {
  readonly record: T;
  readonly sentAt: number | null;
  /** `null`: its order does not count. */
  readonly lane: string | null;
}

/**
 * Runs batches, and says by their place which records have no outcome in the ledger: those that failed, those behind them in
 * their lane, and those for which too little time was left.
 *
 * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
 */
export function createBatchRunner<In, T>(
  operation: Carried<In, unknown, unknown>,
  options: LambdaBatchOptions<In, T>,
  { where, read }: { readonly where: string; readonly read: (record: T) => unknown },
): (records: readonly BatchRecord<T>[], context: LambdaContext) => Promise<ReadonlySet<number>> {
  const { atOnce = defaults.functions.atOnce, failed = console.error } = options;
  if (!Number.isInteger(atOnce) || atOnce < 1) {
    const why = "'atOnce' is no whole number from 1 on.";
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend: "Give it one, or leave it out." });
  }
  const messages = new Messages(operation as Carried<never, unknown, unknown>, options as MessageOptions<never>, where);
  const readInput: (record: T) => unknown = options.input ?? read;

  const perform = async ({ record, sentAt }: BatchRecord<T>, invocation: Invocation): Promise<boolean> => {
    const [input] = await Promise.allSettled([(async () => readInput(record))()]);
    if (input.status === "fulfilled" && input.value === undefined) return true;
    const given = () => {
      if (input.status === "rejected") throw input.reason;
      return input.value;
    };
    const ending = await messages.perform({ input: given, sentAt }, invocation);
    if (ending.is === "acknowledge") return true;
    tell(failed, ending.error);
    return false;
  };

  return async (records, context) => {
    const invocation = new Invocation(messages.settings, context.getRemainingTimeInMillis());
    const unsettled = await runBatch(records, {
      atOnce,
      laneOf: ({ lane }) => lane,
      perform: (record) => perform(record, invocation),
      leave: () => tell(failed, messages.behind().error),
    });
    await invocation.end();
    return unsettled;
  };
}

function tell(failed: (error: Error) => void, error: Error): void {
  try {
    failed(error);
  } catch {
    // a failing log must not fail the batch
  }
}
