import type { AttemptId, Name, WorkId } from "../base/names.ts";
import type { Journal } from "./journal.ts";
import type { LeaseStore } from "./lease.ts";
import type {
  RecentQuery,
  RunHistory,
  RunSummary,
  SuccessesPage,
  SuccessesQuery,
  Twice,
  TwiceQuery,
} from "./ledger-looking.ts";
import type { LedgerSchema } from "./ledger-schema.ts";
import type { Registers } from "./registers.ts";
import type { SqlDatabase } from "./sql.ts";
import type { WriteJournal } from "./write-journal.ts";

export type * from "./ledger-looking.ts";

/**
 * What keeps the outcomes of operations, and must not forget. `Tx` is what an operation's `run` receives to write with;
 * a `Ledger<never>` keeps outcomes and joins no transaction.
 *
 * For every method: it is atomic (a crash leaves all or nothing of it); instants and leases are judged by the
 * store's clock at the statement, never by the caller's; a store that does not answer within its deadline rejects with
 * `REPRISE_LEDGER_AWAY` or `REPRISE_LEDGER_BUSY`, and then the call may or may not have happened: claim again to know.
 * Every owner's write carries its fence (name, attempt, still running) and changes nothing without it.
 */
export interface Ledger<out Tx> {
  /** For messages and the page: `"sqlite"`. */
  readonly name: string;
  /** Whether the transactional methods work. Without them they are never called. */
  readonly transactional: boolean;
  /**
   * Whether what it acknowledged may be lost all the same, as by the failover of a store that replicates later. Left out: it
   * may not. Effects that cost money if they happen twice must then honour their key (`ifUnknown: "retry"`).
   */
  readonly losesCommits?: boolean | undefined;
  /**
   * Whether all that it keeps is gone when its process ends, as is right for a test. Left out: it is not. What costs trust or
   * money if it happens twice is then not consumed: a broker delivers again after a restart what nobody knows any more.
   */
  readonly forgets?: boolean | undefined;
  readonly "~tx"?: Tx;

  /** Connects, creates the tables and functions where they are missing, and checks them. Calling it again does nothing. */
  readonly open: () => Promise<void>;
  /** Waits for open transactions, then disconnects. Calling it again does nothing. */
  readonly close: () => Promise<void>;

  // ── the claim ──

  /**
   * Takes the work for `attempt`, or says why not. Both names are taken in one step: a mismatch neither claims nor
   * binds. Repeating it with the same attempt is harmless and answers `won` again (the first answer may be lost).
   */
  readonly claim: (request: ClaimRequest) => Promise<Claim>;
  /** What a claim would find, writing nothing. `null`: nothing is kept under these names. */
  readonly find: (request: FindRequest) => Promise<Exclude<Claim, Won> | Open | null>;
  /**
   * Extends the lease to `leaseMs` from now and keeps how far the work has come (`null`: nothing new). `cancelled`: it was
   * extended too, and somebody no longer wants the work.
   */
  readonly renew: (
    fence: Fence,
    leaseMs: number,
    progress: Progress | null,
  ) => Promise<"renewed" | "cancelled" | "fenced">;

  // ── work for later ──

  /**
   * Writes the work down as open, with its input, for a worker to claim; or says what stands under its names. Repeating it
   * with the same id is harmless and accepts again (the first answer may be lost).
   */
  readonly accept: (request: AcceptRequest) => Promise<Acceptance>;
  /** What became of the work that is known by this id. `null`: no such work, or no longer. */
  readonly standing: (id: WorkId) => Promise<Standing | null>;

  // ── effects ──

  /** Writes the effect down as started, unless it is present; then nothing is written and the record is told. */
  readonly start: (fence: Fence, effect: EffectStart) => Promise<Started>;
  /** Starts a present, unanswered effect once more: its `settleAt` moves on. False: fenced, or no longer open. */
  readonly restart: (fence: Fence, effect: EffectStart) => Promise<boolean>;
  /**
   * Keeps the answer of a started effect; the first answer stays. Needs no fence: whoever called knows the answer.
   * Parked work whose last open effect this was becomes open again.
   */
  readonly pin: (id: WorkId, effect: string, answer: string) => Promise<Pinned>;

  // ── the end ──

  /**
   * Keeps the outcome, for `keepMs` from now, if every effect of the work is pinned and was visited by this attempt: what
   * an earlier one did and this one passed over must not be answered over.
   */
  readonly complete: (fence: Fence, completion: Completion) => Promise<"done" | "fenced" | "effects-differ">;
  /**
   * Gives the claim back: deletes the work if nothing of it ever happened and it is not to be kept, else leaves it open
   * for a later attempt.
   */
  readonly release: (fence: Fence, release: Release) => Promise<"released" | "open" | "fenced">;
  /**
   * Sets the work aside for a person. `answered`: the effect that was to be parked for got its answer meanwhile, from
   * whoever had called; nothing is written, the attempt goes on.
   */
  readonly park: (fence: Fence, parking: Parking) => Promise<"parked" | "answered" | "fenced">;

