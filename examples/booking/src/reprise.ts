import { type BlobStore, type Duration, outcomeOf } from "reprise";
import type { sqliteLedger } from "reprise/sqlite";
import { config } from "./config.ts";
import { cancelSeat, holdSeat, insertBooking, isWorkshop, letGo } from "./database/bookings.ts";
import type { DatabasePool } from "./database/pool.ts";
import {
  availabilityOf,
  availabilityOfAll,
  bookingsOf,
  listWorkshops,
  saveViews,
  searchWorkshops,
  viewsOf,
} from "./database/queries.ts";
import { declareBadge } from "./functions/badge.ts";
import type { Gateway } from "./gateway/client.ts";
import { bookSeatSchema, cancelBookingSchema, issueRefundSchema, writeStatementSchema } from "./inputs.ts";
import { declareEnrichment, type EnrichmentPace } from "./jobs/enrichment.ts";
import { declareSales, type SalesPace } from "./jobs/sales.ts";
import type { Mails } from "./mail/client.ts";
import type { Broker } from "./messages/broker.ts";
import { declareReleaseQueue, declareReleases, type ReleasePace } from "./messages/releases.ts";
import { declareRequests } from "./messages/requests.ts";
import type { Prices } from "./prices/client.ts";
import { declareService } from "./service.ts";

/** Where the decisions live: what is cached and for how long, what may be repeated and what becomes of it. */

export interface Sources {
  readonly database: DatabasePool;
  readonly gateway: Gateway;
  readonly prices: Prices;
  readonly mails: Mails;
  /** `null`: messages stay in the ledger until somebody is done with them. */
  readonly broker: Broker | null;
  /** Where what was learned of customers is kept. */
  readonly blobs: BlobStore;
  readonly ledger: ReturnType<typeof sqliteLedger>;
  /** How long the availability query holds its connection. */
  readonly availabilityMs: number;
  /** Told of each availability query when it is issued. */
  readonly onAvailabilityQuery?: (() => void) | undefined;
}

/** What an incident scales, or takes away to show what that costs. */
export interface Pace {
  readonly freshFor: Duration;
  readonly staleFor?: Duration | undefined;
  readonly refresh?: { readonly hottest: number; readonly every: Duration } | undefined;
  readonly jitter?: number | undefined;
  readonly deadline?: { readonly soft: Duration; readonly hard: Duration } | undefined;
  readonly queue?: { readonly most: number; readonly then: "stale" | "reject" } | undefined;
  readonly lease: Duration;
  readonly jobs: { readonly sales: SalesPace; readonly enrichment: EnrichmentPace };
  readonly releases: ReleasePace;
}

/** What the platform runs with. */
export const production: Pace = {
  freshFor: "60s",
  staleFor: "5m",
  refresh: { hottest: 170, every: "45s" },
  // a new value is worth a short wait to a visitor; whoever waits longer than this has left
  deadline: { soft: "100ms", hard: "2s" },
  // biome-ignore lint/suspicious/noThenProperty: what becomes of a read too many; a text is nothing to await
  queue: { most: 200, then: "stale" },
  lease: "30s",
  jobs: {
    sales: { every: "2m", lease: "30s", windows: "1mo" },
    enrichment: { every: "1m", lease: "30s", keys: "honoured" },
  },
  releases: { lease: "30s" },
};

/** For incidents that are not about jobs: their first ticks would come some other year. */
export const jobsAtRest: Pace["jobs"] = {
  sales: { ...production.jobs.sales, every: "3650d" },
  enrichment: { ...production.jobs.enrichment, every: "3650d" },
};

export type Booking = ReturnType<typeof declareBooking>;

