/** What the compiler refuses of leases; `declared.ts` tells how to read this file. */
import type { LeaseStore } from "../../../src/index.ts";
import { first, keepsOnly, reprise } from "./declared.ts";

declare const store: LeaseStore<unknown>;

// ── where a lease is kept ──

// refused at `"export"`: this reprise has no ledger to keep leases in: give createReprise one, or this lease a store
first.lease("export");
// refused at `"export"`: this reprise has no ledger to keep leases in: give createReprise one, or this lease a store
first.lease("export", { lease: "60s" });
// refused at `store`: Type 'string' is not assignable to type
reprise.lease("export", { store: "redis" });
// refused at `lease`: Type '"a minute"' is not assignable to type
reprise.lease("export", { lease: "a minute" });
// refused at `7`: Argument of type 'number' is not assignable to parameter of type 'string'
reprise.lease(7);

// ── what its holder writes with ──

// refused at `transaction`: Property 'transaction' does not exist on type 'Hold'
void keepsOnly.lease("export").hold(({ transaction }) => transaction);
// refused at `transaction`: Property 'transaction' does not exist on type 'Hold'
void first.lease("export", { store }).hold(({ transaction }) => transaction);
// refused at `transaction`: Property 'transaction' does not exist on type 'Hold'
void reprise.lease("export", { store }).hold(({ transaction }) => transaction);
// refused at `insert`: Property 'insert' does not exist on type 'Tx'
void reprise.lease("export").hold(({ transaction }) => transaction(async (tx) => tx.insert()));

// ── what a hold tells ──

const told = await reprise.lease("export").hold(() => 1);
// refused at `value`: Property 'value' does not exist on type
void told.value;
// refused at `holder`: Property 'holder' does not exist on type
void told.holder;