  // ── transactions: only where `transactional` ──

  /** `work` in a transaction of its own, with no record. Work that comes to one statement may be that statement by itself. */
  readonly transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  /**
   * A piece of external work's own transaction: fence first, then `work`, then its pinned record, all in one commit.
   * `present`: it committed before and nothing was run again. What `work` throws rolls back and is rethrown.
   */
  readonly transact: <T>(
    fence: Fence,
    effect: string,
    work: (tx: Tx) => Promise<Answered<T>>,
  ) => Promise<Transacted<T>>;
  /**
   * The last one: fence first, then `work`, then the outcome that it came to, all in one commit, which completes the work
   * without a record of its own. Effects are judged as by `complete`, before `work`. What it throws rolls back and is
   * rethrown.
   */
  readonly conclude: <T>(
    fence: Fence,
    concluding: Pick<Completion, "keepMs" | "visited">,
    work: (tx: Tx) => Promise<Finished<T>>,
  ) => Promise<Concluded<T>>;
  /** Claim, work and outcome in one transaction. What `work` throws rolls back everything and is rethrown. */
  readonly atomic: <T>(request: WorkRequest, work: (tx: Tx) => Promise<Finished<T>>) => Promise<Atomic<T>>;
  /**
   * The same inside a transaction that the caller holds, under a savepoint. Nothing outlives the caller's rollback.
   * A method, not a property: `Ledger<Tx>` stays covariant, and a ledger of any `Tx` can be passed on.
   * @throws REPRISE_RETRY_TRANSACTION when the caller's whole transaction must be repeated
   */
  join<T>(tx: Tx, request: WorkRequest, work: (tx: Tx) => Promise<Finished<T>>): Promise<Atomic<T>>;
  /**
   * `accept` inside a transaction that the caller holds: the work is there for workers when, and only if, that commits.
   * @throws REPRISE_RETRY_TRANSACTION when the caller's whole transaction must be repeated
   */
  acceptIn(tx: Tx, request: AcceptRequest): Promise<Acceptance>;

  /** For several pieces of work in one commit. Left out: they are joined one after the other in one `transaction`. */
  readonly batch?: Batching<Tx> | undefined;

  // ── abandoned and expired work ──

  /** Work that nobody is at: open, or its lease is over; due by `notBefore`; with its input kept. Oldest first. */
  readonly abandoned: (query: AbandonedQuery) => Promise<readonly AbandonedWork[]>;
  /** Parks abandoned work that no attempt can go on with. False: it was claimed, or ended, since `token`. */
  readonly parkStalled: (work: Pick<AbandonedWork, "id" | "token">, why: string) => Promise<boolean>;
  /** Parks work with a started effect that nobody has been at for its operation's `afterMs`. How many it parked. */
  readonly parkAbandoned: (queries: readonly ParkAbandonedQuery[]) => Promise<number>;
  /**
   * Deletes at most `limit` done works past their keep, with their effects and keys, and none whose parent is there and not
   * done. How many it deleted.
   */
  readonly sweep: (limit: number) => Promise<number>;

  // ── what a person decides ──

  /**
   * Carries out a decision about work that is still in the state it is for; the attempts keep who decided and why. False:
   * it is in another state by now, or gone, and nothing was changed. Of two persons at once, one is told true.
   */
  readonly intervene: (id: WorkId, intervention: Intervention, note: Note) => Promise<boolean>;

  // ── looking; never counts the ledger ──

  /** Newest first, at most `limit`. */
  readonly recent: (query: RecentQuery) => Promise<readonly RunSummary[]>;
  /** `null`: no such work, or no longer. */
  readonly history: (id: WorkId) => Promise<RunHistory | null>;
  /**
   * Successes that happened twice: two works of one operation that are done, not refused, have different names and the same
   * intent, and began within `withinMs` of each other. Looked for among the newest works only; newest first, at most `limit`.
   */
  readonly twice: (query: TwiceQuery) => Promise<readonly Twice[]>;
  /**
   * The works of one operation that are done and not refused, oldest first: page by page all that are kept. Left out: the
   * ledger cannot be read through.
   */
  readonly successes?: ((query: SuccessesQuery) => Promise<SuccessesPage>) | undefined;

