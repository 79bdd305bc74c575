import type { Duration } from "../base/duration.ts";
import type { Carried } from "./carry.ts";
import type { AcceptedOutcome, Outcome, Status } from "./outcome.ts";

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
  out Later = never,
> extends Outcomes<I, O>,
    Carried<In, O, R> {
  /**
   * Runs it, or says what became of it. Rejects only where nothing can be said: bad input, the ledger is away, or `run`
   * failed; then repeating it with the same identity is safe.
   */
  readonly execute: (input: In, ...options: Keyed<Key>) => Promise<Outcome<O, R> | Later>;
  /** The value; whatever else happened is thrown as an error of the catalogue. */
  readonly run: (input: In, ...options: Keyed<Key>) => Promise<O>;
  /** What became of it, without running it. `undefined`: nothing is known. */
  readonly find: (input: In, ...options: Named<Key>) => Promise<Outcome<O, R> | undefined>;
}

/** An operation whose work is accepted, and run by whichever instance claims it. */
export interface Background<out O, out R> {
  /**
   * How the work stands that was accepted under this id. `undefined`: this operation knows no such work, or no longer.
   * Whoever knows the id is told; `principal` restricts it to work of theirs.
   */
  readonly status: (
    id: string,
    options?: { readonly principal?: string | undefined },
  ) => Promise<Status<O, R> | undefined>;
  /**
   * Says that the work is no longer wanted. One that waits does not run; one that runs is told by its `signal`, and what
   * it then throws ends it as refused with `cancelled`, unless an effect or a transaction of it has happened: then a
   * person decides. False: it has ended, waits for a person, was cancelled before, or there is none.
   */
  readonly cancel: (id: string, options?: { readonly principal?: string | undefined }) => Promise<boolean>;
  /**
   * Runs accepted work here and now, as a broker's consumer does that was handed its id, and tells what became of it.
   * `undefined`: somebody is at it, its next attempt's time has not come, it waits for a person, has ended, or there is none.
   */
  readonly resume: (id: string) => Promise<Outcome<O, R> | undefined>;
}

/** Accepts background work in a transaction that the caller holds: the transaction is its outbox. */
export interface JoinsLater<in Tx, in In, out O, out R, out Key extends "required" | "optional" = "optional"> {
  /**
   * The work runs after, and only after, the caller's commit.
   * @throws REPRISE_RETRY_TRANSACTION when the caller's whole transaction must be repeated
   */
  readonly executeIn: (
    tx: Tx,
    input: In,
    ...options: Named<Key>
  ) => Promise<Provisional<Outcome<O, R> | AcceptedOutcome>>;
}

/** Takes part in a transaction that the caller holds: if it rolls back, nothing ran. Only without external effects. */
export interface Joins<in Tx, in In, out O, out R, out Key extends "required" | "optional" = "optional"> {
  /**
   * One at a time in a transaction. Caches that this operation changes are not told, for nothing is committed yet: purge
   * after your commit. Where the ledger is not open yet, it may need the connection that the caller holds: `start` first.
   * @throws REPRISE_RETRY_TRANSACTION when the caller's whole transaction must be repeated; REPRISE_LEDGER_BUSY after 2 s in
   *   which the ledger did not open
   */
  readonly executeIn: (tx: Tx, input: In, ...options: Named<Key>) => Promise<Provisional<Outcome<O, R>>>;
}

/** True only if, and only when, the caller's transaction commits. */
export type Provisional<T> = T extends object ? T & { readonly provisional: true } : T;
