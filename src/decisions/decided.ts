import type { ErrorCode } from "../base/errors.ts";

/** A declaration's questions with their answers, as data: for the page, `decisions.json` and the audit. */

export type Answer =
  /** Declared by its owner. */
  | { readonly is: "declared"; readonly value: string }
  /** Good engineering decided; may be taken over. */
  | { readonly is: "default"; readonly value: string }
  /** Nobody has decided. */
  | { readonly is: "undecided" };

export interface Decided {
  /** A route: one that changes something and is no operation, of an application that is watched. */
  readonly kind: "cache" | "operation" | "load" | "schedule" | "consumer" | "outbox" | "route";
  readonly name: string;
  readonly owner: string | undefined;
  /** Question, in the declaration's own word, to answer: `freshFor`, `ifStale`, `retention`… */
  readonly answers: Readonly<Record<string, Answer>>;
  /** The questions that nobody has answered. */
  readonly undecided: readonly string[];
  /** Of routes only: how many requests reached its handlers, in this process and since it started. */
  readonly requests?: number | undefined;
  /** What a caller is promised; operations only. */
  readonly contract?: CallerContract | undefined;
}

export interface CallerContract {
  /** One sentence: "Safe to retry with the same key for 30d, counted from its completion." */
  readonly promise: string;
  /** Over HTTP, the header Idempotency-Key. A route may make it optional where the work is known by its input too. */
  readonly key: { readonly required: boolean; readonly maxLength: number };
  /** What a repetition is known by: its key alone, or its input too, whichever key it brings. `null`: by nothing. */
  readonly identity: "callers-key" | "from-input" | null;
  /** Whether an outcome is told to one principal, or to everyone who repeats its work. */
  readonly principal: "everyone" | "from-input";
  /** As declared: "30d", counted from completion. `null`: no outcome is kept. */
  readonly retention: string | null;
  /** By their status over HTTP. */
  readonly answers: readonly CallerAnswer[];
}

export type CallerAnswer = {
  /** Of what is done, 200: its route may answer with another of 2xx. */
  readonly status: number;
  readonly means: string;
  readonly do: string;
} & (
  | { readonly is: "done" | "accepted" }
  /** An outcome too: it is kept, and repeated as it was. `refusal` is its declared code. */
  | { readonly is: "refused"; readonly refusal: string; readonly because: string }
  /** No outcome: nothing is kept of it. `codes` stand in its problem document. */
  | { readonly is: "problem"; readonly codes: readonly ErrorCode[] }
);
