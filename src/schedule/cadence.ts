import { Cron } from "croner";
import { type Duration, milliseconds } from "../base/duration.ts";
import { RepriseError } from "../base/errors.ts";

/** The nominal instants of a schedule, in milliseconds since the epoch. */
export interface Cadence {
  /** The first one after an instant; `null`: there is none any more. */
  readonly next: (after: number) => number | null;
  /** The last one at or before an instant; `null`: there is none. */
  readonly newest: (until: number) => number | null;
  /** How many there are after `after`, up to `until`; `null`: more than are worth counting. */
  readonly count: (after: number, until: number) => number | null;
}

/** @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION */
export function cadenceOfEvery(every: Duration, where: string): Cadence {
  const stepMs = milliseconds(every, `${where}, every`);
  // the identity of a run is its instant as it is written, which ends with milliseconds
  if (!Number.isInteger(stepMs)) {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: `${where}, every`,
      why: "it is no whole number of milliseconds.",
      mend: "Name a longer time, or a rounder one.",
    });
  }
  const newest = (until: number) => Math.floor(until / stepMs) * stepMs;
  return {
    next: (after) => newest(after) + stepMs,
    newest,
    count: (after, until) => Math.max(0, Math.floor(until / stepMs) - Math.floor(after / stepMs)),
  };
}

/**
 * Of a cron expression in a time zone.
 *
 * @param most what `count` goes through
 * @throws REPRISE_BAD_DECLARATION also where it names no date at all
 */
export function cadenceOfCron(at: string, timeZone: string, where: string, most: number): Cadence {
  const refuse = (why: string, mend: string): never => {
    throw new RepriseError("REPRISE_BAD_DECLARATION", { where, why, mend });
  };
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    refuse(`'${timeZone}' is no time zone.`, "Name one of the IANA database: 'Europe/Berlin', 'UTC'.");
  }
  // a date alone is an expression to croner, and would be due once
  if (!/^(@[a-z]+|\S+(\s+\S+){4,5})$/.test(at.trim())) {
    refuse(`'${at}' is no cron expression.`, "Write five fields, or six with seconds first: '*/15 * * * *'.");
  }
  const cron = parse(at, timeZone) ?? refuse(`'${at}' is no cron expression.`, "Write five fields: '*/15 * * * *'.");
  const next = (after: number) => cron.nextRun(new Date(after))?.getTime() ?? null;
  if (next(0) === null) refuse(`'${at}' names no date.`, "The thirtieth of February never comes: name one that does.");
  return {
    next,
    // the first run before the millisecond that follows
    newest: (until) => cron.previousRuns(1, new Date(until + 1))[0]?.getTime() ?? null,
    count: (after, until) => {
      let counted = 0;
      for (let tick = next(after); tick !== null && tick <= until; tick = next(tick)) {
        counted += 1;
        if (counted > most) return null;
      }
      return counted;
    },
  };
}

function parse(at: string, timezone: string): Cron | undefined {
  try {
    // without the rule a time that a change of the clocks skips would be dropped where the expression lists several hours
    return new Cron(at, { timezone, fixedTimeRule: "no-wildcard", mode: "5-or-6-parts", paused: true });
  } catch {
    return undefined;
  }
}
