import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { pause } from "../base/promise.ts";
import type { Carried } from "./carry.ts";
import type { Effects } from "./effects.ts";
import { AskLater } from "./endings.ts";
import type { Execution } from "./execution.ts";
import type { AnyRefused } from "./outcome.ts";
import type { Settlement } from "./record.ts";

type Child = Carried<unknown, unknown, AnyRefused>;
export type Call = (
  operation: Child,
  input: unknown,
  options?: { readonly key?: string | undefined; readonly name?: string | undefined },
) => Promise<Settlement>;

/** How soon a child that another attempt is at is asked for again, at least. */
const soonestMs = 100;

/**
 * Another operation as a part of a run: an effect whose other side is that operation. Its work is named after the
 * parent's, so that a rerun meets it and nobody else does, and the ledger keeps it until the parent is done.
 */
export function createCall({ host, settings, work }: Execution, effects: Effects): Call {
  const perform = async (
    operation: Child,
    input: unknown,
    key: string | undefined,
    callers: readonly string[],
    signal: AbortSignal,
  ): Promise<Settlement> => {
    for (;;) {
      const { outcome } = await operation["~carry"].execute(input, { key, signal, parent: work.name, callers });
      switch (outcome.status) {
        // when it was told, and whether again, another attempt is told otherwise: of one answer that would make two
        case "done":
          return { status: outcome.status, value: outcome.value };
        case "refused":
          return { status: outcome.status, code: outcome.code, detail: outcome.detail };
        case "mismatch":
          throw new RepriseError("REPRISE_MISMATCH", { operation: operation.name });
        case "unknown":
          // a person settles the child; a later attempt of this work meets what it became
          throw new AskLater(defaults.operation.leaseMs);
        case "accepted":
        case "running": {
          const waitMs = outcome.status === "running" ? outcome.retryAfterMs : soonestMs;
          await pause(host.clock(), Math.max(soonestMs, waitMs), signal);
        }
      }
    }
  };

  return async (operation, input, { key, name = operation.name } = {}) => {
    // each level would be new work, named after the one above it: calls in a circle would never end
    const callers = [...work.callers, settings.name];
    const isCircle = callers.includes(operation.name);
    if (isCircle || operation["~carry"].background !== undefined) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `the call of '${operation.name}' in '${settings.name}'`,
        why: isCircle ? `it is one of those that call: ${callers.join(", ")}.` : "it is run in the background.",
        mend: "Call another operation that is waited for; accept background work with executeIn, in a transaction.",
      });
    }
    const answer = await effects.effect(name, {
      // its own name makes a second call harmless; how long it may take, its own effects say
      ifUnknown: "retry",
      deadline: `${defaults.operation.callDeadlineMs}ms`,
      run: (_key, signal) => perform(operation, input, key, callers, signal),
    });
    return answer as Settlement;
  };
}
