import type { Name } from "../base/names.ts";
import type { Cost } from "./declaration.ts";
import type { AcceptedOutcome, Outcome, Status } from "./outcome.ts";
import type { Stay } from "./stay.ts";

/**
 * What a transport needs of an operation: to hand over an input with what it knows about the caller, and to keep its own
 * rendering of the outcome, so that a replay answers with the same bytes.
 */
export interface Carried<in In, out O, out R> {
  readonly name: string;
  readonly "~carry": {
    readonly contract: CarriedContract;
    readonly execute: (input: In, options: CarryOptions<O, R>) => Promise<CarriedOutcome<O, R>>;
    /** What became of it, without running it; `null`: nothing is known. */
    readonly find: (input: In, options: Pick<CarryOptions<O, R>, "key">) => Promise<CarriedOutcome<O, R> | null>;
    /** Of work in the ledger's own database: several in one transaction. Left out: each is executed by itself. */
    readonly together?: Together<In, O, R> | undefined;
    /** Of background work; left out where the caller waits for the outcome. */
    readonly background?: CarriedBackground<O, R> | undefined;
  };
}

/**
 * Executes several, which share a transaction where nothing goes wrong; what does is answered to whom it concerns alone. An
 * answer for each, in their order; `isWhole`: the transaction did not fall apart.
 */
export type Together<in In, out O, out R> = (
  requests: readonly { readonly input: In; readonly options: CarryOptions<O, R> }[],
) => Promise<{
  readonly answers: readonly PromiseSettledResult<CarriedOutcome<O, R>>[];
  readonly isWhole: boolean;
}>;

/** What an operation promises its callers, as data. */
export interface CarriedContract {
  readonly operation: string;
  readonly identity: "callers-key" | "from-input";
  /** Whether outcomes belong to one principal, or to everyone. */
  readonly principal: "everyone" | "from-input";
  readonly retentionMs: number | null;
  /** `null`: nobody has decided. */
  readonly costIfTwice: Cost | null;
  readonly refusals: Readonly<Record<string, { readonly status: number; readonly because: string }>>;
}

export interface CarryOptions<in O, in R> {
  readonly key?: string | undefined;
  /** Who the session says it is, held against the operation's own principal before anything happens; REPRISE_PRINCIPAL_DIFFERS. */
  readonly principal?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Of a caller that the platform ends: whoever is told `running` has waited. */
  readonly stay?: Stay | undefined;
  /** Renders a fresh outcome before it is stored; what it returns is kept beside it. */
  readonly render?: ((settled: Settlement<O, R>) => string) | undefined;
  /** The work whose run asks for this one. */
  readonly parent?: Name | undefined;
  /** The operations whose runs called each other up to this one. */
  readonly callers?: readonly string[] | undefined;
}

export interface CarriedBackground<out O, out R> {
  readonly status: (
    id: string,
    options: { readonly principal: string | undefined },
  ) => Promise<Status<O, R> | undefined>;
  readonly cancel: (id: string, options: { readonly principal: string | undefined }) => Promise<boolean>;
}

/** What `run` ended with. */
export type Settlement<O, R> =
  | { readonly status: "done"; readonly value: O }
  | Pick<R & object, keyof R & ("status" | "code" | "detail")>;

export interface CarriedOutcome<out O, out R> {
  readonly outcome: Outcome<O, R> | AcceptedOutcome;
  /** What was rendered when it was stored; `null`: another transport stored it, or it is not settled. */
  readonly rendered: string | null;
}
