import type { Config, Dimensions, RefusedCall } from "./base/config.ts";
import type { Events } from "./base/events.ts";
import type { CacheVerbs } from "./cache/declaration.ts";
import type { CacheEvents } from "./cache/events.ts";
import type { AmbientContext } from "./cache/guard/context.ts";
import type { ConsumeVerb } from "./consume/declaration.ts";
import type { Ledger } from "./contract/ledger.ts";
import type { Decided } from "./decisions/decided.ts";
import { Instance } from "./instance.ts";
import type { LeaseVerb } from "./lease/surface.ts";
import type { LoadVerb } from "./load/declaration.ts";
import type { Inside } from "./observe/inside.ts";
import type { Anchor, AnchorOptions } from "./operation/anchor.ts";
import type { OperationVerb } from "./operation/declaration.ts";
import type { OperationEvents } from "./operation/events.ts";
import type { RepriseOptions, StartOptions } from "./options.ts";
import type { OutboxVerb } from "./outbox/declaration.ts";
import type { ScheduleVerb } from "./schedule/declaration.ts";
import type { ScheduleEvents } from "./schedule/events.ts";

type PersonalOf<D extends Dimensions> = { [K in keyof D]: D[K] extends "personal" ? K : never }[keyof D] & string;
type TxOf<L> = L extends Ledger<infer Tx> ? Tx : never;

export interface Reprise<C extends Config> {
  readonly cache: CacheVerbs<C>;
  readonly operation: C["ledger"] extends true
    ? OperationVerb<C>
    : RefusedCall<"this reprise has no ledger: give createReprise one">;
  /** Rows of a staging table, or of a query, into a table of facts: safe to run again, to overlap and to replay. */
  readonly load: C["ledger"] extends true
    ? LoadVerb<C>
    : RefusedCall<"this reprise has no ledger: give createReprise one">;
  /** Work that is due by the clock, in one instance at a time: never started twice on purpose, and resumed after a crash. */
  readonly schedule: C["ledger"] extends true
    ? ScheduleVerb<C>
    : RefusedCall<"this reprise has no ledger: give createReprise one">;
  readonly consume: C["ledger"] extends true
    ? ConsumeVerb
    : RefusedCall<"this reprise has no ledger: give createReprise one">;
  /** Messages that are committed with the work that they tell of, and sent in the order of the commits. */
  readonly outbox: C["ledger"] extends true
    ? OutboxVerb<C>
    : RefusedCall<"this reprise has no ledger: give createReprise one">;
  /**
   * Makes transactions in another database effects that happen once: for tables beside which the ledger does not lie, or
   * cannot, as a ledger on Redis.
   *
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION, REPRISE_BAD_SIZE
   * @example
   * const seats = reprise.anchor({ ledger: postgresLedger({ pool }), retention: "30d" });
   * // in a run: await effect("book", seats.transaction((tx) => insertBooking(tx, input)));
   */
  readonly anchor: <Tx>(options: AnchorOptions<Tx>) => Anchor<Tx>;
  /**
   * A name under which one at a time works, in all processes on one store: for work that is no operation. Whoever finds it
   * held walks away with a clear result. It spares double work; it does not forbid it to a process that was stopped past its
   * lease: what such a one must not write is written by `transaction`, which is fenced, or where `token` is compared.
   *
   * @throws REPRISE_BAD_DECLARATION, REPRISE_BAD_DURATION
   * @example
   * const exporting = reprise.lease("export.nightly", { lease: "60s" });
   * const { status } = await exporting.hold(async ({ signal, transaction }) => {
   *   const rows = await readRows({ signal });
   *   await transaction((tx) => saveExport(tx, rows)); // rolled back, where another has taken over
   * });
   * if (status === "held") console.log("another instance is at it");
   */
  readonly lease: LeaseVerb<C>;
  /** Who and what a request is for. What a cache's loader reads of it must be in its scope. */
  readonly context: AmbientContext<C["dimension"]>;
  /** Tells what caches do, successes that happened twice, and how ticks ended, without values. Returns what ends it. */
  readonly on: Events<CacheEvents & OperationEvents & ScheduleEvents>["on"];
  /** Every declaration and watched route with its questions and answers, and what nobody has decided. */
  readonly decisions: () => readonly Decided[];
  /**
   * Opens and checks the stores, and begins the background work. The first use does it too; a test passes another ledger
   * and a clock.
   * @throws REPRISE_STARTED when stores are passed after the first use; REPRISE_LEDGER_AWAY; REPRISE_BAD_DECLARATION
   */
  readonly start: (instead?: StartOptions<C["tx"]>) => Promise<void>;
  /** Stops the background work, waits for what is under way (10 s), aborts the rest, and closes the ledger and those of anchors. */
  readonly close: () => Promise<void>;
  /** For the page, the journal and the transports. */
  readonly "~inside": Inside;
}

/**
 * Declares; opens nothing. Everything that runs again is declared on what it returns.
 *
 * @example
 * const reprise = createReprise({ service: "shop", undecided: "listed" });
 * const product = reprise.cache.readThrough({ name: "product", scope: ["id"], freshFor: "60s", load: ({ id }) => db.product(id) });
 * await product.get({ id: "p1" });
 */
export function createReprise<
  // biome-ignore lint/complexity/noBannedTypes: no dimensions at all
  const D extends Dimensions = {},
  const O extends string | undefined = undefined,
  U extends "refused" | "listed" = "refused",
  L extends Ledger<unknown> | undefined = undefined,
>(
  options: RepriseOptions<D, O, U, L>,
): Reprise<{
  dimension: keyof D & string;
  personal: PersonalOf<D>;
  owner: O;
  undecided: U;
  ledger: L extends undefined ? false : true;
  tx: TxOf<L>;
}> {
  const instance = new Instance(options);
  // the types were checked where the caller wrote them
  return instance.surface() as unknown as ReturnType<typeof createReprise<D, O, U, L>>;
}
