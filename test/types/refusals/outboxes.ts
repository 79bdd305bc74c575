/** Outboxes that the compiler refuses; `declared.ts` tells how to read this file. */
import type { Publisher } from "../../../src/index.ts";
import { unchecked } from "../../../src/index.ts";
import { first, keepsOnly, reprise, tx } from "./declared.ts";

declare const to: Publisher;

const released = {
  name: "seat.released",
  message: unchecked<{ release: string; seat: number }>(),
  id: (message: { release: string; seat: number }) => message.release,
};

// ── where messages are committed ──

// refused at `released`: this reprise has no ledger: give createReprise one
first.outbox(released);
// refused at `released`: this ledger has no transactions that a message could be committed in
keepsOnly.outbox(released);
const outbox = reprise.outbox(released);
const relayed = reprise.outbox({ ...released, to });
// refused at `"tx"`: Argument of type 'string' is not assignable to parameter of type 'Tx'
void outbox.publishIn("tx", { release: "r", seat: 1 });

// ── what they are ──

// refused at `seat`: Type 'string' is not assignable to type 'number'
void outbox.publishIn(tx, { release: "r", seat: "1" });
// refused at `source`: Property 'source' does not exist on type 'Outbox<
void relayed.source();
