import { systemClock } from "../../src/base/clock.ts";
import { RepriseError } from "../../src/base/errors.ts";
import { createHistogram } from "../../src/base/histogram.ts";
import type { WorkId } from "../../src/base/names.ts";
import { createCacheCounters } from "../../src/cache/counters.ts";
import type { Resolution } from "../../src/contract/journal.ts";
import type { Ledger, RunHistory, RunSummary } from "../../src/contract/ledger.ts";
import type { Decided } from "../../src/decisions/decided.ts";
import type { Inside } from "../../src/observe/inside.ts";
import { type Snapshot, snapshot } from "../../src/observe/snapshot.ts";
import { createOperationCounters } from "../../src/operation/counters.ts";
import type { Incident, IncidentResult, IncidentSide } from "../../src/page/incident.ts";
import type { Shown } from "../../src/page/index.ts";

/** A reprise with an hour of invented, deterministic history behind it, for looking at the page. */

const cacheNames = ["workshop.availability", "workshop.detail", "instructor.profile", "search.suggest"] as const;
const shares = [0.52, 0.27, 0.13, 0.08] as const;
const hourMs = 3_600_000;

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const bump = (minute: number, center: number, rise: number, fall: number) =>
  minute < center ? 0 : Math.exp(-(minute - center) / fall) * (1 - Math.exp(-(minute - center) / rise));

const text = (value: string) => ({ is: "declared", value }) as const;
const byDefault = (value: string) => ({ is: "default", value }) as const;
const undecided = { is: "undecided" } as const;

export interface FakeOptions {
  readonly empty?: boolean;
  readonly ledger?: "there" | "away" | "none";
  readonly quiet?: boolean;
  readonly gap?: boolean;
}