  readonly journal: Journal;
  /** For caches that write behind. Left out: the ledger keeps none, and such a cache must accept the loss of writes. */
  readonly writes?: WriteJournal | undefined;
  /** Left out: the ledger keeps none, and whoever needs one is told so. */
  readonly leases?: LeaseStore<Tx> | undefined;
  /** For schedules and loads. Left out: the ledger keeps none, and they refuse to start. */
  readonly registers?: Registers<Tx> | undefined;
  /** For loads. Left out: the ledger lies in no database of SQL. */
  readonly sql?: SqlDatabase<Tx> | undefined;
  /** Left out: there is nothing to create and to compare. */
  readonly schema?: LedgerSchema | undefined;
}

/** The fingerprint of a validated input, compared by the algorithm of its version. */
export interface Fingerprint {
  readonly version: number;
  readonly hash: string;
}

export interface FindRequest {
  readonly name: Name;
  /** The name of the caller's key; `null` without one. */
  readonly key: Name | null;
  readonly print: Fingerprint;
}

export interface WorkRequest extends FindRequest {
  readonly keepMs: number;
  readonly about: WorkAbout;
  /** The work whose run asked for this one, which is kept until that is done; `null`: nobody's child. */
  readonly parent: Name | null;
  /** What the work was meant to bring about, where that is declared: two with the same should not both succeed. */
  readonly intent: Name | null;
}

export interface AcceptRequest extends WorkRequest {
  /** Of the work, if it is new: made by the caller, so that it can say whose it is. */
  readonly id: WorkId;
  readonly input: string;
}

export interface ClaimRequest extends WorkRequest {
  readonly attempt: AttemptId;
  readonly leaseMs: number;
  /** Kept so that a completer may resume the work; `null`: only a caller's next attempt can. */
  readonly input: string | null;
  /** By a completer: counted apart from its callers' attempts. */
  readonly resuming: boolean;
}

/** For people: shown, never compared. */
export interface WorkAbout {
  readonly operation: string;
  /** The readable identity. */
  readonly identity: string;
  readonly principal: string;
  /** The caller's key, cut short; `null` without one. */
  readonly key: string | null;
  /** The instance that runs it. */
  readonly owner: string;
}

/** What every write of an owner carries. */
export interface Fence {
  readonly name: Name;
  readonly id: WorkId;
  readonly attempt: AttemptId;
}

/** How far work has come, in whatever it counts. */
export interface Progress {
  readonly done: number;
  /** `null`: nobody knows yet. */
  readonly total: number | null;
}

export type Claim = Won | Done | Running | Mismatch | Unknown;

/** `running`: somebody is at it who keeps no input, so no worker would ever go on with it. */
export type Acceptance = Accepted | Exclude<Claim, Won>;
export interface Accepted {
  readonly is: "accepted";
  readonly id: WorkId;
  readonly since: number;
  /** Written by this call, or by an earlier one under the same id. */
  readonly isNew: boolean;
}

/** Work as whoever knows its id may ask for it. */
export type Standing = { readonly operation: string } & (Done | Unknown | Going);
export interface Going {
  readonly is: "going";
  readonly since: number;
  readonly running: boolean;
  /** Somebody no longer wants it, and its owner has not ended it yet. */
  readonly cancelled: boolean;
  readonly progress: Progress | null;
}

export interface Won {
  readonly is: "won";
  readonly fence: Fence;
  /** +1 for each claim of this work. */
  readonly token: number;
  /** How often a completer claimed it, this time included. */
  readonly resumes: number;
  /** Taken from an owner whose lease was over. */
  readonly tookOver: boolean;
  /** Somebody no longer wants it: it is to be ended, not run. */
  readonly cancelled: boolean;
  /** What earlier attempts left; empty for new work. */
  readonly effects: readonly EffectRecord[];
}
export interface Done {
  readonly is: "done";
  readonly outcome: string;
  readonly at: number;
}
export interface Running {
  readonly is: "running";
  readonly since: number;
  /** Until the owner's lease ends or, for work that waits, until it is due. */
  readonly retryAfterMs: number;
}
export interface Mismatch {
  readonly is: "mismatch";
  /** `null` when the key belongs to other work, of which nothing is told. */
  readonly firstSeen: number | null;
}
export interface Unknown {
  readonly is: "unknown";
  readonly effect: string;
  readonly since: number;
}
/** Known, and nobody is at it: the next claim takes it. */
export interface Open {
  readonly is: "open";
  readonly since: number;
  readonly retryAfterMs: number;
}

export interface EffectStart {
  readonly effect: string;
  /** Until when the call may still arrive at the other side: deadline and flight time, from now. */
  readonly settleMs: number;
}
export interface EffectRecord {
  readonly effect: string;
  readonly kind: "effect" | "transaction";
  readonly state: "started" | "pinned";
  readonly startedAt: number;
  readonly pinnedAt: number | null;
  /** Milliseconds until the starter's call can no longer arrive; zero or less: it cannot. */
  readonly settlesInMs: number;
  /** `null` while started. */
  readonly answer: string | null;
  /** The token of the attempt that started it. */
  readonly token: number;
}
export type Started =
  | { readonly is: "started" }
  | { readonly is: "present"; readonly record: EffectRecord }
  | { readonly is: "fenced" };
