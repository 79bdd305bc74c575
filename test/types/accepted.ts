/**
 * What the types accept and infer: the code of a booking platform, a first use, an ORM, injection and fakes. Compiled by
 * `tsc` and by `accepted.test.ts`; nothing here runs.
 */
import { expectTypeOf } from "expect-type";
import { type FastifyRequest, fastify } from "fastify";
import {
  type AcceptedOutcome,
  type AsideCache,
  type Cache,
  type Cacheable,
  type Cancelled,
  type Config,
  createReprise,
  type DoneOutcome,
  type Joins,
  type Loader,
  loaded,
  notModified,
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
  type WritableCache,
  type WriteBehindCache,
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

const first = createReprise({ service: "shop", undecided: "listed" });
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

// ── a cached read: inference ──

const common = { name: "a", owner: "t", holds: "public", ifStale: "x", freshFor: "60s" } as const;
const everyone = ["tenant", "user", "role", "locale"] as const;

// Any order of properties; an annotated loader gives its own types.
const anyOrder = reprise.cache.readThrough({
  load: async ({ workshop, page }: { workshop: string; page: number }, { signal }) => [workshop, page, signal.aborted],
  changedBy: () => [outcomeOf(bookSeat, ({ workshop }) => ({ workshop }))],
  scope: ["page", "workshop"],
  sameForEvery: everyone,
  ...common,
});
expectTypeOf(anyOrder).toEqualTypeOf<Cache<{ workshop: string; page: number }, (string | number | boolean)[]>>();

// Interfaces, literal unions, optional members, a loader that is not asynchronous.
interface Sorted {
  readonly by: "price" | "date";
  readonly page?: number;
}
const sorted = reprise.cache.readThrough({
  ...common,
  scope: ["by", "page"],
  sameForEvery: everyone,
  load: (scope: Sorted) => ({ by: scope.by }),
});
expectTypeOf(sorted).toEqualTypeOf<Cache<Sorted, { by: "price" | "date" }>>();

// Branded identifiers.
type WorkshopId = string & { readonly brand: "workshop" };
const branded = reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async ({ id }: { id: WorkshopId }) => ({ id }),
});
expectTypeOf(branded).toEqualTypeOf<Cache<{ id: WorkshopId }, { id: WorkshopId }>>();

// Dimensions in the scope, personal data, a computed duration.
const seconds: number = Number("60");
const profile = reprise.cache.readThrough({
  ...common,
  holds: "personal",
  freshFor: `${seconds}s`,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  load: async ({ user }) => ({ name: user }),
});
expectTypeOf(profile).toEqualTypeOf<Cache<{ readonly user: string }, { name: string }>>();

// A value that may be missing.
const found = reprise.cache.readThrough({
  ...common,
  scope: ["slug", "locale"],
  sameForEvery: ["tenant", "user", "role"],
  load: async ({ slug, locale }) => (slug === "" ? undefined : { html: slug + locale }),
});
expectTypeOf(found.get).returns.resolves.toEqualTypeOf<{ html: string } | undefined>();

const search = reprise.cache.cacheAside({
  ...common,
  scope: ["words"],
  sameForEvery: everyone,
  value: unchecked<readonly string[]>(),
});
const looked = await search.lookup({ words: "pottery" });
if (looked.hit) expectTypeOf(looked.value).toEqualTypeOf<readonly string[]>();
else expectTypeOf(looked.store).returns.resolves.toEqualTypeOf<boolean>();
await search.get({ words: "pottery" }, async ({ words }) => [words]);

// A loader handed to `get` is typed by the declared value: literals stay what they are, what it leaves out is optional.
const choices = reprise.cache.cacheAside({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  value: unchecked<{ kind: "course" | "talk"; tags: string[]; at?: Date } | undefined>(),
});
await choices.get({ id: "a" }, async () => ({ kind: "talk", tags: [] }));
await choices.get({ id: "a" }, ({ id }) => loaded({ kind: "talk", tags: [id] }, { tags: [id] }));
await choices.get({ id: "a" }, async () => undefined);
expectTypeOf(choices).toEqualTypeOf<
  AsideCache<{ readonly id: string }, { kind: "course" | "talk"; tags: string[]; at?: Date } | undefined>