export function fakeReprise(options: FakeOptions = {}): Shown & { readonly close: () => void } {
  const now = Date.now();
  const closing = new AbortController();
  const names = options.empty === true ? [] : cacheNames;
  const caches = names.map((name) => ({ name, counters: createCacheCounters(), entries: 0 }));
  const operations =
    options.empty === true
      ? []
      : ["seat.book", "seat.release", "newsletter.subscribe"].map((name) => ({
          name,
          counters: createOperationCounters(),
        }));

  /** Moves the counters on by `seconds`, as traffic at that minute would have. */
  const advance = (minute: number, seconds: number, noise: () => number, scale = 1) => {
    const wobble = () => noise() + noise() - 1;
    const announcement = bump(minute, -32, 0.9, 5.5);
    const purge = bump(minute, -45, 0.15, 1.1);
    for (const [index, cache] of caches.entries()) {
      const share = (shares[index] ?? 0.1) * scale;
      const reads = (1_180 + 70 * Math.sin(minute / 9) + 28 * wobble() + 1_750 * announcement) * share * seconds;
      const source = Math.max(0.2, (2.9 + 0.5 * wobble() + 27 * purge + 1.1 * announcement) * share) * seconds;
      const shared = (24 + 4 * wobble() + 190 * purge + 62 * announcement) * share * seconds;
      const stale = (11 + 2 * wobble()) * share * seconds;
      const { counters } = cache;
      counters.source += Math.round(source);
      counters.shared += Math.round(shared);
      counters.stale += Math.round(stale);
      counters.memory += Math.round(reads - source - shared - stale);
      counters.loads += Math.round(source + 0.9 * share * seconds);
      counters.refreshes += index === 0 ? Math.round(1.9 * seconds * scale) : 0;
      counters.evicted += index === 3 ? Math.round((0.2 + 0.3 * announcement) * seconds) : 0;
      counters.purged += Math.round(0.4 * share * seconds);
      for (let load = 0; load < source; load += 1) counters.loadTime.observe(20 + 60 * (index + 1) * noise() ** 3);
      cache.entries = Math.min(4_000, cache.entries + 3);
    }
    for (const [index, { counters }] of operations.entries()) {
      const per = (index === 0 ? 0.7 : 0.12) * scale * seconds * (1 + 1.6 * announcement);
      counters.ran += Math.round(per + 0.6 * wobble());
      counters.replayed += Math.round(per * (0.12 + 0.3 * announcement) + 0.3 * noise());
      counters.refused += noise() < 0.06 ? 1 : 0;
      counters.mismatch += noise() < 0.003 ? 1 : 0;
      for (let run = 0; run < per; run += 1) counters.duration.observe(80 + 500 * noise() ** 4);
    }
  };

  const journal: { readonly resolution: Resolution; readonly at: number; readonly body: string; instance: string }[] =
    [];
  const insideOf = (instance: string, startedAt: number, at: () => number): Inside => ({
    service: "booking",
    instance,
    startedAt,
    clock: () => ({ ...systemClock, now: at }),
    closing: closing.signal,
    ledger: () => (options.ledger === "none" ? undefined : ledger),
    started: () => Promise.resolve(),
    caches: () =>
      caches.map(({ name, counters, entries }) => ({
        name,
        owner: "booking-team",
        counters,
        entries: () => entries,
        declaration: { pattern: "read-through", name, scope: ["workshop"], freshFor: "60s" },
      })),
    operations: () =>
      operations.map(({ name, counters }) => ({
        name,
        owner: "booking-team",
        counters,
        declaration: {
          name,
          input: {} as never,
          effects: "external",
          run: () => Promise.resolve(),
        },
      })),
    memory: () => ({ entries: caches.reduce((sum, { entries }) => sum + entries, 0), maxEntries: 10_000, declared: false }),
  });

  // two instances with the same counters shape: the second one is history only and falls silent when asked to
  for (const [name, startMinute, seed] of [
    ["web-1", -75, 3],
    ["web-2", -75, 5],
  ] as const) {
    const noise = random(seed);
    for (const { counters } of caches) Object.assign(counters, createCacheCounters());
    for (const { counters } of operations) Object.assign(counters, createOperationCounters());
    for (const cache of caches) cache.entries = 400;
    const last = name === "web-2" ? -40 : 0;
    for (let second = startMinute * 60; second <= last; second += 10) {
      const at = now + second * 1_000;
      advance(second / 60, 10, noise, 0.5);
      const body = JSON.stringify(snapshot(insideOf(name, now + startMinute * 60_000, () => at)));
      const inGap = options.gap === true && second > -900 && second < -600;
      if (!inGap) journal.push({ resolution: "fine", instance: name, at, body });
      if (second % 300 === 0) journal.push({ resolution: "coarse", instance: name, at, body });
    }
  }

  const run = (id: string, over: Partial<RunSummary>): RunSummary => ({
    id: id as WorkId,
    operation: "seat.book",
    identity: "BK-20461",
    principal: "user u_8812",
    key: "c01d…9e",
    owner: "web-1",
    state: "done",
    refused: false,
    createdAt: now - 18 * 60_000,
    endedAt: now - 18 * 60_000 + 412,
    leaseUntil: null,
    keepUntil: now + 30 * 86_400_000,
    token: 1,
    print: { version: 1, hash: "41f0b2aa" },
    why: null,
    ...over,
  });
  const unknownAt = now - 2 * hourMs - 660_000;
  const runs: readonly RunSummary[] = [
    run("a1", { createdAt: now - 2_300, endedAt: null, state: "running", identity: "BK-20482" }),
    run("a2", { createdAt: now - 61_000, endedAt: now - 60_600, identity: "BK-20479" }),
    run("a3", { createdAt: now - 240_000, endedAt: now - 239_800, identity: "BK-20470", refused: true }),
    run("b1", { token: 2, owner: "web-2", endedAt: now - 18 * 60_000 + 30_370 }),
    // more than a list holds: what needs a person must be found behind them
    ...Array.from({ length: 60 }, (_, index) =>
      run((0xd00 + index).toString(16), {
        identity: `BK-${20_460 - index}`,
        createdAt: now - (19 + index) * 60_000,
        endedAt: now - (19 + index) * 60_000 + 390,
      }),
    ),
    ...(options.quiet === true
      ? []
      : [
          run("c1", {
            identity: "BK-20377",
            state: "unknown",
            refused: null,
            createdAt: unknownAt,
            endedAt: unknownAt + 53_000,
            token: 2,
            owner: "web-2",
            why: "the gateway never answered (REPRISE_EFFECT_TIMEOUT)",
          }),
        ]),
  ];
  const effect = (
    name: string,
    startedAt: number,
    pinnedAt: number | null,
    token = 1,
    kind: "effect" | "transaction" = "effect",
  ) =>
    ({
      effect: name,
      kind,
      state: pinnedAt === null ? "started" : "pinned",
      startedAt,
      pinnedAt,
      settlesInMs: 0,
      answer: "canary-answer-4111111111111111",
      token,
    }) as const;
  const history = (id: string): RunHistory | null => {
    const found = runs.find((one) => one.id === id);
    if (found === undefined) return null;
    const at = found.createdAt;
    if (id === "c1") {
      return {
        run: found,
        effects: [effect("charge", at + 13, null)],
        attempts: [
          { at: at + 32_262, what: "taken-over", owner: "web-1", token: 1, why: null },
          { at: at + 53_000, what: "parked", owner: "web-2", token: 2, why: "the other side was asked three times" },
        ],
      };
    }
    if (id === "b1") {
      return {
        run: found,
        effects: [effect("charge", at + 10, at + 325), effect("book", at + 30_366, at + 30_366, 2, "transaction")],
        attempts: [{ at: at + 30_357, what: "taken-over", owner: "web-1", token: 1, why: null }],
      };
    }
    return { run: found, effects: found.state === "running" ? [effect("charge", at + 9, null)] : [], attempts: [] };
  };
  const ledgerAway = () =>
    Promise.reject(new RepriseError("REPRISE_LEDGER_AWAY", { ledger: "sqlite", doing: "reading" }));
  const ledger = {
    name: "sqlite",
    transactional: true,
    open: () => Promise.resolve(),
    recent: ({ limit, operation, state }: { limit: number; operation?: string; state?: string }) =>
      options.ledger === "away"
        ? ledgerAway()
        : Promise.resolve(
            options.empty === true
              ? []
              : runs
                  .filter((one) => operation === undefined || one.operation === operation)
                  .filter((one) => state === undefined || one.state === state)
                  .slice(0, limit),
          ),
    history: (id: string) => Promise.resolve(history(id)),
    journal: {
      append: () => Promise.resolve(),
      read: (resolution: Resolution, since: number) =>
        options.ledger === "away"
          ? ledgerAway()
          : Promise.resolve(journal.filter((entry) => entry.resolution === resolution && entry.at >= since)),
      forget: () => Promise.resolve(),
    },
  } as unknown as Ledger<unknown>;

  // the living process goes on from where its history ended
  for (const cache of caches) {
    const before = (JSON.parse(lastOf("web-1")) as Snapshot).caches[cache.name];
    Object.assign(cache.counters, createCacheCounters(), before?.counts ?? {});
    cache.entries = before?.entries ?? 0;
  }
  for (const { name, counters } of operations) {
    Object.assign(
      counters,
      createOperationCounters(),
      (JSON.parse(lastOf("web-1")) as Snapshot).operations[name]?.counts ?? {},
    );
    Object.assign(counters, { duration: createHistogram() });
  }
  function lastOf(instance: string): string {
    return journal.filter((entry) => entry.instance === instance && entry.resolution === "fine").at(-1)?.body ?? "{}";
  }
  const noise = random(9);
  const timer = setInterval(() => advance(0, 1, noise, 0.5), 1_000);
  timer.unref();
  const startedAt = now - 75 * 60_000;
  const writer = setInterval(() => {
    const body = JSON.stringify(snapshot(insideOf("web-1", startedAt, () => Date.now())));
    journal.push({ resolution: "fine", instance: "web-1", at: Date.now(), body });
  }, 10_000);
  writer.unref();

  return {
    decisions: () => (options.empty === true ? [] : decided(options.quiet === true)),
    "~inside": insideOf("web-1", startedAt, () => Date.now()),
    close: () => {
      clearInterval(timer);
      clearInterval(writer);
      closing.abort();
    },
  };
}

