import { labelOfError } from "../base/label.ts";
import type { Settlement } from "./record.ts";

/** How a run may end beside its value, a refusal and an error of its own. */

/** Ends a run whose effect is unknown: the work waits for a person. */
export class Parked extends Error {
  readonly effect: string;
  constructor(effect: string) {
    super(`'${effect}' is unknown`);
    this.effect = effect;
  }
}

/** Ends a run that came too early to believe that an effect never happened. */
export class AskLater extends Error {
  readonly afterMs: number;
  constructor(afterMs: number) {
    super("asked too early");
    this.afterMs = afterMs;
  }
}

/** Ends a run whose last transaction would have answered over an effect. */
export class PassedOver extends Error {}

/** An outcome, and what is kept of it. */
export interface Ending {
  readonly settlement: Settlement;
  readonly rendered: string | null;
  readonly outcome: string;
}

/** What is said of an error that ended a run. `null`: it is none. */
export function labelOf(error: unknown): string | null {
  return error instanceof AskLater ? null : labelOfError(error);
}