>();
// A value may hold promises.
reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async ({ id }) => ({ id, later: Promise.resolve({ id }) }),
});

// Helpers of the user's own, generic in the value, around a cache-aside cache.
export function searchTable<V>(name: string, value: Schema<unknown, Cacheable<V>>): AsideCache<{ id: string }, V> {
  return reprise.cache.cacheAside({ ...common, name, scope: ["id"], sameForEvery: everyone, value });
}
export async function readOrLoad<V>(cache: AsideCache<{ id: string }, V>, load: Loader<{ id: string }, V>): Promise<V> {
  await cache.put({ id: "a" }, await cache.get({ id: "a" }, load));
  return cache.get({ id: "a" }, load);
}

// A helper of the user's own, generic in the value.
export function lookupTable<V>(name: string, find: Loader<string, V>): Cache<{ id: string }, V> {
  return reprise.cache.readThrough({
    ...common,
    name,
    scope: ["id"],
    sameForEvery: everyone,
    load: ({ id }: { id: string }, context) => find(id, context),
  });
}
expectTypeOf(lookupTable("a", async () => 1)).toEqualTypeOf<Cache<{ id: string }, number>>();

// What a source says of a value leaves the value's type as it is; so do Maps, dates and bytes.
const revalidated = reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async ({ id }, { etag }) =>
    etag === undefined ? loaded({ id, at: new Date() }, { etag: "v1", tags: [id], freshFor: "5m" }) : notModified(),
  loadMany: async (scopes, { signal }) =>
    scopes.map(({ id }) => {
      if (signal.aborted) return new Error("too late");
      if (id === "") return undefined;
      return id === "a" ? { id, at: new Date() } : loaded({ id, at: new Date() }, { tags: ["t"] });
    }),
  staleFor: "1h",
  absentFor: "10s",
  deadline: { soft: "100ms", hard: "5s" },
  early: 2,
  protect: "high",
  clone: true,
});
expectTypeOf(revalidated).toEqualTypeOf<Cache<{ readonly id: string }, { id: string; at: Date }>>();
await revalidated.put({ id: "a" }, loaded({ id: "a", at: new Date() }, { tags: ["t"] }));
const collections = reprise.cache.readThrough({
  ...common,
  scope: ["id"],
  sameForEvery: everyone,
  load: async () => ({ seats: new Map([["a", { left: 3 }]]), names: new Set<string>(), bytes: new Uint8Array() }),
});
expectTypeOf(collections.get).returns.resolves.toEqualTypeOf<{
  seats: Map<string, { left: number }>;
  names: Set<string>;
  bytes: Uint8Array<ArrayBuffer>;
}>();

// ── caches that write ──

const written = reprise.cache.writeThrough({
  ...common,
  scope: ["user"],
  sameForEvery: ["tenant", "role", "locale"],
  holds: "personal",
  load: async ({ user }) => ({ name: user }),
  write: async ({ user }, { name }, { signal }) => {
    signal.throwIfAborted();
    void [user, name];
  },
});
expectTypeOf(written).toEqualTypeOf<WritableCache<{ readonly user: string }, { name: string }>>();
await written.write({ user: "u" }, { name: "n" });

const views = reprise.cache.writeBehind({
  ...common,
  scope: ["page"],
  sameForEvery: everyone,
  load: async ({ page }) => page.length,
  writeMany: async (writes) => {
    for (const { scope, value, version } of writes) {
      expectTypeOf(scope).toEqualTypeOf<{ readonly page: string }>();
      expectTypeOf([value, version]).toEqualTypeOf<number[]>();
    }
  },
  ifLost: "never",
});
expectTypeOf(views).toEqualTypeOf<WriteBehindCache<{ readonly page: string }, number>>();
expectTypeOf((await views.dead())[0]?.scope).toEqualTypeOf<{ readonly page: string } | undefined>();

// Without a ledger there is no journal; what a crash may lose is then accepted.
const counted = first.cache.writeBehind({
  name: "views",
  scope: ["page"],
  freshFor: "5m",
  load: async ({ page }) => page.length,
  writeMany: async () => {},
  ifLost: { accept: "5s" },
});
await counted.write({ page: "home" }, 1);

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
    expectTypeOf(cancelled).toEqualTypeOf<DoneOutcome<{ cancelled: string }> | Refused<"not-found">>();
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
