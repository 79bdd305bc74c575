import type { DatabasePool } from "../database/pool.ts";
import type { Prices } from "../prices/client.ts";
import type { Booking } from "../reprise.ts";

/** How long the price API may take to tell its bill. */
const billMs = 2_000;

export interface JobsSources {
  readonly database: DatabasePool;
  readonly booking: Booking;
  readonly prices: Prices;
}

/** What the jobs did last, what came of it, and what it cost. */
export async function tellJobs({ database, booking, prices }: JobsSources) {
  const [sales, enrichment, runs, counted, bill] = await Promise.all([
    booking.loadSales.standing(),
    booking.enrichCustomers.standing(),
    booking.sales.runs(1),
    database.query(`
      select (select count(*) from staged_bookings) as staged, (select count(*) from fact_bookings) as facts,
        (select count(*) from customers) as customers,
        (select count(*) from customers where enriched < change) as pending`),
    // the platform is none the worse where nobody tells what it owes
    prices.bill(AbortSignal.timeout(billMs)).catch(() => null),
  ]);
  const [rows] = counted;
  return {
    load: { next: sales.next, lastTick: sales.ticks.at(-1) ?? null, lastRun: runs[0]?.counts ?? null },
    facts: { staged: Number(rows?.["staged"]), rows: Number(rows?.["facts"]) },
    worker: { next: enrichment.next, lastTick: enrichment.ticks.at(-1) ?? null },
    customers: { known: Number(rows?.["customers"]), pending: Number(rows?.["pending"]) },
    bill,
    messages: { bookings: booking.bookingRequests.counts(), releases: booking.releases.counts() },
  };
}