function decided(quiet: boolean): readonly Decided[] {
  const cache = (name: string, owner: string, over: Decided["answers"], open: readonly string[] = []): Decided => ({
    kind: "cache",
    name,
    owner,
    undecided: open,
    answers: {
      owner: text(owner),
      pattern: text("read-through"),
      holds: text("public"),
      ifStale: text("A visitor may see a seat that was just taken; booking checks again."),
      scope: text("workshop"),
      sameForEvery: text("tenant, user, role, locale"),
      freshFor: text("60s"),
      staleFor: text("5m"),
      changedBy: text("seat.book (purge)"),
      flight: byDefault("one load per key"),
      refresh: text("the 100 hottest, each every 45s"),
      jitter: byDefault("0.1"),
      deadline: byDefault("30s"),
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
      answers: [
        { status: 201, means: "Booked; the same answer if you had asked before.", do: "nothing" },
        { status: 400, means: "The key is missing.", do: "make a key" },
        { status: 409, means: "Your first attempt is still working.", do: "wait as told, repeat" },
        { status: 422, means: "This key came with another body before.", do: "do not repeat" },
        { status: 503, means: "Nothing was done.", do: "repeat" },
      ],
    },
  });
  return [
    cache("workshop.availability", "booking-team", {}),
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
    operation("seat.book", "booking-team", {}),
    operation("seat.release", "booking-team", { ifRunsAgain: text("converges"), costIfTwice: text("nothing") }),
    quiet
      ? operation("newsletter.subscribe", "growth-team", { costIfTwice: text("trust") })
      : operation("newsletter.subscribe", undefined, { costIfTwice: undecided }, ["owner", "costIfTwice"]),
  ];
}

