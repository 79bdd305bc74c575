import { type Administration, administer } from "../admin/administration.ts";
import { type ConsumerRow, consumerRow } from "../admin/consumer-rows.ts";
import { consumerChoices, type JobChoice, loadChoices, scheduleChoices } from "../admin/job-choices.ts";
import { type LoadRow, loadRow, loadRunRow, windowRows } from "../admin/load-rows.ts";
import { runRow } from "../admin/rows.ts";
import { type ScheduleRow, scheduleRow } from "../admin/schedule-rows.ts";
import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { withDeadline } from "../base/promise.ts";
import type { Ledger } from "../contract/ledger.ts";
import type { LoadRun } from "../load/surface.ts";
import type { Inside } from "../observe/inside.ts";
import { lettersOf } from "./letters.ts";
import type {
  AskedJob,
  ConsumerAnswer,
  ConsumersAnswer,
  JobKind,
  LoadAnswer,
  LoadsAnswer,
  RecordsAnswer,
  ScheduleAnswer,
  SchedulesAnswer,
} from "./wire.ts";

/** What the page is told of loads, schedules and consumers: each look is bounded, in time and in what it reads. */

const runsListed = 12;
/** More are drawn thinner than a finger or an eye tells apart. */
const windowsAtMost = 240;
/** What stands beside a name in the list of all. */
const ticksInList = 40;
const recordsListed = 8;

export interface Jobs {
  readonly loads: () => Promise<LoadsAnswer>;
  /** `undefined`: there is no such load. */
  readonly load: (name: string, run: string | null) => Promise<LoadAnswer | undefined>;
  readonly schedules: () => Promise<SchedulesAnswer>;
  /** `undefined`: there is no such schedule. */
  readonly schedule: (name: string) => Promise<ScheduleAnswer | undefined>;
  readonly consumers: () => Promise<ConsumersAnswer>;
  /** `undefined`: there is no such consumer. Only with `look` its broker is asked what is set aside. */
  readonly consumer: (name: string, look: boolean) => Promise<ConsumerAnswer | undefined>;
}

export function jobsOf(
  reprise: { readonly "~inside": Inside },
  asked: (kind: JobKind, name: string) => AskedJob | null,
): Jobs {
  const inside = reprise["~inside"];
  const administration = administer(reprise);
  const at = () => inside.clock().now();
  const letters = lettersOf(administration, at);
  return {
    loads: async () => {
      // without one there is no ledger to be asked
      const shown = inside.loads().length === 0 ? [] : await bounded(inside, administration.loads.list());
      return { v: 1, at: at(), loads: shown.map(loadRow) };
    },
    load: async (name, run) => {
      const declared = inside.loads().find((one) => one.name === name);
      if (declared === undefined) return undefined;
      const runs = await bounded(inside, administration.loads.runs(name, runsListed));
      const load = loadRow(await bounded(inside, administration.loads.show(name)));
      const shown = runs.find((one) => one.run === run) ?? runs[0];
      const { windows } = declared.declaration;
      const ranged = typeof windows === "object" && "by" in windows;
      return {
        ...{ v: 1, at: at(), load, runs: runs.map(loadRunRow), shown: shown === undefined ? null : shownRun(shown) },
        ...{ asked: asked("load", name), choices: loadChoices(load, ranged) },
      };
    },
    schedules: async () => {
      const shown = inside.schedules().length === 0 ? [] : await bounded(inside, administration.schedules.list());
      const schedules = shown.map(scheduleRow).map((row) => ({ ...row, ticks: row.ticks.slice(-ticksInList) }));
      return { v: 1, at: at(), schedules };
    },
    schedule: async (name) => {
      const declared = inside.schedules().find((one) => one.name === name);
      if (declared === undefined) return undefined;
      const schedule = scheduleRow(await bounded(inside, administration.schedules.show(name)));
      const choices: readonly JobChoice[] = scheduleChoices(schedule, declared.declaration.costIfTwice);
      return {
        ...{ v: 1, at: at(), schedule, asked: asked("schedule", name), choices },
        next: administration.schedules.next(name, 5).map((tick) => tick.getTime()),
        records: schedule.each === null ? null : await recordsOf(inside, administration, schedule.each),
      };
    },
    consumers: async () => {
      const shown = inside.consumers().length === 0 ? [] : await bounded(inside, administration.consumers.list());
      return { v: 1, at: at(), consumers: shown.map(consumerRow) };
    },
    consumer: async (name, look) => {
      if (!inside.consumers().some((one) => one.name === name)) return undefined;
      const consumer = consumerRow(await bounded(inside, administration.consumers.show(name)));
      if (look && consumer.shows) await letters.look(name);
      const last = asked("consumer", name);
      // what was done since is not in it
      if (consumer.shows && letters.isOlder(name, last)) await letters.look(name);
      return {
        ...{ v: 1, at: at(), consumer, look: letters.last(name) },
        ...{ asked: last, choices: consumerChoices(consumer) },
      };
    },
  };
}

function shownRun(run: LoadRun): LoadAnswer["shown"] {
  return { run: loadRunRow(run), windows: windowRows(run, windowsAtMost) };
}

/** The newest works that the records of a schedule are, and what is pinned of each. */
async function recordsOf(inside: Inside, { list, show }: Administration, operation: string): Promise<RecordsAnswer> {
  const runs = await bounded(inside, list({ operation, limit: recordsListed }));
  const listed: RecordsAnswer["runs"][number][] = [];
  for (const run of runs) {
    // it may be gone by now
    const shown = await bounded(inside, show(run.id)).catch(() => null);
    const effects = shown?.effects.map(({ effect, state }) => ({ effect, pinned: state === "pinned" })) ?? [];
    listed.push({ run: runRow(run), effects });
  }
  return { operation, runs: listed };
}

/** What the questions rest on; nothing where the ledger does not tell. */
export async function jobsSeen({ loads, schedules, consumers }: Jobs): Promise<{
  readonly loads: readonly LoadRow[];
  readonly schedules: readonly ScheduleRow[];
  readonly consumers: readonly ConsumerRow[];
}> {
  const [seenLoads, seenSchedules, seenConsumers] = await Promise.all([
    loads().catch(() => ({ loads: [] })),
    schedules().catch(() => ({ schedules: [] })),
    consumers().catch(() => ({ consumers: [] })),
  ]);
  return { loads: seenLoads.loads, schedules: seenSchedules.schedules, consumers: seenConsumers.consumers };
}

function bounded<T>(inside: Inside, work: Promise<T>): Promise<T> {
  const ledger: Ledger<unknown> | undefined = inside.ledger();
  return withDeadline(
    inside.clock(),
    defaults.page.lookMs,
    work,
    () => new RepriseError("REPRISE_LEDGER_AWAY", { ledger: ledger?.name ?? "", doing: "looking" }),
  );
}
