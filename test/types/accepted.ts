/**
 * What the types accept and infer: the code of a booking platform, a first use, an ORM, injection and fakes. Compiled by
 * `tsc` and by `accepted.test.ts`; nothing here runs.
 */
import { expectTypeOf } from "expect-type";
import { type FastifyRequest, fastify } from "fastify";
import {
  type AcceptedOutcome,
  type Cache,
  type Cancelled,
  type Config,
  createReprise,
  type DoneOutcome,
  type Joins,
  type Ledger,
  type Operation,
  type Outcome,
  outcomeOf,
  type Provisional,
  type Reader,
  type Refused,
  type Reprise,
  type Schema,
  type Status,
  unchecked,
} from "../../src/index.ts";
import { type MemoryTransaction, memoryLedger, type Transactions } from "../../src/stores/memory/index.ts";
import { type SqliteTransaction, sqliteLedger } from "../../src/stores/sqlite/index.ts";
import { manualClock } from "../../src/testing/index.ts";
import { fastifyHandler } from "../../src/transports/http/fastify.ts";
import { webHandler } from "../../src/transports/http/web.ts";

// ── the platform ──

interface BookSeat {
  readonly user: string;
  readonly reference: string;
  readonly workshop: string;
  readonly card: string;
  readonly price: number;
}
interface Booking {
  readonly reference: string;
  readonly seat: number;
}
declare const gateway: {
  charge(
    card: string,
    price: number,
    options: { idempotencyKey: string; signal: AbortSignal },
  ): Promise<{ id: string }>;
  findCharge(key: string, signal: AbortSignal): Promise<{ id: string } | undefined>;
};
declare function insertBooking(tx: SqliteTransaction, input: BookSeat, charge: string): Promise<Booking>;
declare function seatsLeft(workshop: string, signal: AbortSignal): Promise<{ left: number }>;

export const reprise = createReprise({
  service: "booking",
  dimensions: { tenant: "shared", user: "personal", role: "shared", locale: "shared" },
  ledger: sqliteLedger({ path: "booking.sqlite" }),
});