function stampedeSide(bad: boolean): IncidentSide {
  const noise = random(bad ? 43 : 47);
  const x = Array.from({ length: 181 }, (_, index) => -30 + index * 2);
  const arrivals = x.map((at) => (at < 4 ? 4.4 : 4.4 + 34 * Math.exp(-(at - 4) / 95)) + noise());
  const load = (at: number) => (at < 0 ? 0 : at < 6 ? at / 6 : at <= 200 ? 1 : at < 290 ? (290 - at) / 90 : 0);
  const f = x.map((at) => (bad ? load(at) : 0));
  return {
    title: bad ? "Without" : "With Reprise",
    note: bad ? "cache-aside, 60 s, as most people write it" : "as declared in reprise.ts",
    figures: [
      { label: "Outage", value: bad ? "241" : "0", unit: "s", bad },
      { label: "Saw an error", value: bad ? "2,914" : "0", unit: "people", bad },
      {
        label: "Queries at most",
        value: bad ? "224" : "2.7",
        unit: bad ? "/s, 112× normal" : "/s, 1.3× normal",
        bad: false,
      },
      { label: "Slowest 1 in 100", value: bad ? "10.1" : "38", unit: bad ? "s" : "ms", bad: false },
    ],
    panes: [
      {
        title: "Arrivals, per second, the same on both sides",
        unit: "/s",
        scale: "linear",
        x,
        lines: [{ name: "arrivals", kind: "area", values: arrivals }],
      },
      {
        title: "Database queries, per second",
        unit: "/s",
        scale: "linear",
        x,
        lines: [
          {
            name: "queries",
            kind: "area",
            values: f.map((one, i) => 2 + noise() * 0.7 + one * (x[i] === 6 ? 222 : 160 + 20 * noise())),
          },
        ],
        limit: { value: 40, label: "a pool of 10 can do 40" },
      },
      {
        title: "Time to answer: p50 and p99",
        unit: "ms",
        scale: "log",
        x,
        lines: [
          { name: "p50", kind: "line", values: f.map((one) => 8 + noise() + one * one * 3_100) },
          { name: "p99", kind: "line", values: f.map((one) => 25 + 4 * noise() + one * 9_400) },
        ],
      },
      {
        title: "Errors people saw, per second",
        unit: "/s",
        scale: "linear",
        x,
        lines: [{ name: "errors", kind: "area", values: f.map((one, i) => (arrivals[i] ?? 0) * one * 0.6) }],
      },
    ],
    marks: [
      { at: 0, label: "expiry" },
      { at: 4, label: "announcement" },
    ],
    ...(bad ? { outage: { from: 6, to: 247, seconds: 241 } } : {}),
  };
}

