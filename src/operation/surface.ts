import type { Duration } from "../base/duration.ts";
import type { Carried } from "./carry.ts";
import type { Outcome } from "./outcome.ts";

/** What an operation offers to its users. Functions are properties, so that their variance is checked. */

export interface ExecuteOptions {
  /** Ends this caller's waiting. Work that has begun goes on: its completion depends on nobody being there. */
  readonly signal?: AbortSignal | undefined;
  /** Wait so long for a running one instead of being told. */
  readonly wait?: Duration | undefined;
}
type Named<Key> = Key extends "required"
  ? [options: { readonly key: string }]
  : [options?: { readonly key?: string | undefined }];
type Keyed<Key> = Key extends "required"
  ? [options: ExecuteOptions & { readonly key: string }]
  : [options?: ExecuteOptions & { readonly key?: string | undefined }];

/** What a change and a test need to know of an operation. */
export interface Outcomes<out I, out O> {
  readonly name: string;
  readonly "~outcome"?: { readonly input: I; readonly value: O };
}

export interface Operation<
  in In,
  out O,
  out R = never,
  out I = In,
  out Key extends "required" | "optional" = "optional",
> extends Outcomes<I, O>,
    Carried<In, O, R> {
  /**
   * Runs it, or says what became of it. Rejects only where nothing can be said: bad input, the ledger is away, or `run`
   * failed; then repeating it with the same identity is safe.
   */
  readonly execute: (input: In, ...options: Keyed<Key>) => Promise<Outcome<O, R>>;
  /** The value; whatever else happened is thrown as an error of the catalogue. */
  readonly run: (input: In, ...options: Keyed<Key>) => Promise<O>;
  /** What became of it, without running it. `undefined`: nothing is known. */
  readonly find: (input: In, ...options: Named<Key>) => Promise<Outcome<O, R> | undefined>;
}

/** Takes part in a transaction that the caller holds: if it rolls back, nothing ran. Only without external effects. */
export interface Joins<in Tx, in In, out O, out R, out Key extends "required" | "optional" = "optional"> {
  /**
   * One at a time in a transaction. Caches that this operation changes are not told, for nothing is committed yet: purge
   * after your commit.
   * @throws REPRISE_RETRY_TRANSACTION when the caller's whole transaction must be repeated
   */
  readonly executeIn: (tx: Tx, input: In, ...options: Named<Key>) => Promise<Provisional<Outcome<O, R>>>;
}

/** True only if, and only when, the caller's transaction commits. */
export type Provisional<T> = T extends object ? T & { readonly provisional: true } : T;
