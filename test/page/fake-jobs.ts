import type { Note } from "../../src/contract/ledger.ts";
import { checkNote } from "../../src/contract/note.ts";
import { addCounts, noCounts, type WindowCounts } from "../../src/load/counts.ts";
import type { DeclaredLoad } from "../../src/load/loads.ts";
import type { LoadRun, LoadRunWindow } from "../../src/load/surface.ts";
import { createScheduleCounters } from "../../src/schedule/counters.ts";
import type { DeclaredSchedule } from "../../src/schedule/schedules.ts";
import type { Paused, RecordCounts, Standing, TickEnd, TickResult } from "../../src/schedule/surface.ts";
import { random } from "./random.ts";

/** Loads and schedules with an invented past: a load that runs, one that stopped half way, one of three thousand windows. */

const minuteMs = 60_000;
const dayMs = 86_400_000;

interface Cut {
  readonly windows: number;
  readonly rows: number;
  readonly monthly: boolean;
}

function boundsOf({ windows, monthly }: Cut, index: number): readonly [string | null, string | null] {
  if (!monthly) return [null, null];
  const at = (place: number) => new Date(Date.UTC(2020, place, 1)).toISOString().slice(0, 10);
  return [index === 0 ? null : at(index), index === windows - 1 ? null : at(index + 1)];
}

/** Mostly as it was; of the last windows some is new, and here and there something is odd. */
function countsOf({ windows, rows }: Cut, index: number, first: boolean, noise: () => number): WindowCounts {
  const read = Math.round((rows / windows) * (0.7 + 0.6 * noise()));
  if (first) return { ...noCounts, read, inserted: read };
  const near = Math.max(0, 1 - (windows - 1 - index) / 9);
  const inserted = Math.round(read * 0.5 * near * near);
  const updated = Math.round(read * (0.002 + 0.2 * near * noise()));
  const refusedOlder = noise() < 0.2 ? Math.round(read * 0.01) : 0;
  const tied = index % 31 === 17 ? 3 : 0;
  return {
    ...noCounts,
    ...{ read, inserted, updated, refusedOlder, tied },
    unchanged: read - inserted - updated - refusedOlder - tied,
  };
}

interface RunOptions {
  readonly number: number;
  readonly startedAt: number;
  readonly is: LoadRun["is"];
  readonly done: number;
  /** So many were done by an earlier call, which stopped. */
  readonly before?: number;
  readonly first?: boolean;
  readonly from?: string;
}

function runOf(name: string, cut: Cut, options: RunOptions): LoadRun {
  const { number, startedAt, is, done, before = 0, first = false, from = null } = options;
  const noise = random(number * 7 + cut.windows);
  const windows = Array.from({ length: cut.windows }, (_, index): LoadRunWindow => {
    const [lower, upper] = boundsOf(cut, index);
    const isDone = index < done;
    const counts = isDone ? countsOf(cut, index, first, noise) : null;
    const pause = index >= before && before > 0 ? 30 * minuteMs : 0;
    return {
      ...{ from: lower, to: upper, counts, skipped: isDone && index < before },
      doneAt: isDone ? new Date(startedAt + 900 + index * 650 + pause) : null,
    };
  });
  const last = windows.findLast(({ doneAt }) => doneAt !== null)?.doneAt;
  return {
    ...{ run: `${name}#${number}`, from, to: null, startedAt: new Date(startedAt) },
    endedAt: is === "done" ? (last ?? new Date(startedAt)) : null,
    ...{ is, holder: is === "running" ? "web-1" : null, rows: cut.rows },
    counts: windows.reduce((sum, { counts }) => (counts === null ? sum : addCounts(sum, counts)), noCounts),
    windows,
  };
}

const noRuns = () => Promise.resolve({ status: "running", holder: "web-2", forMs: 21_000 } as const);

