import type { BlobStore, Duration, Schema } from "reprise";
import { type CustomerChange, markEnriched, pendingCustomers } from "../database/customers.ts";
import type { Prices } from "../prices/client.ts";
import type { Service } from "../service.ts";

/** What it costs to cover a customer is asked of the price API when they change, and kept as a blob. */

export interface EnrichmentSources {
  readonly prices: Prices;
  readonly blobs: BlobStore;
}
/** What an incident scales, and what it takes away. */
export interface EnrichmentPace {
  readonly every: Duration;
  readonly lease: Duration;
  /** Whether the price API knows a key again. Where it does not, a lost answer waits for a person: asking costs money. */
  readonly keys: "honoured" | "ignored";
}

export function declareEnrichment(reprise: Service, { prices, blobs }: EnrichmentSources, pace: EnrichmentPace) {
  const enrichCustomer = reprise.operation({
    name: "customer.enrich",
    owner: "crm-team",
    input: customerChangeSchema,
    ifRunsAgain: "replays",
    costIfTwice: "money", // each call is on the bill
    principal: "everyone",
    identity: ({ customer, change }) => [customer, change],
    retention: "90d",
    lease: pace.lease,
    effects: "external",
    run: async ({ input, pinned, transaction }) => {
      // no two calls bring the same price: the first one is kept
      const price = await pinned("price", (key, signal) => prices.ask(input, key, signal), {
        ifUnknown: pace.keys === "honoured" ? "retry" : "park",
      });
      // made of what is recorded alone: who writes it again, however late, writes the same bytes
      const bytes = new TextEncoder().encode(JSON.stringify({ ...input, ...price }));
      const put = await blobs.putIfAbsent(blobOf(input), bytes);
      if (put.is === "differs") throw new Error("There is another blob of this customer's change.");
      await transaction((tx) => markEnriched(tx, input), { name: "mark" });
      return { blob: blobOf(input) };
    },
  });

  const enrichCustomers = reprise.schedule({
    name: "customers.enrich",
    owner: "crm-team",
    every: pace.every,
    ifStillRunning: "walk-away",
    ifMissed: { run: "latest", within: "1h" }, // its list holds whoever an earlier tick left out
    costIfTwice: "money",
    retention: "90d",
    lease: pace.lease,
    work: ({ tick, tx }) => pendingCustomers(tx, tick.at.getTime()),
    each: enrichCustomer,
  });

  return { enrichCustomer, enrichCustomers };
}

export function blobOf({ customer, change }: CustomerChange): string {
  return `customers/${customer}/${change}.json`;
}

const customerChangeSchema: Schema<CustomerChange> = {
  "~standard": {
    version: 1,
    vendor: "booking",
    validate: (given) => {
      const { customer, change } = (given ?? {}) as Partial<CustomerChange>;
      if (typeof customer !== "string" || !Number.isSafeInteger(change)) {
        return { issues: [{ message: "a customer and the number of a change" }] };
      }
      return { value: { customer, change: Number(change) } };
    },
  },
};
