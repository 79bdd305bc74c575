import { RepriseError } from "../base/errors.ts";
import { Refusal } from "./outcome.ts";
import type { Settlement } from "./record.ts";
import type { Settings } from "./settings.ts";

/** The `refuse` that a run receives: it makes what `throw` throws. */
export function createRefuse(settings: Settings): (code: string, detail?: unknown) => Refusal {
  return (code, detail) => {
    if (!Object.hasOwn(settings.refusals, code)) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `operation '${settings.name}'`,
        why: `it refused with '${code}', which it does not declare.`,
        mend: "Transports know only declared refusals: add it to 'refusals'.",
      });
    }
    return new Refusal(code, detail);
  };
}

const thrownByRuns = new WeakSet<object>();

/**
 * Whether an error came out of a `run`: then it is a failure of this operation, whatever it means where it was made. A
 * transport that told another operation's mismatch as this one's would make a client give up what it may repeat.
 */
export function isThrownByRun(error: unknown): boolean {
  return typeof error === "object" && error !== null && thrownByRuns.has(error);
}

/**
 * Calls a `run` and remembers what it throws. A run that throws before it returns a promise is one that rejects. What it
 * returns is handed on as it is: a ledger knows by it that the run's one statement is all.
 */
export function callRun(run: () => Promise<unknown>): Promise<unknown> {
  try {
    const value = Promise.resolve(run());
    value.catch(remember);
    return value;
  } catch (error) {
    remember(error);
    return Promise.reject(error);
  }
}

function remember(error: unknown): void {
  if (typeof error === "object" && error !== null) thrownByRuns.add(error);
}

/** Runs `work` to its settlement: its value, or a refusal. What else it throws is thrown. */
export async function settle(work: () => Promise<unknown>): Promise<Settlement> {
  try {
    return { status: "done", value: await work() };
  } catch (error) {
    if (error instanceof Refusal) return { status: "refused", code: error.code, detail: error.detail };
    throw error;
  }
}