export function declareBooking(sources: Sources, pace: Pace = production) {
  const { database, gateway, availabilityMs, onAvailabilityQuery } = sources;

  const reprise = declareService(sources.ledger);

  const workshops = reprise.cache.readThrough({
    name: "workshop.list",
    holds: "public",
    ifStale: "A new workshop appears some minutes late.",
    scope: ["page"],
    sameForEvery: ["user", "locale"],
    freshFor: "5m",
    staleFor: "1h",
    source: "database",
    load: ({ page }: { page: number }, { signal }) => listWorkshops(database, page, { signal }),
  });

  const availability = reprise.cache.readThrough({
    name: "workshop.availability",
    holds: "public",
    ifStale: "A visitor may see a seat that was just taken; booking checks again.",
    scope: ["workshop"],
    sameForEvery: ["user", "locale"],
    freshFor: pace.freshFor,
    staleFor: pace.staleFor,
    refresh: pace.refresh,
    jitter: pace.jitter,
    deadline: pace.deadline,
    queue: pace.queue,
    absentFor: pace.freshFor, // somebody tries numbers: most stay unknown
    source: "database",
    protect: "high", // what bookings live on leaves memory last
    load: ({ workshop }, { signal }) => {
      onAvailabilityQuery?.();
      return availabilityOf(database, workshop, { takesMs: availabilityMs, signal });
    },
    // a list of fifty that misses ten asks once
    loadMany: (missing, { signal }) => {
      onAvailabilityQuery?.();
      const workshops = missing.map(({ workshop }) => workshop);
      return availabilityOfAll(database, workshops, { takesMs: availabilityMs, signal });
    },
    changedBy: () => [
      outcomeOf(bookSeat, (input) => ({ workshop: input.workshop })),
      outcomeOf(cancelBooking, (input) => ({ workshop: input.workshop })),
    ],
  });

  const search = reprise.cache.readThrough({
    name: "workshop.search",
    holds: "public",
    ifStale: "A new workshop is found some seconds late.",
    scope: ["words"],
    sameForEvery: ["user", "locale"],
    freshFor: "10s",
    staleFor: "1m",
    source: "database",
    load: ({ words }, { signal }) => searchWorkshops(database, words, { takesMs: config.searchMs, signal }),
  });

  const views = reprise.cache.writeBehind({
    name: "workshop.views",
    holds: "public",
    ifStale: "A page shows some looks fewer.",
    scope: ["workshop"],
    sameForEvery: ["user", "locale"],
    freshFor: "10m",
    ifLost: "never",
    source: "database",
    load: ({ workshop }, { signal }) => viewsOf(database, workshop, { signal }),
    writeMany: (counted, { signal }) =>
      saveViews(
        database,
        counted.map(({ scope, value, version }) => ({ workshop: scope.workshop, views: value, version })),
        { signal },
      ),
  });

  const bookSeat = reprise.operation({
    name: "seat.book",
    input: bookSeatSchema,
    ifRunsAgain: "replays",
    costIfTwice: "money",
    principal: (input) => input.user, // nobody else ever sees this outcome
    identity: (input) => [input.reference],
    retention: "30d",
    lease: pace.lease,
    effects: "external",
    refusals: {
      "sold-out": { status: 409, because: "No seat is left." },
      "no-such-workshop": { status: 404, because: "There is no such workshop." },
      "card-declined": { status: 402, because: "The card was declined; nothing was charged." },
    },
    run: async ({ input, effect, transaction, refuse }) => {
      const held = await transaction(
        async (tx) => {
          const seat = await holdSeat(tx, input);
          if (seat === null) throw refuse((await isWorkshop(tx, input.workshop)) ? "sold-out" : "no-such-workshop");
          return seat;
        },
        { name: "hold" },
      );
      const charge = await effect("charge", {
        ifUnknown: "retry", // the gateway honours the key it is given
        run: (key, signal) =>
          gateway.charge({ reference: input.reference, amountCents: held.priceCents, card: input.card }, key, signal),
      });
      if (charge.state === "declined") {
        await transaction((tx) => letGo(tx, input), { name: "let-go" });
        throw refuse("card-declined");
      }
      return transaction((tx) => insertBooking(tx, input, charge.id), { name: "booking" });
    },
  });

  const released = declareReleaseQueue(reprise, sources.broker, pace.releases);

  const cancelBooking = reprise.operation({
    name: "seat.cancel",
    input: cancelBookingSchema,
    ifRunsAgain: "replays",
    costIfTwice: "trust",
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "30d",
    effects: "database", // claim, change, message and outcome commit together
    refusals: { "no-such-booking": { status: 404, because: "There is no such booking, or it is cancelled already." } },
    run: async ({ input, tx, refuse }) => {
      if (!(await cancelSeat(tx, input))) throw refuse("no-such-booking");
      // last: whoever else cancels waits from here on until this has committed
      await released.publishIn(tx, { user: input.user, reference: input.reference, workshop: input.workshop });
      return { reference: input.reference, cancelled: true };
    },
  });

  const issueRefund = reprise.operation({
    name: "refund.issue",
    input: issueRefundSchema,
    ifRunsAgain: "replays",
    costIfTwice: "money",
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "90d",
    effects: "external",
    run: async ({ input, effect }) => {
      const refund = await effect("refund", {
        ifUnknown: "park", // the gateway takes no key for refunds: a person finds out what became of a lost answer
        run: (_, signal) => gateway.refund({ reference: input.reference, reason: input.reason }, signal),
      });
      return { reference: input.reference, refund: refund.id };
    },
  });

  const writeStatement = reprise.operation({
    name: "statement.write",
    input: writeStatementSchema,
    ifRunsAgain: "replays",
    costIfTwice: "noise",
    principal: (input) => input.user,
    identity: (input) => [input.reference],
    retention: "7d",
    effects: "external",
    dispatch: "background", // nobody waits for it: an instance with a free worker writes it, also after a restart
    run: async ({ input, progress, signal }) => {
      let [booked, cancelled, after] = [0, 0, ""];
      for (;;) {
        const page = await bookingsOf(database, input.user, after, config.statementPage, { signal });
        booked += page.length;
        cancelled += page.filter((booking) => booking.cancelled).length;
        progress(booked);
        after = page.at(-1)?.reference ?? after;
        if (page.length < config.statementPage) return { reference: input.reference, booked, cancelled };
      }
    },
  });

  const requests = declareRequests(reprise, sources.broker);
  const bookingRequests = reprise.consume(bookSeat, requests.requested.source, {
    deliveredWithin: "7d",
    inOrderBy: (input) => input.workshop, // whoever asked first gets the last seat
  });

  return {
    ...{ reprise, workshops, availability, search, views, bookSeat, cancelBooking, issueRefund, writeStatement },
    ...declareSales(reprise, pace.jobs.sales),
    ...declareEnrichment(reprise, sources, pace.jobs.enrichment),
    ...{ requestSeat: requests.requestSeat, bookingRequests },
    ...declareBadge(reprise, database),
    ...declareReleases(reprise, sources.mails, released.source, pace.releases),
  };
}
