import type { Decided } from "../../src/decisions/decided.ts";

const text = (value: string) => ({ is: "declared", value }) as const;
const byDefault = (value: string) => ({ is: "default", value }) as const;
const undecided = { is: "undecided" } as const;

/** What the invented service declares; `quiet`: nothing is left open. */
export function decided(quiet: boolean): readonly Decided[] {
  const cache = (name: string, owner: string, over: Decided["answers"], open: readonly string[] = []): Decided => ({
    kind: "cache",
    name,
    owner,
    undecided: open,
    answers: {
      owner: text(owner),
      pattern: text("read-through"),
      tradeOff: text("A read is as old as its load. What nobody has read yet is loaded while somebody waits."),
      holds: text("public"),
      ifStale: text("A visitor may see a seat that was just taken; booking checks again."),
      scope: text("workshop"),
      sameForEvery: text("tenant, user, role, locale"),
      freshFor: text("60s"),
      staleFor: text("5m"),
      changedBy: text("seat.book (purge)"),
      flight: byDefault("one load per key"),
      loadMany: byDefault("each missing key loads by itself"),
      refresh: text("the 100 hottest, each every 45s"),
      early: byDefault("1"),
      absentFor: byDefault("as long as any value"),
      "deadline.soft": byDefault("a stale value is served at once"),
      "deadline.hard": byDefault("30s"),
      queue: byDefault("as many reads wait as come"),
      source: byDefault("no bound that caches share"),
      jitter: byDefault("0.1"),
      protect: byDefault("as any other entry"),
      clone: byDefault(
        "all reads share one value; outside production its objects, arrays, maps, sets and dates are read-only",
      ),
      secrets: byDefault("warn, and off in production"),
      ...over,
    },
  });
  const operation = (
    name: string,
    owner: string | undefined,
    over: Decided["answers"],
    open: readonly string[] = [],
  ): Decided => ({
    kind: "operation",
    name,
    owner,
    undecided: open,
    answers: {
      owner: owner === undefined ? undecided : text(owner),
      ifRunsAgain: text("replays"),
      costIfTwice: text("money"),
      effects: text("external"),
      input: text("checked by a schema"),
      principal: text("from the input"),
      identity: text("from the input"),
      retention: text("30d"),
      lease: byDefault("30s"),
      ...over,
    },
    contract: {
      promise: "Safe to retry with the same key for 30 days.",
      key: { required: true, maxLength: 255 },
      identity: "from-input",
      principal: "from-input",
      retention: "30d",
      answers: [
        { status: 201, means: "Booked; the same answer if you had asked before.", do: "nothing", is: "done" },
        { status: 400, means: "The key is missing.", do: "make a key", is: "problem", codes: ["REPRISE_KEY_MISSING"] },
        {
          status: 409,
          means: "Your first attempt is still working.",
          do: "wait as told, repeat",
          is: "problem",
          codes: ["REPRISE_RUNNING"],
        },
        {
          status: 422,
          means: "This key came with another body before.",
          do: "do not repeat",
          is: "problem",
          codes: ["REPRISE_MISMATCH"],
        },
        { status: 503, means: "Nothing was done.", do: "repeat", is: "problem", codes: ["REPRISE_LEDGER_AWAY"] },
      ],
    },
  });
  return [
    cache("workshop.availability", "booking-team", {
      loadMany: text("one call for all that is missing"),
      absentFor: text("30s"),
      "deadline.soft": text("100ms"),
      "deadline.hard": text("5s"),
      queue: text("200 may wait, then stale"),
      source: text("bookings, 6 loads at once"),
      protect: text("high"),
    }),
    cache("workshop.detail", "catalogue-team", {
      freshFor: text("10m"),
      staleFor: text("1h"),
      scope: text("workshop, locale"),
      changedBy: byDefault("time alone"),
      refresh: byDefault("none in the background"),
    }),
    cache("instructor.profile", "catalogue-team", {
      freshFor: text("15m"),
      scope: text("instructor"),
      changedBy: byDefault("time alone"),
      pattern: text("write-through"),
      tradeOff: text("Whoever reads after a write has its value or a newer one. A write takes as long as the source."),
      write: text("to the source, then to the cache"),
      early: text("never"),
    }),
    quiet
      ? cache("search.suggest", "search-team", { pattern: text("cache-aside") })
      : cache(
          "search.suggest",
          "search-team",
          {
            pattern: text("cache-aside"),
            ifStale: undecided,
            freshFor: text("30s"),
            staleFor: byDefault("not served stale"),
          },
          ["ifStale"],
        ),
    cache("page.views", "growth-team", {
      pattern: text("write-behind"),
      tradeOff: text("Readers of the cache see a write at once; whoever reads the source itself sees it late."),
      write: text("to the journal, later to the source"),
      ifLost: text("never"),
      scope: text("page"),
      changedBy: byDefault("time alone"),
      refresh: byDefault("none in the background"),
    }),
    operation("seat.book", "booking-team", {}),
    operation("seat.release", "booking-team", { ifRunsAgain: text("converges"), costIfTwice: text("nothing") }),
    quiet
      ? operation("newsletter.subscribe", "growth-team", { costIfTwice: text("trust") })
      : operation("newsletter.subscribe", undefined, { costIfTwice: undecided }, ["owner", "costIfTwice"]),
  ];
}
