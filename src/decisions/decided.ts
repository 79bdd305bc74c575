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
  readonly kind: "cache" | "operation" | "route";
  readonly name: string;
  readonly owner: string | undefined;
  /** Question, in the declaration's own word, to answer: `freshFor`, `ifStale`, `retention`… */
  readonly answers: Readonly<Record<string, Answer>>;
  /** The questions that nobody has answered. */
  readonly undecided: readonly string[];
  /** What a caller is promised; operations only. */
  readonly contract?: CallerContract | undefined;
}

export interface CallerContract {
  /** One sentence: "Safe to retry with the same key for 30 d." */
  readonly promise: string;
  readonly answers: readonly { readonly status: number; readonly means: string; readonly do: string }[];
}
