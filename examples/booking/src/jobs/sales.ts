import type { Duration } from "reprise";
import type { Service } from "../service.ts";

/** The reporting team's bookings: the fact table is made to agree with what was staged, however that came. */

/** What an incident scales. */
export interface SalesPace {
  readonly every: Duration;
  readonly lease: Duration;
  readonly windows: "1d" | "1mo";
}

export function declareSales(reprise: Service, pace: SalesPace) {
  const sales = reprise.load({
    name: "bookings.fact",
    owner: "reporting-team",
    ifRunsAgain: "converges",
    from: "staged_bookings",
    into: "fact_bookings",
    identity: ["user", "reference"], // two users may give their bookings the same reference
    newer: "source_version", // a delivery of long ago changes nothing
    ifSameVersionDiffers: "refuse",
    ifSourceRepeatsKey: "newest", // each change of a booking is staged, and some arrive twice
    ifSourceLost: "keep",
    windows: { by: "changed_on", each: pace.windows },
    lease: pace.lease,
  });

  const loadSales = reprise.schedule({
    name: "bookings.load",
    owner: "reporting-team",
    every: pace.every,
    ifStillRunning: "walk-away",
    ifMissed: { run: "latest", within: "1h" }, // it loads whatever is staged: older ticks have nothing of their own
    costIfTwice: "nothing",
    retention: "7d",
    run: async ({ signal, progress }) => {
      const result = await sales.run({ signal, progress: ({ done, skipped, of }) => progress(done + skipped, of) });
      if (result.status === "refused") throw new Error(result.because.map(({ why }) => why).join(" "));
      return result.status === "running"
        ? { status: result.status }
        : { status: result.status, read: result.read, inserted: result.inserted, updated: result.updated };
    },
  });

  return { sales, loadSales };
}
