/** What the types of loads, schedules, outboxes and leases accept and infer; compiled as `accepted.ts` is. */
import { expectTypeOf } from "expect-type";
import {
  createReprise,
  type FencedHold,
  type Hold,
  type HoldOutcome,
  type LeaseStore,
  type LoadResult,
  type NamedLease,
  type Outbox,
  type OutboxQueue,
  type Publisher,
  type Schedule,
  unchecked,
} from "../../src/index.ts";
import type { SqliteTransaction } from "../../src/stores/sqlite/index.ts";
import { reprise } from "./accepted.ts";

// ── a load, and the same with the other answers ──

const sales = reprise.load({
  name: "sales.fact",
  owner: "reporting",
  ifRunsAgain: "converges",
  from: "staging.transactions",
  into: "reporting.fact_sales",
  identity: ["txn_ref", "txn_date"],
  newer: "source_version",
  ifSameVersionDiffers: "refuse",
  ifSourceRepeatsKey: "refuse",
  ifSourceLost: "keep",
  windows: { by: "txn_date", each: "1mo" },
});
export async function loadSales(): Promise<number> {
  const result = await sales.run({ from: "2026-01", to: new Date() });
  expectTypeOf(result).toEqualTypeOf<LoadResult>();
  switch (result.status) {
    case "done":
      return result.inserted + result.windows.done;
    case "running":
      return result.forMs ?? 0;
    case "refused":
      return result.because.flatMap(({ mend }) => mend).length;
  }
}
reprise.load({
  name: "sales.files",
  owner: "reporting",
  ifRunsAgain: "converges",
  from: { query: "select ref, day, amount from staging.files" },
  into: "reporting.files",
  identity: ["ref"],
  newer: { none: "files come in order" },
  ifSameVersionDiffers: "overwrite",
  ifSourceRepeatsKey: "refuse",
  ifSourceLost: { mark: "deleted_at", atMost: "1%" },
  windows: { rows: 50_000 },
  columns: ["amount"],
  lease: "1m",
});

// ── schedules ──

interface Customer {
  readonly id: string;
}
declare function pendingCustomers(tx: SqliteTransaction, before: Date): Promise<readonly Customer[]>;
declare const prices: { quote(id: string, key: string, signal: AbortSignal): Promise<{ cents: number }> };
declare const blobs: { put(name: string, bytes: string): Promise<void> };

export const enrichCustomer = reprise.operation({
  ...{ name: "customer.enrich", owner: "crm", ifRunsAgain: "replays", costIfTwice: "money" },
  input: unchecked<Customer>(),
  principal: "everyone",
  identity: ({ id }) => [id],
  retention: "90d",
  effects: "external",
  run: async ({ input, pinned }) => {
    const price = await pinned("price", (key, signal) => prices.quote(input.id, key, signal), { ifUnknown: "retry" });
    expectTypeOf(price).toEqualTypeOf<{ cents: number }>();
    const now = await pinned("now", new Date());
    expectTypeOf(now).toEqualTypeOf<Date>();
    const drawn = await pinned("drawn", () => 4);
    expectTypeOf(drawn).toEqualTypeOf<number>();
    await pinned("asked", async () => "a", { ifUnknown: async () => "never-happened", arrivesWithin: "5s" });
    await blobs.put(input.id, JSON.stringify({ ...price, now, drawn }));
  },
});
const daily = { owner: "crm", ifStillRunning: "after-it", costIfTwice: "money", retention: "90d" } as const;
export const enrich = reprise.schedule({
  ...daily,
  name: "customers.enrich",
  at: "*/15 * * * *",
  timeZone: "Europe/Berlin",
  ifMissed: { run: "latest", within: "6h" },
  work: ({ tick, tx }) => pendingCustomers(tx, tick.at),
  each: enrichCustomer,
  atOnce: 8,
});
expectTypeOf(enrich).toEqualTypeOf<Schedule>();
export const report = reprise.schedule({
  ...daily,
  name: "report",
  every: "1h",
  ifMissed: { run: "every", within: "1d", atMost: 4 },
  run: async ({ tick, token, effect, pinned, transaction, call, progress, signal }) => {
    expectTypeOf(tick.at).toEqualTypeOf<Date>();
    expectTypeOf(token).toEqualTypeOf<number>();
    progress(1, 2);
    const sent = await effect("send", { ifUnknown: "park", run: async (key) => (signal.aborted ? "" : key) });
    await call(enrichCustomer, { id: await pinned("id", sent) });
    return transaction(async (tx) => (await tx.query("select 1")).length);
  },
});
export async function lastEnd(): Promise<string> {
  const { ticks, running } = await enrich.standing();
  const hand = await report.run({ at: new Date(0) });
  return hand.is === "held" ? (hand.holder ?? "") : `${hand.counts?.failed} ${ticks.at(-1)?.is} ${running?.holder}`;
}

// ── an outbox, with a broker and without ──

declare const publisher: Publisher;

const released = reprise.outbox({
  name: "seat.released",
  message: unchecked<{ release: string; seat: number }>(),
  id: ({ release, seat }) => {
    expectTypeOf(seat).toEqualTypeOf<number>();
    return release;
  },
  to: publisher,
  limit: "64kb",
  lease: "5s",
});
expectTypeOf(released).toEqualTypeOf<Outbox<SqliteTransaction, { release: string; seat: number }>>();
const kept = reprise.outbox({ name: "kept", message: unchecked<{ id: string }>(), id: ({ id }) => id });
expectTypeOf(kept).toEqualTypeOf<OutboxQueue<SqliteTransaction, { id: string }>>();
reprise.consume(enrichCustomer, kept.source(), { deliveredWithin: "1d" });

// ── a lease ──

declare const leaseStore: LeaseStore<unknown>;

const exported = await reprise
  .lease("export.nightly", { lease: "60s" })
  .hold(async ({ signal, token, transaction }) => {
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    expectTypeOf(token).toEqualTypeOf<number>();
    return transaction(async (tx) => {
      expectTypeOf(tx).toEqualTypeOf<SqliteTransaction>();
      return "saved" as const;
    });
  });
expectTypeOf(exported).toEqualTypeOf<HoldOutcome<"saved">>();
if (exported.status === "held") expectTypeOf(exported.holder).toEqualTypeOf<string | null>();
else expectTypeOf(exported.value).toEqualTypeOf<"saved">();
const withStore = createReprise({ service: "leases" }).lease("export", { store: leaseStore });
expectTypeOf(withStore).toEqualTypeOf<NamedLease<Hold>>();
expectTypeOf(reprise.lease("export")).toEqualTypeOf<NamedLease<FencedHold<SqliteTransaction>>>();
