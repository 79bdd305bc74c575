import { systemClock } from "../../src/base/clock.ts";
import { RepriseError } from "../../src/base/errors.ts";
import { createHistogram } from "../../src/base/histogram.ts";
import type { WorkId } from "../../src/base/names.ts";
import { unchecked } from "../../src/base/schema.ts";
import { createCacheCounters } from "../../src/cache/counters.ts";
import { type ConsumeCounters, createConsumeCounters } from "../../src/consume/counters.ts";
import type { Resolution } from "../../src/contract/journal.ts";
import type { AttemptRecord, Intervention, Ledger, Note, RunHistory, RunSummary } from "../../src/contract/ledger.ts";
import { decideConsumer, decideLoad, decideOutbox, decideSchedule } from "../../src/decisions/decide.ts";
import type { Inside } from "../../src/observe/inside.ts";
import { type Snapshot, snapshot } from "../../src/observe/snapshot.ts";
import { createOperationCounters } from "../../src/operation/counters.ts";
import { createOutboxCounters, type OutboxCounters } from "../../src/outbox/counters.ts";
import type { Shown } from "../../src/page/index.ts";
import { decided } from "./fake-decisions.ts";
import { fakeLoads, fakeSchedules } from "./fake-jobs.ts";
import { fakeCurve, fakeExplain, scopes } from "./fake-memory.ts";
import { fakeConsumers, receiveMessages } from "./fake-messages.ts";
import { fakeOutboxes, sendMessages } from "./fake-outboxes.ts";
import { random } from "./random.ts";

/** A reprise with an hour of invented, deterministic history behind it, for looking at the page. */

const cacheNames = [
  "workshop.availability",
  "workshop.detail",
  "instructor.profile",
  "search.suggest",
  "page.views",
] as const;
const shares = [0.52, 0.26, 0.12, 0.08, 0.02] as const;
const hourMs = 3_600_000;

const bump = (minute: number, center: number, rise: number, fall: number) =>
  minute < center ? 0 : Math.exp(-(minute - center) / fall) * (1 - Math.exp(-(minute - center) / rise));

export interface FakeOptions {
  readonly empty?: boolean;
  readonly ledger?: "there" | "away" | "none";
  readonly quiet?: boolean;
  readonly gap?: boolean;
  /** A run that no attempt ended, and that was set aside for it. */
  readonly poisoned?: boolean;
  /** An effect was answered twice, five minutes ago. */
  readonly twice?: boolean;
  /** A booking succeeded under two keys, 17 minutes apart. */
  readonly second?: boolean;
  /** Loads and schedules are declared too. */
  readonly jobs?: boolean;
  /** Consumers are declared too. */
  readonly messages?: boolean;
  /** Who watches the working set has seen too little to tell, or nobody watches. */
  readonly curve?: "few" | "none";
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

  const jobs = options.jobs === true && options.empty !== true;
  const loads = jobs ? fakeLoads(now, options.quiet === true) : [];
  const schedules = jobs ? fakeSchedules(now, options.quiet === true) : [];

