/**
 * What the refused declarations beside this file stand on. In each of those files, a line
 *
 *     // refused at `TEXT`: SENTENCE
 *
 * says that the compiler complains on the line below, at a place that begins with TEXT, and that its message contains
 * SENTENCE. Nothing else in the files may be complained about. `refusals.test.ts` reads the compiler's answers.
 */
import { createReprise, type Ledger, unchecked } from "../../../src/index.ts";

/** What `run` of a database operation writes with. */
export interface Tx {
  readonly query: (text: string, params?: readonly unknown[]) => Promise<readonly unknown[]>;
}
export declare const tx: Tx;
declare const transactional: Ledger<Tx>;
export declare const withoutTransactions: Ledger<never>;

export const reprise = createReprise({
  service: "booking",
  dimensions: { tenant: "shared", user: "personal", role: "shared", locale: "shared" },
  ledger: transactional,
});
/** No ledger, no dimensions, and what only informs may stay open. */
export const first = createReprise({ service: "shop", undecided: "listed" });
/** Keeps outcomes and joins no transaction. */
export const keepsOnly = createReprise({ service: "shop", owner: "team", ledger: withoutTransactions });

/** The answers that a cache of `reprise` gives besides its scope, `sameForEvery` and `load`. */
export const common = { name: "a", owner: "t", holds: "public", ifStale: "x", freshFor: "60s" } as const;
export const everyone = ["tenant", "user", "role", "locale"] as const;

export interface Order {
  readonly id: string;
  readonly user: string;
}
export const input = unchecked<Order>();
/** The answers that an operation of `reprise` gives besides its identity and `run`. */
export const replays = {
  name: "o",
  owner: "t",
  ifRunsAgain: "replays",
  costIfTwice: "money",
  retention: "1d",
  principal: "everyone",
  effects: "external",
} as const;

export const cancel = reprise.operation({
  ...replays,
  name: "seat.cancel",
  effects: "database",
  refusals: { "not-found": { status: 404, because: "No such booking." } },
  identity: "callers-key",
  input: unchecked<{ readonly user: string; readonly reference: string }>(),
  run: async ({ input: asked }) => ({ cancelled: asked.reference }),
});
export const book = reprise.operation({
  ...replays,
  name: "seat.book",
  input: unchecked<{ readonly user: string; readonly reference: string }>(),
  identity: (asked) => [asked.reference],
  run: async ({ input: asked }) => ({ booked: asked.reference }),
});