export const bookSeat = reprise.operation({
  name: "seat.book",
  owner: "booking-team",
  input: unchecked<BookSeat>(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: (input) => input.user,
  identity: (input) => [input.reference],
  retention: "30d",
  effects: "external",
  refusals: {
    "sold-out": { status: 409, because: "No seat is left.", detail: unchecked<{ left: number }>() },
    "card-declined": { status: 402, because: "The card was declined." },
  },
  run: async ({ input, effect, transaction, refuse, signal }) => {
    if ((await seatsLeft(input.workshop, signal)).left === 0) throw refuse("sold-out", { left: 0 });
    if (input.card === "") throw refuse("card-declined");
    const charge = await effect("charge", {
      ifUnknown: "retry",
      run: (key, aborted) => gateway.charge(input.card, input.price, { idempotencyKey: key, signal: aborted }),
    });
    return transaction((tx) => insertBooking(tx, input, charge.id));
  },
});
type BookRefused = Refused<"sold-out", { left: number }> | Refused<"card-declined">;
expectTypeOf(bookSeat).toEqualTypeOf<Operation<BookSeat, Booking, BookRefused, BookSeat, "optional">>();

export const availability = reprise.cache.readThrough({
  name: "workshop.availability",
  owner: "booking-team",
  holds: "public",
  ifStale: "A visitor may see a seat that was just taken; booking checks again.",
  scope: ["workshop"],
  sameForEvery: ["tenant", "user", "role", "locale"],
  freshFor: "60s",
  staleFor: "5m",
  refresh: { hottest: 100, every: "45s" },
  load: ({ workshop }, { signal }) => seatsLeft(workshop, signal),
  changedBy: () => [outcomeOf(bookSeat, (input) => ({ workshop: input.workshop }), "expire")],
});
expectTypeOf(availability).toEqualTypeOf<Cache<{ readonly workshop: string }, { left: number }>>();

export async function book(input: BookSeat): Promise<string> {
  const outcome = await bookSeat.execute(input);
  switch (outcome.status) {
    case "done":
      return `${outcome.replayed ? "again: " : ""}seat ${outcome.value.seat}`;
    case "refused":
      return outcome.code === "sold-out" ? `${outcome.detail.left} left` : outcome.code;
    case "running":
      return `again in ${outcome.retryAfterMs} ms`;
    case "mismatch":
      return "other input under the same key";
    case "unknown":
      return `${outcome.effect}: a person looks at it`;
  }
}
expectTypeOf(bookSeat.run).returns.resolves.toEqualTypeOf<Booking>();
expectTypeOf(bookSeat.find).returns.resolves.toEqualTypeOf<Outcome<Booking, BookRefused> | undefined>();

// ── a first use ──

export const first = createReprise({ service: "shop", undecided: "listed" });
const product = first.cache.readThrough({
  name: "product",
  scope: ["id"],
  freshFor: "60s",
  load: async ({ id }) => ({ id, price: 3 }),
});
export const price: number = (await product.get({ id: "p1" })).price;

const firstRuns = createReprise({ service: "shop", undecided: "listed", ledger: memoryLedger() });
export const order = firstRuns.operation({
  name: "order.place",
  input: unchecked<{ user: string; reference: string }>(),
  principal: (input) => input.user,
  identity: (input) => [input.reference],
  retention: "1d",
  effects: "external",
  run: ({ effect }) => effect("charge", { ifUnknown: "retry", run: async (key) => ({ charged: key }) }),
});
export const stored = firstRuns.operation({
  name: "order.store",
  input: unchecked<{ id: string }>(),
  principal: "everyone",
  identity: (input) => [input.id],
  retention: "1d",
  effects: "database",
  run: async ({ input, tx }) => {
    expectTypeOf(tx).toEqualTypeOf<MemoryTransaction>();
    tx.set(input.id, 1);
  },
});

// ── what the caches of the rest have in common ──

export const common = { name: "a", owner: "t", holds: "public", ifStale: "x", freshFor: "60s" } as const;
export const everyone = ["tenant", "user", "role", "locale"] as const;

// ── an instance's memory, sources, context and events ──

createReprise({ service: "a", memory: null });
createReprise({ service: "a", memory: { maxEntries: 1_000, eviction: "lru" }, secrets: "refuse" });
const bounded = createReprise({
  service: "a",
  dimensions: { tenant: "shared", user: "personal" },
  memory: { maxBytes: "64mb", eviction: "nearest-expiry", workingSet: false },
  sources: { db: { loadsAtOnce: 20 } },
});
const answer = bounded.context.run({ tenant: "t", user: undefined }, async () => bounded.context.get("user"));
expectTypeOf(answer).resolves.toEqualTypeOf<string | undefined>();
first.context.run({}, () => 1);
const stop = bounded.on("cache.load", ({ cache, tookMs, outcome }) => void [cache, tookMs, outcome]);
stop();

// ── injection, fakes, code for any instance, a test's start ──

export class Availability {
  readonly cache;
  constructor(app: typeof reprise, seats: { left(scope: { workshop: string }): Promise<{ left: number }> }) {
    this.cache = app.cache.readThrough({
      ...common,
      scope: ["workshop"],
      sameForEvery: everyone,
      load: (scope: { workshop: string }) => seats.left(scope),
    });
  }
}
expectTypeOf<Availability["cache"]>().toEqualTypeOf<Cache<{ workshop: string }, { left: number }>>();

export const fake: Reader<{ workshop: string }, { left: number }> = {
  get: async () => ({ left: 3 }),
  getMany: async (scopes) => scopes.map(() => ({ left: 3 })),
};
void (availability satisfies Reader<{ workshop: string }, { left: number }>);

export function names<C extends Config>(app: Reprise<C>): readonly string[] {
  return app.decisions().map((decision) => decision.name);
}
names(reprise);
names(first);

declare const sqlite: Transactions<SqliteTransaction>;
await reprise.start({ ledger: memoryLedger({ transactions: sqlite }), clock: manualClock() });
await firstRuns.start({ ledger: memoryLedger() });
await first.close();

// ── an operation: inference ──

// A schema whose input is not its output.
declare const reschedule: Schema<{ workshop: string; at: string }, { workshop: string; at: Date }>;
const rescheduled = reprise.operation({
  name: "workshop.reschedule",
  owner: "t",
  input: reschedule,
  ifRunsAgain: "replays",
  costIfTwice: "trust",
  principal: "everyone",
  identity: (input) => [input.workshop, input.at.getTime()],
  retention: "1d",
  effects: "external",
  resumes: "by-itself",
  run: async ({ input }) => input.at.getTime(),
});
await rescheduled.execute({ workshop: "w1", at: "2027-01-01T00:00:00Z" });
expectTypeOf(rescheduled.execute).parameter(0).toEqualTypeOf<{ workshop: string; at: string }>();

// Any order; the caller's key; a joined transaction.
const cancel = reprise.operation({
  run: async ({ input, tx: joined, refuse }) => {
    if (input.reference === "") throw refuse("not-found");
    await joined.query("delete from bookings where reference = ?", [input.reference]);
    return { cancelled: input.reference };
  },
  refusals: { "not-found": { status: 404, because: "No such booking." } },
  identity: "callers-key",
  principal: (input) => input.user,
  effects: "database",
  retention: "7d",
  costIfTwice: "trust",
  ifRunsAgain: "replays",
  owner: "t",
  name: "seat.cancel",
  input: unchecked<{ user: string; reference: string }>(),
});
type Cancel = { user: string; reference: string };
expectTypeOf(cancel).toEqualTypeOf<
  Operation<Cancel, { cancelled: string }, Refused<"not-found">, Cancel, "required"> &
    Joins<SqliteTransaction, Cancel, { cancelled: string }, Refused<"not-found">, "required">
>();
await cancel.execute({ user: "u", reference: "r" }, { key: "k" });
declare const tx: SqliteTransaction;
const provisional = await cancel.executeIn(tx, { user: "u", reference: "r" }, { key: "k" });
expectTypeOf(provisional).toEqualTypeOf<Provisional<Outcome<{ cancelled: string }, Refused<"not-found">>>>();

// Background work: an id to ask by, a refusal of its own, and a caller's transaction as its outbox.
const mail = reprise.operation({
  name: "mail",
  owner: "t",
  ifRunsAgain: "replays",
  costIfTwice: "trust",
  input: unchecked<{ to: string }>(),
  principal: (input) => input.to,
  identity: "callers-key",
  retention: "7d",
  effects: "external",
  dispatch: "background",
  sameIntent: { of: (input) => [input.to], within: "10m" },
  refusals: { bounced: { status: 422, because: "Nobody is there." } },
  run: async ({ input, call, progress, refuse }) => {
    progress(1);
    const cancelled = await call(cancel, { user: input.to, reference: "r" }, { key: "k" });
    expectTypeOf(cancelled).toEqualTypeOf<
      | Pick<DoneOutcome<{ cancelled: string }>, "status" | "value">
      | Pick<Refused<"not-found">, "status" | "code" | "detail">
    >();
    if (cancelled.status === "refused") throw refuse("cancelled");
    return { sent: true };
  },
});
type Mailed = Refused<"bounced"> | Cancelled;
expectTypeOf(await mail.execute({ to: "a" }, { key: "k" })).toEqualTypeOf<
  Outcome<{ sent: boolean }, Mailed> | AcceptedOutcome
>();
expectTypeOf(await mail.status("id")).toEqualTypeOf<Status<{ sent: boolean }, Mailed> | undefined>();
expectTypeOf(await mail.executeIn(tx, { to: "a" }, { key: "k" })).toEqualTypeOf<
  Provisional<Outcome<{ sent: boolean }, Mailed> | AcceptedOutcome>
>();

// The transaction of an ORM; an effect that asks what became of it; what converges keeps no record.
interface OrmTx {
  insertInto(table: string): Promise<number>;
}
declare const orm: Transactions<OrmTx>;
const withOrm = createReprise({ service: "b", owner: "t", ledger: memoryLedger({ transactions: orm }) });
withOrm.operation({
  name: "refund",
  input: unchecked<{ id: string }>(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: "everyone",
  identity: (input) => [input.id],
  retention: "30d",
  effects: "external",
  run: async ({ effect, transaction, signal }) => {
    const refund = await effect("refund", {
      run: (key) => gateway.charge("c", -1, { idempotencyKey: key, signal }),
      ifUnknown: async (key, aborted) => (await gateway.findCharge(key, aborted)) ?? "never-happened",
      arrivesWithin: "1m",
      deadline: "10s",
    });
    expectTypeOf(refund).toEqualTypeOf<{ id: string }>();
    return transaction((own) => own.insertInto("refunds"), { name: "refund" });
  },
});
withOrm.operation({
  name: "upsert",
  input: unchecked<{ id: string }>(),
  ifRunsAgain: "converges",
  costIfTwice: "noise",
  effects: "database",
  run: ({ tx: own }) => own.insertInto("facts"),
});

// ── a transaction in another database ──

declare const keepsOnly: Ledger<never>;
const elsewhere = createReprise({ service: "shop", owner: "team", ledger: keepsOnly });
const orders = elsewhere.anchor({ ledger: sqliteLedger({ path: "orders.db" }), retention: "30d" });
export const orderPlaced = elsewhere.operation({
  name: "order.place",
  input: unchecked<{ id: string }>(),
  ifRunsAgain: "replays",
  costIfTwice: "money",
  principal: "everyone",
  identity: (asked) => [asked.id],
  retention: "30d",
  effects: "external",
  run: async ({ effect }) => {
    const insert = orders.transaction(async (tx, signal) => {
      expectTypeOf(tx).toEqualTypeOf<SqliteTransaction>();
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      await tx.query("insert into orders default values");
      return { placed: true };
    });
    const placed = await effect("place", insert);
    expectTypeOf(placed).toEqualTypeOf<{ placed: boolean }>();
    return effect("again", { ...insert, deadline: "1m" });
  },
});

// ── carried by HTTP ──

declare module "fastify" {
  interface FastifyRequest {
    readonly session: { readonly user: string };
  }
}
const app = fastify();
// The route's own types reach the carrier.
app.post<{ Body: Omit<BookSeat, "user"> }>(
  "/bookings",
  fastifyHandler(bookSeat, {
    input: (request) => ({ ...request.body, user: request.session.user }),
    principal: (request) => request.session.user,
    reply: (booking) => ({ status: 201, headers: { location: `/bookings/${booking.reference}` }, body: booking }),
    refused: { "sold-out": ({ left }) => ({ body: { left } }) },
  }),
);
// And without a route, the request is typed where it is taken.
export const route = fastifyHandler(bookSeat, {
  input: (request: FastifyRequest<{ Body: Omit<BookSeat, "user"> }>) => ({
    ...request.body,
    user: request.session.user,
  }),
  principal: (request) => request.session.user,
});
export const web: (request: Request) => Promise<Response> = webHandler(cancel, {
  input: (request) => request.json(),
  principal: "everyone",
  bodyLimit: "64kb",
});