const points = ["claim", "start", "send", "answer", "pin", "transaction", "completion"] as const;

function chargeSide(bad: boolean): IncidentSide {
  const noise = random(77);
  const events = Array.from({ length: 50 }, (_, index) => {
    const point = points[Math.floor((index / 50) * points.length)] ?? "claim";
    const twice = bad && (index > 14 ? index < 34 : noise() < 0.2);
    return { point, charges: twice ? 2 : 1, bookings: 1, told: twice ? "201, again" : "201", bad: twice };
  });
  const twice = events.filter((event) => event.bad).length;
  return {
    title: bad ? "Without" : "With Reprise",
    note: bad ? "a key table: check, work, save" : "claim, pinned effect, one transaction",
    figures: [
      { label: "Charged twice", value: String(twice), unit: "of 50 customers", bad: twice > 0 },
      { label: "Taken and not owed", value: `€${twice * 90}`, unit: "", bad: twice > 0 },
      { label: "Charged, no booking", value: bad ? "3" : "0", unit: "", bad },
      { label: "Retry told the truth", value: bad ? "24" : "50", unit: "of 50", bad: false },
    ],
    panes: [],
    marks: [],
    events,
  };
}

export function fakeIncidents(): readonly Incident[] {
  const at = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const stampede: IncidentResult = {
    at,
    headline: "Four minutes of outage, or none.",
    sides: [stampedeSide(true), stampedeSide(false)],
    rowHeads: ["Queries/s at most", "Outage, s"],
    rows: [
      { taken: "Refresh of the hottest, every 45 s", figures: [9.4, 0] },
      { taken: "One flight per key", figures: [2.9, 0] },
      { taken: "Stale while refreshing", figures: [3.1, 0] },
      { taken: "Flight, refresh and stale together", figures: [187, 203] },
    ],
    facts: [
      { name: "Arrivals", value: "5,208 visitors in 5.5 min, open arrivals, Zipf 1.1 over 200 workshops, seed 7" },
      { name: "Database", value: "SQLite, 45 ms a query, pool of 10, requests time out after 10 s" },
      { name: "Time", value: "scaled 10 : 1; axes show the original time" },
    ],
    again: "npm run -s incident -- stampede --seed 7",
  };
  const charge: IncidentResult = {
    at,
    headline: "Charged twice, or once.",
    sides: [chargeSide(true), chargeSide(false)],
    rowHeads: ["Without", "With"],
    rows: [
      { taken: "Two requests at once", figures: [2, 1] },
      { taken: "Retried during the first", figures: [2, 1] },
      { taken: "Lost the answer, retried", figures: [1, 1] },
    ],
    facts: [
      { name: "Killed", value: "SIGKILL at 50 moments spread over one booking, process restarted, client retries" },
      { name: "Gateway", value: "a second process with its own database; honours keys and counts every charge" },
    ],
    again: "npm run -s incident -- double-charge",
  };
  const incident = (name: string, title: string, story: string, result: IncidentResult): Incident => {
    let last: IncidentResult | undefined = result;
    return {
      name,
      title,
      story,
      takesSeconds: 4,
      start: async (progress) => {
        for (let step = 0; step <= 8; step += 1) {
          progress(step < 4 ? "without, second 30" : "with, second 30", step / 8);
          await new Promise((resolve) => setTimeout(resolve, 250));
        }
        last = { ...result, at: new Date().toISOString() };
        return last;
      },
      lastResult: () => Promise.resolve(last),
    };
  };
  return [
    incident(
      "stampede",
      "Stampede",
      "All availability keys were set together, so they expire together, four seconds before an announcement. Both sides replay the same recorded arrivals against the same small database.",
      stampede,
    ),
    incident(
      "double-charge",
      "Double charge",
      "The process is killed at 50 different moments of one booking, restarted, and the client retries with the same key.",
      charge,
    ),
  ];
}
