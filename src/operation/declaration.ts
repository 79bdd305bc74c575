import type { Atom, Callable, Config, Decision, Owned, RefusedCall } from "../base/config.ts";
import type { Duration } from "../base/duration.ts";
import type { MaybePromise } from "../base/promise.ts";
import type { Scalar } from "../base/scalar.ts";
import type { Schema } from "../base/schema.ts";
import type { Size } from "../base/size.ts";
import type { Carried } from "./carry.ts";
import type { AcceptedOutcome, Called, Cancelled, Refusal, Refused } from "./outcome.ts";
import type { Background, Joins, JoinsLater, Operation } from "./surface.ts";

/** What an operation declares, and what the compiler refuses of it. */

export interface RefusalDeclaration {
  /** The HTTP status of this refusal. */
  readonly status: number;
  /** For people, in the problem document and the contract. */
  readonly because: string;
  readonly detail?: Schema | undefined;
}
export type Refusals = { readonly [code: string]: RefusalDeclaration };
type DetailOf<R extends RefusalDeclaration> = R extends { readonly detail: Schema<infer _, infer D> } ? D : undefined;
type RefusedOf<R extends Refusals> = { [K in keyof R & string]: Refused<K, DetailOf<R[K]>> }[keyof R & string];

interface Run<I, R extends Refusals> {
  /** As the schema returned it; its fingerprint was taken before. */
  readonly input: I;
  /** Aborted when the lease is lost and when the instance closes without waiting longer. */
  readonly signal: AbortSignal;
  /** `throw refuse("sold-out")`: an answer, stored and replayed as one. What an open transaction wrote is undone. */
  readonly refuse: <K extends keyof R & string>(
    code: K,
    ...detail: DetailOf<R[K]> extends undefined ? [] : [detail: DetailOf<R[K]>]
  ) => Refusal;
}
export interface DatabaseRun<I, R extends Refusals, Tx> extends Run<I, R> {
  /** Claim, what you write with this, and the outcome commit together, or none of it. */
  readonly tx: Tx;
}
export interface ExternalRun<I, R extends Refusals, Tx> extends Run<I, R> {
  /**
   * Something outside the ledger. Written down as started before it is called, its answer pinned when it returns; a rerun
   * gets the pinned answer without a call. `name` is unique in the run. An error of it must not be swallowed: a run that
   * returns over an effect whose answer is unknown is not completed, its work is `unknown`.
   */
  readonly effect: <A>(name: string, effect: Effect<A>) => Promise<A>;
  /**
   * An answer that changes between calls (a price, the time, a random number), kept by its first value, so that a rerun
   * writes the same bytes. A function is called as an effect is, with a key and a signal, and where its answer was lost
   * the work is `unknown`, unless `ifUnknown` says otherwise: it may be billed by the call. A plain value needs no call, is
   * never unknown, and until one is pinned a rerun pins its own. `name` is unique among the run's effects.
   *
   * @example
   * const price = await pinned("price", (key, signal) => prices.quote(input.id, key, signal));
   * const now = await pinned("now", new Date());
   */
  readonly pinned: Pinned;
  /**
   * Commits what `work` writes together with its own record: it happens once. `name` tells several apart. The `last` one
   * completes the operation with its commit, a round trip sooner: what it returns is the outcome, so the run returns that
   * and does nothing after it.
   */
  readonly transaction: [Tx] extends [never]
    ? RefusedCall<"this ledger has no transactions">
    : <T>(
        work: (tx: Tx) => Promise<T>,
        options?: { readonly name?: string | undefined; readonly last?: boolean | undefined },
      ) => Promise<T>;
  /**
   * Another operation as a part of this one, as an effect that happens once: its work belongs to this work, and a rerun
   * meets what became of it. It waits for one that runs. `name`, by default the operation's, tells several apart.
   */
  readonly call: <In, O, R2>(
    operation: Carried<In, O, R2>,
    input: NoInfer<In>,
    options?: { readonly key?: string | undefined; readonly name?: string | undefined },
  ) => Promise<Called<O, R2>>;
  /** Says how far the work has come, for whoever watches it. Written with the lease's renewal, at most once a second. */
  readonly progress: (done: number, total?: number) => void;
}
interface Runs<I, R extends Refusals, Tx> {
  readonly database: DatabaseRun<I, R, Tx>;
  readonly external: ExternalRun<I, R, Tx>;
}

