import type { Progress } from "../contract/ledger.ts";

/** What happened to one piece of work. */

export type Outcome<O, R = never> =
  | DoneOutcome<O>
  /** One member for each declared refusal. */
  | R
  | RunningOutcome
  | MismatchOutcome
  | UnknownOutcome;

export interface DoneOutcome<out O> {
  readonly status: "done";
  readonly value: O;
  /** It happened earlier, and this is what was stored. */
  readonly replayed: boolean;
  readonly at: Date;
}

/** Somebody else is at it. */
export interface RunningOutcome {
  readonly status: "running";
  readonly since: Date;
  readonly retryAfterMs: number;
}

/** A worker will run it, or is at it: `status(id)` tells how it stands. */
export interface AcceptedOutcome {
  readonly status: "accepted";
  readonly id: string;
  readonly since: Date;
  /** It had been accepted before. */
  readonly replayed: boolean;
}

/** This key, or this identity, came with other input. */
export interface MismatchOutcome {
  readonly status: "mismatch";
  /** `null` when the key belongs to other work, of which nothing is told. */
  readonly firstSeen: Date | null;
}

/** An effect was started and its answer is lost; a person settles it. */
export interface UnknownOutcome {
  readonly status: "unknown";
  readonly effect: string;
  readonly since: Date;
}

/** A declared refusal: an answer, stored and replayed as one. */
export interface Refused<out Code extends string, out Detail = undefined> {
  readonly status: "refused";
  readonly code: Code;
  readonly detail: Detail;
  readonly replayed: boolean;
  readonly at: Date;
}

export type AnyRefused = Refused<string, unknown>;

/** How background work ends that nobody wanted any more. */
export type Cancelled = Refused<"cancelled">;

/** How background work stands. */
export type Status<O, R = never> =
  | {
      /** `cancelling`: nobody wants it any more, and it has not ended yet. */
      readonly state: "waiting" | "running" | "cancelling";
      readonly since: Date;
      /** `null`: it has not said. */
      readonly progress: Progress | null;
    }
  | { readonly state: "ended"; readonly outcome: DoneOutcome<O> | R }
  /** A person settles it. */
  | { readonly state: "unknown"; readonly effect: string; readonly since: Date };

/** Thrown by `throw refuse(code)`; becomes the outcome. */
export class Refusal extends Error {
  readonly code: string;
  readonly detail: unknown;
  constructor(code: string, detail: unknown) {
    super(`refused: ${code}`);
    this.name = "Refusal";
    this.code = code;
    this.detail = detail;
  }
}
