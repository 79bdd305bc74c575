import { RepriseError } from "../base/errors.ts";
import { Refusal } from "./outcome.ts";
import type { Settlement } from "./record.ts";
import type { Settings } from "./settings.ts";

/** The `refuse` that a run receives: it makes what `throw` throws. */
export function createRefuse(settings: Settings): (code: string, detail?: unknown) => Refusal {
  return (code, detail) => {
    if (!Object.hasOwn(settings.declaration.refusals ?? {}, code)) {
      throw new RepriseError("REPRISE_BAD_DECLARATION", {
        where: `operation '${settings.name}'`,
        why: `it refused with '${code}', which it does not declare.`,
        mend: "Transports know only declared refusals: add it to 'refusals'.",
      });
    }
    return new Refusal(code, detail);
  };
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