export type Effect<A> = {
  /** `key` is the same for every attempt at this work: hand it to the other side. */
  readonly run: (key: string, signal: AbortSignal) => Promise<A>;
  /** The call is aborted after so long and its answer counts as lost. Default 20 s. */
  readonly deadline?: Duration | undefined;
} & (
  | {
      /** What a rerun does when the answer was lost. `"retry"`: the other side honours `key`. `"park"`: a person settles it. */
      readonly ifUnknown: "retry" | "park";
    }
  | {
      /** Asks the other side what became of it. `"never-happened"` counts only once the call can no longer arrive. */
      readonly ifUnknown: (key: string, signal: AbortSignal) => Promise<NoInfer<A> | "never-happened">;
      /** How long after its deadline a call may still arrive at the other side. */
      readonly arrivesWithin: Duration;
    }
);

/** How an answer is pinned that changes between calls. */
export type Pinned = <A>(
  name: string,
  answer: ((key: string, signal: AbortSignal) => MaybePromise<A>) | (A extends Callable ? never : A),
  /** What a rerun does when the answer of a function was lost. Default: a person settles it. */
  options?: PinnedOptions<NoInfer<A>>,
) => Promise<A>;
export type PinnedOptions<A> = {
  /** The call is aborted after so long and its answer counts as lost. Default 20 s. */
  readonly deadline?: Duration | undefined;
} & (
  | {
      /** `"retry"`: the other side honours `key`, or asking twice costs nothing. Default `"park"`. */
      readonly ifUnknown?: "retry" | "park" | undefined;
    }
  | Pick<Extract<Effect<A>, { readonly arrivesWithin: Duration }>, "ifUnknown" | "arrivesWithin">
);

/** `O`, with a sentence in the place of each part that would not come back from a ledger as it was. */
type StorableParts<O> = O extends Callable | symbol
  ? "a function does not come back from a ledger"
  : O extends Atom | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>
    ? O
    : O extends object
      ? { readonly [K in keyof O]: StorableParts<O[K]> }
      : O;
export type Storable<O> = O extends StorableParts<O> ? O : StorableParts<O>;

export type Again = "replays" | "converges";
export type Cost = "nothing" | "noise" | "trust" | "money";
type CostCheck<A extends Again, K extends Cost> = A extends "converges"
  ? K extends "money" | "trust"
    ? `what costs ${K} if it runs twice must replay, not converge`
    : K
  : K;
type EffectsCheck<E extends string, A extends Again, Tx> = E extends "database"
  ? [Tx] extends [never]
    ? "this ledger has no transactions: use one that has, or effects: 'external'"
    : E
  : A extends "converges"
    ? "what converges keeps no record to pin effects in: it must replay, or effects: 'database'"
    : E;
/**
 * Who runs background work. `"background"`: the instances, which look for it in the ledger. A function is told of each
 * acceptance once it has committed, and hands the id to a broker, whose consumer calls `resume(id)`; what it does not bring
 * within a lease, the instances run; so too what was accepted with `executeIn`, whose commit nobody tells.
 */
export type Dispatch = "background" | ((accepted: { readonly id: string }) => Promise<void>);
type DispatchCheck<P, E extends string, A extends Again> = P extends Dispatch
  ? E extends "external"
    ? A extends "replays"
      ? P
      : "background work keeps its outcome: it must replay"
    : "background work is claimed before it runs: effects: 'external', and write through 'transaction'"
  : P;
/** What a run may refuse with. */
type RefusalsOf<R extends Refusals, P> = P extends Dispatch ? R & { readonly cancelled: RefusalDeclaration } : R;
type Identity<I> = "callers-key" | ((input: I) => readonly Scalar[]);

/**
 * Apart from what else an operation declares: the compiler infers nothing from a part of the declaration in which a
 * property is missing, and would then complain of every use of the input too.
 */
