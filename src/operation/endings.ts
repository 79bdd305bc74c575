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

/** Class and code of an error: what people need to find it, and no value. */
export function labelOf(error: unknown): string | null {
  if (error instanceof AskLater) return null;
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const { code } = error as { readonly code?: unknown };
  // a broker's is a number
  if (typeof code === "number") return `${error.name} ${code}`;
  return typeof code === "string" && code !== error.name ? `${error.name} ${code}`.slice(0, 200) : error.name;
}