export function fakeLoads(now: number, quiet: boolean): readonly DeclaredLoad[] {
  const declare = (
    name: string,
    owner: string,
    from: string,
    into: string,
    by: string | null,
    runs: readonly LoadRun[],
  ) =>
    ({
      ...{ name, owner },
      declaration: {
        ...{ name, owner, from, into, ifRunsAgain: "converges", identity: ["txn_ref", "txn_date"] },
        ...{ newer: "source_version", ifSameVersionDiffers: "refuse", ifSourceRepeatsKey: "refuse" },
        ifSourceLost: "keep",
        windows: by === null ? { rows: 50_000 } : { by, each: "1mo" },
      },
      load: {
        name,
        runs: (limit = 20) => Promise.resolve(runs.slice(0, limit)),
        run: noRuns,
        preview: () =>
          Promise.resolve({
            status: "refused",
            because: [
              {
                ...{ what: "key-missing", table: into, columns: ["txn_ref", "txn_date"] },
                why: `${into} has no unique key over exactly txn_ref, txn_date: two loads at once would insert a row twice.`,
                mend: [`create unique index concurrently "key" on ${into} ("txn_ref", "txn_date")`],
                list: `select "txn_ref", "txn_date", count(*) from ${into} group by 1, 2 having count(*) > 1`,
              },
            ],
          } as const),
        reconcile: () =>
          Promise.resolve({
            ...{ status: "compared", equal: false, missing: 12, differing: 3, older: 0, extra: 1 },
            keys: [{ is: "missing", key: { txn_ref: "canary-key-4111111111111111" } }],
          } as const),
      },
    }) satisfies DeclaredLoad;
  const sales: Cut = { windows: 78, rows: 3_900_000, monthly: true };
  const bookings: Cut = { windows: 24, rows: 1_180_000, monthly: false };
  const events: Cut = { windows: 3_000, rows: 150_000_000, monthly: false };
  return [
    declare("sales.fact", "reporting-team", "staging.transactions", "reporting.fact_sales", "txn_date", [
      quiet
        ? runOf("sales.fact", sales, { number: 12, startedAt: now - 8 * minuteMs, is: "done", done: 78 })
        : runOf("sales.fact", sales, {
            number: 12,
            startedAt: now - 31 * minuteMs,
            is: "running",
            done: 47,
            before: 20,
          }),
      ...[11, 10, 9, 8].map((number) =>
        runOf("sales.fact", sales, { number, startedAt: now - (12 - number) * dayMs, is: "done", done: 78 }),
      ),
      runOf("sales.fact", sales, { number: 7, startedAt: now - 6 * dayMs, is: "done", done: 78, first: true }),
    ]),
    declare("bookings.fact", "reporting-team", "staged_bookings", "fact_bookings", null, [
      quiet
        ? runOf("bookings.fact", bookings, { number: 4, startedAt: now - 2 * 3_600_000, is: "done", done: 24 })
        : runOf("bookings.fact", bookings, { number: 4, startedAt: now - 2 * 3_600_000, is: "unfinished", done: 9 }),
    ]),
    declare("events.archive", "data-team", "a query", "archive.events", null, [
      runOf("events.archive", events, { number: 2, startedAt: now - 9 * 3_600_000, is: "done", done: 3_000 }),
    ]),
    declare("invoices.fact", "finance-team", "staging.invoices", "finance.fact_invoices", "issued_on", []),
  ];
}

interface Pattern {
  readonly is: TickResult;
  readonly late?: number;
  readonly took?: number;
  readonly counts?: Partial<RecordCounts>;
  readonly why?: string;
  readonly ticks?: number;
}

function tickOf(
  at: number,
  everyMs: number,
  { is, late = 400, took = 9_000, counts, why = undefined, ticks = 1 }: Pattern,
): TickEnd {
  const started = is === "ran" || is === "failed" || is === "stopped" || is === "unknown";
  return {
    ...{ at: new Date(at), is, ticks, from: ticks === 1 ? null : new Date(at - (ticks - 1) * everyMs) },
    startedAt: started ? new Date(at + late) : null,
    endedAt: new Date(at + late + (started ? took : 0)),
    lateMs: started ? late : null,
    holder: is === "missed" || is === "paused" ? null : "worker-1",
    counts:
      counts === undefined
        ? null
        : { records: 0, ran: 0, replayed: 0, refused: 0, unknown: 0, failed: 0, running: 0, ...counts },
    why: why ?? null,
  };
}