  const consumers =
    options.messages === true && options.empty !== true ? fakeConsumers(now, options.quiet === true) : [];
  const outboxes = options.messages === true && options.empty !== true ? fakeOutboxes(now, options.quiet === true) : [];

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
      counters.early += index < 2 ? Math.round((1.4 + 0.6 * wobble() + announcement) * share * seconds) : 0;
      counters.lapsed += Math.round(0.6 * share * seconds + noise());
      counters.crowded += index === 0 && announcement > 0.6 ? 1 : 0;
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
      counters.answeredTwice += options.twice === true && index === 0 && minute === -5 ? 1 : 0;
      counters.mismatch += noise() < 0.003 ? 1 : 0;
      for (let run = 0; run < per; run += 1) counters.duration.observe(80 + 500 * noise() ** 4);
    }
    if (options.quiet !== true) receiveMessages(consumers, seconds * scale, noise);
    if (options.quiet !== true) sendMessages(outboxes, seconds * scale, noise);
  };

  const journal: { readonly resolution: Resolution; readonly at: number; readonly body: string; instance: string }[] =
    [];
  const insideOf = (instance: string, startedAt: number, at: () => number): Inside => ({
    service: "booking",
    instance,
    startedAt,
    clock: () => ({ ...systemClock, now: at }),
    closing: closing.signal,
    anchorLedgers: () => [],
    ledger: () => (options.ledger === "none" ? undefined : ledger),
    started: () => Promise.resolve(),
    connected: () => Promise.resolve(options.ledger === "none" ? undefined : ledger),
    stayAside: () => {},
    keepUp: async () => {},
    caches: () =>
      caches.map(({ name, counters, entries }) => ({
        name,
        owner: "booking-team",
        counters,
        entries: () => entries,
        declaration: { pattern: "read-through", name, scope: scopes[name] ?? ["workshop"], freshFor: "60s" },
        explain: fakeExplain,
        pendingWrites: () => (name === "page.views" ? 12 : undefined),
      })),
    operations: () =>
      operations.map(({ name, counters }) => ({
        name,
        owner: "booking-team",
        counters,
        declaration: {
          name,
          input: unchecked(),
          effects: "external",
          principal: "everyone",
          identity: "callers-key",
          costIfTwice: "money",
          ...(options.second === true && name === "seat.book"
            ? { sameIntent: { of: () => ["seat"], within: "10m" } as const }
            : {}),
          refusals: {
            "sold-out": { status: 409, because: "No seat is left." },
            "card-declined": { status: 402, because: "No." },
          },
          retention: "30d",
          run: () => Promise.resolve(),
        },
      })),
    memory: () => {
      const entries = caches.reduce((sum, one) => sum + one.entries, 0);
      const bound = { unit: "bytes", most: 64 * 2 ** 20 } as const;
      return { entries, bytes: entries * 2_600, bound, eviction: "lfu", declared: true };
    },
    schedules: () => schedules,
    consumers: () => consumers,
    outboxes: () => outboxes,
    loads: () => loads,
    watchRoutes: () => {},
    routes: () => [],
    curve: (cache) => (options.curve === "none" ? undefined : fakeCurve(cache, options.curve === "few")),
  });

  const counted: ConsumeCounters[] = [];
  const sent: OutboxCounters[] = [];
  // two instances with the same counters shape: the second one is history only and falls silent when asked to
  for (const [name, startMinute, seed] of [
    ["web-1", -75, 3],
    ["web-2", -75, 5],
  ] as const) {
    const noise = random(seed);
    for (const { counters } of caches) Object.assign(counters, createCacheCounters());
    for (const { counters } of operations) Object.assign(counters, createOperationCounters());
    for (const { counters } of consumers) Object.assign(counters, createConsumeCounters());
    for (const { counters } of outboxes) Object.assign(counters, createOutboxCounters());
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
    if (name === "web-1") counted.push(...consumers.map(({ counters }) => structuredClone(counters)));
    if (name === "web-1") sent.push(...outboxes.map(({ counters }) => structuredClone(counters)));
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
    progress: null,
    cancelled: false,
    ...over,
  });
  const decisions: AttemptRecord[] = [];
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
    ...(options.poisoned === true
      ? [
          run("c2", {
            ...{ identity: "BK-20302", state: "unknown", refused: null, token: 11 },
            why: "10 attempts ended without an answer",
          }),
        ]
      : []),
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
          ...decisions,
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
  /** Only what a person decides about c1 is remembered. */
  const intervene = (id: string, { does }: Intervention, who: string, why: string): boolean => {
    const found = runs.find((one) => one.id === id);
    if (found?.state !== "unknown") return false;
    const ended = does === "settle";
    Object.assign(found, { state: ended ? "done" : "open", refused: ended ? false : null, why: null });
    const what = {
      settle: "settled",
      answer: "answered",
      forget: "forgotten",
      reopen: "reopened",
      release: "revoked",
      cancel: "cancelled",
    } as const;
    decisions.push({ at: Date.now(), what: what[does], owner: who, token: 2, why });
    if (ended) Object.assign(found, { endedAt: Date.now() });
    return true;
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
    twice: () => Promise.resolve([{ first: runs[3], second: runs[1], name: "" }]),
    intervene: (id: string, intervention: Intervention, { who, why }: Note) =>
      Promise.resolve(intervene(id, intervention, who, why)),
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
  for (const [index, { counters }] of consumers.entries()) Object.assign(counters, counted[index]);
  for (const [index, { counters }] of outboxes.entries()) Object.assign(counters, sent[index]);
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
    decisions: () => [
      ...(options.empty === true ? [] : decided(options.quiet === true)),
      ...loads.map(({ declaration, owner }) => decideLoad(declaration, owner)),
      ...schedules.map(({ declaration, owner }) => decideSchedule(declaration, owner)),
      ...consumers.map(decideConsumer),
      ...outboxes.map((outbox) => decideOutbox(outbox, "booking-team")),
    ],
    "~inside": insideOf("web-1", startedAt, () => Date.now()),
    close: () => {
      clearInterval(timer);
      clearInterval(writer);
      closing.abort();
    },
  };
}