interface Takes<In, I> {
  /** A schema, or `unchecked<T>()`. What follows is typed by it. */
  readonly input: Schema<In, I>;
}
interface Operates<I, O, R extends Refusals, E extends "database" | "external", A extends Again, P, Tx> {
  /** Unique among the operations of an instance; part of every record's identity. */
  readonly name: string;
  /** `database`: claim, work and outcome commit together. `external`: an effect is written down before it is called. */
  readonly effects: EffectsCheck<E, A, Tx>;
  readonly refusals?: R;
  /** Of a claim, renewed at a third of it. Default 30 s. As the two that follow, only with external effects. */
  readonly lease?: Duration | undefined;
  /** `by-itself` keeps the input, and a completer resumes abandoned work. Default: the caller's next attempt does. */
  readonly resumes?: "by-itself" | "next-attempt" | undefined;
  /** Work with a lost answer that nobody resumes becomes `unknown` after so long. Default 1 h. */
  readonly abandonAfter?: Duration | undefined;
  /** A larger outcome is refused. Default 64 kb. */
  readonly outcomeLimit?: Size | undefined;
  /** Left out: who asks waits for the outcome. Else it is told that the work was accepted. */
  readonly dispatch?: DispatchCheck<P, E, A>;
  readonly run: (run: Runs<I, RefusalsOf<R, P>, Tx>[E]) => Promise<Storable<O>>;
}
/** A stored outcome has an owner, a name and an end. */
interface Recorded<I> {
  /** Whose outcome it is; nobody else ever sees it. */
  readonly principal: "everyone" | ((input: I) => string);
  /** The business key of this piece of work; or the caller's key is all there is. */
  readonly identity: Identity<I>;
  /** How long an outcome answers repetitions, from its completion. At least the longest time in which anybody retries. */
  readonly retention: Duration;
  /**
   * What the caller wants to bring about, whatever its key: two successes with the same, of one principal, within that time
   * raise an alert, which is counted and listed (`successTwice`). Both stand: it finds what identities did not.
   */
  readonly sameIntent?: { readonly of: (input: I) => readonly Scalar[]; readonly within: Duration } | undefined;
}

/**
 * Declares a piece of work that may be asked for again.
 *
 * @example
 * const bookSeat = reprise.operation({
 *   name: "seat.book", input: bookSeatSchema,
 *   principal: (input) => input.user, identity: (input) => [input.reference], retention: "30d",
 *   effects: "external",
 *   run: async ({ input, effect, transaction }) => {
 *     const charge = await effect("charge", { ifUnknown: "retry", run: (key, signal) => gateway.charge(input, key, signal) });
 *     return transaction((tx) => insertBooking(tx, input, charge.id));
 *   },
 * });
 */
export type OperationVerb<C extends Config> = <
  In,
  I,
  O,
  E extends "database" | "external",
  const K extends Cost,
  const N extends Identity<I>,
  const A extends Again = "replays",
  P extends Dispatch | "caller" = "caller",
  // biome-ignore lint/complexity/noBannedTypes: no refusals at all
  const R extends Refusals = {},
>(
  declaration: Takes<In, I> &
    Operates<I, O, R, E, A, P, C["tx"]> &
    Owned<C> &
    Decision<C, { readonly ifRunsAgain: A; readonly costIfTwice: CostCheck<A, K> }> & {
      readonly identity?: N;
    } & ([A] extends ["converges"] ? unknown : Recorded<I>),
) => [P] extends [Dispatch]
  ? Operation<In, O, RefusedOf<R> | Cancelled, I, KeyOf<N>, AcceptedOutcome> &
      Background<O, RefusedOf<R> | Cancelled> &
      ([C["tx"]] extends [never] ? unknown : JoinsLater<C["tx"], In, O, RefusedOf<R> | Cancelled, KeyOf<N>>)
  : Operation<In, O, RefusedOf<R>, I, KeyOf<N>> &
      ([E, A] extends ["database", "replays"] ? Joins<C["tx"], In, O, RefusedOf<R>, KeyOf<N>> : unknown);
type KeyOf<N> = [N] extends ["callers-key"] ? "required" : "optional";

/** A declaration as `createReprise` received it, its types checked by the compiler, its rest by `start`. */
export interface OperationDeclaration {
  readonly name: string;
  readonly input: Schema;
  readonly effects: "database" | "external";
  readonly refusals?: Refusals | undefined;
  readonly owner?: string | undefined;
  readonly ifRunsAgain?: Again | undefined;
  readonly costIfTwice?: Cost | undefined;
  readonly principal?: "everyone" | ((input: never) => string) | undefined;
  readonly identity?: "callers-key" | ((input: never) => readonly Scalar[]) | undefined;
  readonly retention?: Duration | undefined;
  readonly lease?: Duration | undefined;
  readonly resumes?: "by-itself" | "next-attempt" | undefined;
  readonly abandonAfter?: Duration | undefined;
  readonly outcomeLimit?: Size | undefined;
  readonly dispatch?: Dispatch | undefined;
  readonly sameIntent?: { readonly of: (input: never) => readonly Scalar[]; readonly within: Duration } | undefined;
  /** Of a guard whose handler is called again after a crash, whatever it had done. */
  readonly "~repeatsAfterCrash"?: boolean | undefined;
  /** The ticks of a schedule of this name, which answers for it. */
  readonly "~schedule"?: boolean | undefined;
  readonly run: (run: never) => Promise<unknown>;
}