export type Pinned =
  | { readonly is: "pinned" }
  /** Answered before: this is the answer that stays. */
  | { readonly is: "present"; readonly answer: string }
  /** No such effect, or its work is gone. */
  | { readonly is: "gone" };

export interface Completion {
  readonly outcome: string;
  /** Whether it is a refusal: for people, never compared. */
  readonly refused: boolean;
  readonly keepMs: number;
  /** The effects and transactions that the completing attempt visited, whether or not a record of each stands. */
  readonly visited: readonly string[];
}
export interface Release {
  /** Whether it stays open even if nothing happened: a completer goes on with it. */
  readonly keep: boolean;
  /** The work is not taken again before so long; 0: at once. */
  readonly notBeforeMs: number;
  /** A class and code, never a value; `null`: no error. */
  readonly error: string | null;
}
export interface Parking {
  readonly effect: string;
  /** Whether it is parked for this effect's lost answer: then it is not if the answer is there. */
  readonly unlessAnswered: boolean;
  readonly why: string;
}

/** A transaction's value and what is kept of it. */
export interface Answered<T> {
  readonly value: T;
  readonly answer: string;
}
export type Transacted<T> =
  | { readonly is: "committed"; readonly value: T }
  | { readonly is: "present"; readonly answer: string }
  | { readonly is: "fenced" };
export type Concluded<T> =
  | { readonly is: "done"; readonly value: T }
  | { readonly is: "fenced" }
  | { readonly is: "effects-differ" };
export interface Finished<T> {
  readonly value: T;
  readonly outcome: string;
  /** Whether it is a refusal: for people, never compared. */
  readonly refused: boolean;
}
/**
 * Several runs in one transaction, one after the other, in their order: what one asks for is sent after everything that those
 * before it asked for. The next one may be called earlier, where the one before has returned the answer to its one statement.
 * What one throws rolls back everything and is rethrown. So may be what the database says of another transaction that was in
 * the way: it is not repeated for all of them.
 */
export interface Batching<out Tx> {
  /** `transaction` for several. */
  readonly transaction: (runs: readonly ((tx: Tx) => Promise<unknown>)[]) => Promise<readonly unknown[]>;
  /** `atomic` for several, none of which has a name of another's. Those that may not run are told, as `atomic` tells. */
  readonly atomic: <T>(pieces: readonly Piece<Tx, T>[]) => Promise<readonly Atomic<T>[]>;
}
export interface Piece<in Tx, out T> {
  readonly request: WorkRequest;
  readonly run: (tx: Tx) => Promise<unknown>;
  /** @param value what `run` came to */
  readonly finish: (value: unknown) => Finished<T>;
}
export type Atomic<T> = { readonly is: "ran"; readonly value: T; readonly at: number } | Exclude<Claim, Won>;

export interface AbandonedQuery {
  readonly operations: readonly string[];
  /** Nobody has been at it for so long; 0: it is due now. */
  readonly idleMs: number;
  readonly limit: number;
  /** This one only. */
  readonly id?: WorkId | undefined;
}
export interface AbandonedWork {
  readonly id: WorkId;
  readonly name: Name;
  readonly operation: string;
  readonly input: string;
  readonly token: number;
  /** How often a completer claimed it. */
  readonly resumes: number;
}
export interface ParkAbandonedQuery {
  readonly operation: string;
  readonly afterMs: number;
}

export type Intervention =
  /** Parked work is done: this outcome is told to everybody who asks, for `keepMs` from now. */
  | { readonly does: "settle"; readonly outcome: string; readonly refused: boolean; readonly keepMs: number }
  /** What became of a started effect of parked work. Was it the last open one, the work becomes open. */
  | { readonly does: "answer"; readonly effect: string; readonly answer: string }
  /** A started effect of parked work never happened: its record goes, and a later attempt starts it anew. */
  | { readonly does: "forget"; readonly effect: string }
  /**
   * Parked work becomes open, with what is recorded: the next attempt goes on with it, also where it had been cancelled, and
   * resumes count from 0 again.
   */
  | { readonly does: "reopen" }
  /** The lease of running work ends now, and its owner is fenced from here on. Nobody may have taken it over since `token`. */
  | { readonly does: "release"; readonly token: number }
  /** Work that keeps its input and is open or running is no longer wanted: its owner is told, or the next claim. */
  | { readonly does: "cancel" };

/** Who decided, and why: written by a person, kept as long as the work. */
export interface Note {
  readonly who: string;
  readonly why: string;
}