export function fakeSchedules(now: number, quiet: boolean): readonly DeclaredSchedule[] {
  const declare = (
    name: string,
    owner: string,
    times: { readonly at: string; readonly timeZone: string } | { readonly every: "5m" | "1d" },
    everyMs: number,
    ticks: readonly TickEnd[],
    over: Partial<Standing> = {},
    each?: string,
  ): DeclaredSchedule => {
    let paused: Paused | null = over.paused ?? null;
    const nextAt = (place: number) => new Date((Math.floor(now / everyMs) + place) * everyMs);
    return {
      ...{ name, owner, counters: createScheduleCounters() },
      declaration: {
        ...{ name, owner, ...times, ifStillRunning: "walk-away", ifMissed: { run: "latest", within: "6h" } },
        ...{ costIfTwice: "money", retention: "90d" },
        ...(each === undefined
          ? { run: async () => {} }
          : { work: () => [], each: { name: each, execute: () => Promise.reject() } }),
      },
      next: (count = 1) => Array.from({ length: count }, (_, place) => nextAt(place + 1)),
      standing: () =>
        Promise.resolve({
          ...{ since: ticks[0]?.at ?? null, handledUntil: ticks.at(-1)?.at ?? null, running: null, ticks },
          ...over,
          ...{ paused, next: paused === null ? nextAt(1) : null },
        }),
      run: () => Promise.resolve({ is: "held", holder: "worker-1" }),
      pause: async ({ who, why }: Note) => {
        checkNote({ who, why });
        const changed = paused === null;
        paused ??= { who, why, at: new Date() };
        return changed;
      },
      resume: () => {
        const changed = paused !== null;
        paused = null;
        return Promise.resolve(changed);
      },
    };
  };
  const quarter = 15 * minuteMs;
  const noise = random(11);
  const last = Math.floor(now / quarter);
  const enrich = Array.from({ length: 96 }, (_, place): TickEnd => {
    const at = (last - 96 + place) * quarter;
    const ran = Math.round(12 + 30 * noise());
    const counts = { records: ran + 6, ran, replayed: 6 };
    const plain: Pattern = { is: "ran", took: 3_000 + 40_000 * noise() ** 3, late: 300 + 900 * noise(), counts };
    if (place === 23 || place === 24) return tickOf(at, quarter, { is: "walked-away" });
    if (place === 22) return tickOf(at, quarter, { ...plain, took: 33 * minuteMs });
    if (place === 41) return tickOf(at, quarter, { is: "missed", ticks: 7 });
    if (place === 42) return tickOf(at, quarter, { ...plain, late: 11 * minuteMs });
    if (place === 60)
      return tickOf(at, quarter, {
        is: "paused",
        ticks: 4,
        why: "paused by ann: a new contract; resumed by ann: signed",
      });
    if (place === 75) return tickOf(at, quarter, { ...plain, is: "failed", why: "FetchError ECONNREFUSED" });
    if (place === 76) {
      return tickOf(at, quarter, { ...plain, counts: { ...counts, unknown: 1 }, why: "1 of 44 records did not end" });
    }
    if (place === 83) return tickOf(at, quarter, { ...plain, is: "stopped" });
    return tickOf(at, quarter, plain);
  }).filter((_, place) => !(place > 34 && place < 41) && !(place > 56 && place < 60));
  const five = 5 * minuteMs;
  const load = Array.from({ length: 200 }, (_, place) =>
    tickOf((Math.floor(now / five) - 199 + place) * five, five, {
      is: "ran",
      took: 1_200 + 2_000 * noise(),
      late: 200,
    }),
  );
  const night = Array.from({ length: 9 }, (_, place) =>
    tickOf(now - (9 - place) * dayMs, dayMs, {
      ...(place === 8 && !quiet ? { is: "failed", why: "Error 42P01" } : { is: "ran" }),
      took: 40 * minuteMs * (0.5 + noise()),
    }),
  );
  return [
    declare(
      "customers.enrich",
      "crm-team",
      { at: "*/15 * * * *", timeZone: "Europe/Berlin" },
      quarter,
      enrich,
      quiet
        ? {}
        : {
            running: {
              ...{ at: new Date(last * quarter), startedAt: new Date(now - 20_000), holder: "worker-1", token: 97 },
              ...{ starts: 1, stopping: false },
            },
          },
      "seat.book",
    ),
    declare("bookings.load", "reporting-team", { every: "5m" }, five, load),
    declare("report.nightly", "finance-team", { at: "30 2 * * *", timeZone: "America/New_York" }, dayMs, night),
    declare(
      "reminders.send",
      "booking-team",
      { every: "1d" },
      dayMs,
      [],
      quiet ? {} : { paused: { who: "ann", why: "the mail provider is down", at: new Date(now - 3 * 3_600_000) } },
    ),
  ];
}
