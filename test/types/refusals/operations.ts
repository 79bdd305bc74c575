/** Operations that the compiler refuses; `declared.ts` tells how to read this file. */
import { book, cancel, first, input, keepsOnly, replays, reprise, tx } from "./declared.ts";

// ── what happens if it runs again ──

reprise.operation({
  name: "o",
  owner: "t",
  input,
  effects: "database",
  ifRunsAgain: "converges",
  // refused at `costIfTwice`: what costs money if it runs twice must replay, not converge
  costIfTwice: "money",
  run: async () => 1,
});
reprise.operation({
  name: "o",
  owner: "t",
  input,
  effects: "database",
  ifRunsAgain: "converges",
  // refused at `costIfTwice`: what costs trust if it runs twice must replay, not converge
  costIfTwice: "trust",
  run: async () => 1,
});
reprise.operation({
  name: "o",
  owner: "t",
  input,
  // refused at `effects`: what converges keeps no record to pin effects in: it must replay, or effects: 'database'
  effects: "external",
  ifRunsAgain: "converges",
  costIfTwice: "noise",
  run: async () => 1,
});

// ── a record has an owner, a name and an end ──

// refused at `reference`: Property 'reference' does not exist on type 'Order'
reprise.operation({ ...replays, input, identity: (order) => [order.reference], run: async () => 1 });
// refused at `identity`: Type 'Order' is not assignable to type 'Scalar'
reprise.operation({ ...replays, input, identity: (order) => [order], run: async () => 1 });
reprise.operation({
  ...replays,
  // refused at `retention`: Type '"1 day"' is not assignable to type
  retention: "1 day",
  input,
  identity: "callers-key",
  run: async () => 1,
});

// ── the ledger ──

keepsOnly.operation({
  ...replays,
  input,
  identity: (order) => [order.id],
  // refused at `effects`: this ledger has no transactions: use one that has, or effects: 'external'
  effects: "database",
  run: async () => 1,
});
keepsOnly.operation({
  ...replays,
  input,
  identity: (order) => [order.id],
  // refused at `async`: is not assignable to parameter of type '"this ledger has no transactions"'
  run: async ({ transaction }) => transaction(async () => 1),
});
// refused at `{ ...replays`: is not assignable to parameter of type '"this reprise has no ledger: give createReprise one"'
first.operation({ ...replays, input, identity: "callers-key", run: async () => 1 });

// ── what a run is given, and what it may return ──

reprise.operation({
  ...replays,
  input,
  identity: "callers-key",
  refusals: { "sold-out": { status: 409, because: "x" } },
  // refused at `"soldout"`: Argument of type '"soldout"' is not assignable to parameter of type '"sold-out"'
  run: async ({ refuse }) => Promise.reject(refuse("soldout")),
});
// refused at `tx`: Property 'tx' does not exist on type 'ExternalRun
reprise.operation({ ...replays, input, identity: "callers-key", run: async ({ tx: none }) => none });
reprise.operation({
  ...replays,
  effects: "database",
  input,
  identity: "callers-key",
  // refused at `effect`: Property 'effect' does not exist on type 'DatabaseRun
  run: async ({ effect }) => effect,
});
reprise.operation({
  ...replays,
  input,
  identity: "callers-key",
  // refused at `{ run`: : ifUnknown, arrivesWithin
  run: async ({ effect }) => effect("charge", { run: async () => 1 }),
});
reprise.operation({
  ...replays,
  input,
  identity: "callers-key",
  run: async ({ effect }) =>
    // refused at `{ run`: Property 'arrivesWithin' is missing
    effect("charge", { run: async () => 1, ifUnknown: async () => "never-happened" as const }),
});
// refused at `({ again`: Type '() => number' is not assignable to type '"a function does not come back from a ledger"'
reprise.operation({ ...replays, input, identity: "callers-key", run: async () => ({ again: () => 1 }) });

// ── calls ──

// refused at `execute`: Expected 2 arguments, but got 1
void cancel.execute({ user: "u", reference: "r" });
// refused at `executeIn`: Property 'executeIn' does not exist
void book.executeIn(tx, { user: "u", reference: "r" });
const outcome = await book.execute({ user: "u", reference: "r" });
// refused at `value`: Property 'value' does not exist on type 'Outcome
void outcome.value;

// ── background work ──

reprise.operation({
  ...replays,
  input,
  identity: (order) => [order.id],
  effects: "database",
  // refused at `dispatch`: background work is claimed before it runs: effects: 'external', and write through 'transaction'
  dispatch: "background",
  run: async () => 1,
});
reprise.operation({
  ...replays,
  input,
  identity: (order) => [order.id],
  effects: "external",
  // refused at `dispatch`: Type '"later"' is not assignable to type
  dispatch: "later",
  run: async () => 1,
});
// refused at `status`: Property 'status' does not exist on type
book.status("id");
