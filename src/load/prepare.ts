import { defaults } from "../base/defaults.ts";
import { RepriseError } from "../base/errors.ts";
import { canonicalBound } from "./bounds.ts";
import type { Dialect, Job, Session, Survey } from "./dialect.ts";
import { forbidsRepeats, inspect, surveyRefusals } from "./inspect.ts";
import type { LoadRefusal } from "./refusal.ts";
import type { LoadSettings } from "./settings.ts";
import type { RangeOptions } from "./surface.ts";
import type { LoadRange, LoadWindow } from "./window.ts";
import { isEmptyRange, keyWindows, rangeFor, rangeWindows } from "./windows.ts";

/** A run that may begin, or all that keeps it from writing. */
export type Prepared =
  | {
      readonly is: "ready";
      readonly job: Job;
      /** In values of the column that windows are cut by. */
      readonly range: LoadRange;
      readonly survey: Survey;
    }
  | { readonly is: "refused"; readonly because: readonly LoadRefusal[] };

/**
 * The range as the run is known by it, whatever way it was written in.
 * @throws REPRISE_INPUT_INVALID
 */
export function askedRange(settings: LoadSettings, { from, to }: RangeOptions): LoadRange {
  const bound = (given: RangeOptions["from"], name: string): string | null => {
    if (given === undefined) return null;
    if (settings.windows.is !== "by")
      throw invalid(settings, `'${name}' bounds windows of a column, and this load has none`);
    const canonical = canonicalBound(given);
    if (canonical === null) throw invalid(settings, `'${name}' is no month, day, instant or whole number`);
    return canonical;
  };
  return { from: bound(from, "from"), to: bound(to, "to") };
}

/**
 * What a run is called by its caller. An empty name would be one run for ever, and whoever forgot to fill it in would load
 * nothing again.
 * @throws REPRISE_INPUT_INVALID
 */
export function askedName(settings: LoadSettings, run: unknown): void {
  if (run === undefined || (typeof run === "string" && run !== "")) return;
  throw invalid(settings, "'run' is no name: leave it out, or give a text that is not empty");
}

/** @throws REPRISE_INPUT_INVALID */
export function askedCount(settings: LoadSettings, name: "list" | "limit", least: number, given: unknown): void {
  if (typeof given === "number" && Number.isSafeInteger(given) && given >= least) return;
  throw invalid(settings, `'${name}' is no whole number from ${least} on`);
}

/**
 * Looks at the table, the source and its rows, before anything is written.
 * @throws REPRISE_INPUT_INVALID
 */
export async function prepare(
  dialect: Dialect,
  session: Session,
  settings: LoadSettings,
  asked: LoadRange,
): Promise<Prepared> {
  const inspected = await inspect(dialect, session, settings);
  if (inspected.is === "refused") return inspected;
  const { job, source } = inspected;
  const range = rangeOf(settings, job, asked);
  const wants = {
    repeated: job.ifSourceRepeatsKey === "refuse" && !forbidsRepeats(source, job.identity),
    targetBounds: job.by !== null && job.mark !== null,
  };
  const survey = await dialect.survey(session, job, range, wants);
  const because = surveyRefusals(dialect, job, survey);
  return because.length > 0 ? { is: "refused", because } : { is: "ready", job, range, survey };
}

function rangeOf(settings: LoadSettings, { by }: Job, asked: LoadRange): LoadRange {
  if (by === null) return asked;
  const range = rangeFor(by.source.kind, asked);
  if (range === null) throw invalid(settings, `a bound is no value of '${by.name}', which is ${by.source.type}`);
  if (isEmptyRange(by.source.kind, range)) throw invalid(settings, "'from' is not before 'to'");
  return range;
}

/** Cuts what a run goes through. What comes later to the source is in these windows too, or is the next run's. */
export async function cutWindows(
  dialect: Dialect,
  session: Session,
  settings: LoadSettings,
  { job, range, survey }: Extract<Prepared, { readonly is: "ready" }>,
): Promise<{ readonly windows: readonly LoadWindow[] } | { readonly because: readonly LoadRefusal[] }> {
  const { windows } = settings;
  const { mostWindows, windowsWorthwhile } = defaults.load;
  if (windows.is === "whole") return { windows: [{ is: "whole" }] };
  if (windows.is === "by") {
    const cut = rangeWindows(job.by?.source.kind ?? "other", windows.step, range, survey, mostWindows);
    if ("tooMany" in cut) return { because: [tooMany(cut.tooMany)] };
    const isOpen = range.from === null && range.to === null;
    // one open window holds them too
    const hasOthers = isOpen && cut.length > 1 && (survey.windowless > 0 || survey.targetIsWindowless);
    return { windows: hasOthers ? [...cut, { is: "keyless" }] : cut };
  }
  const rows = Math.min(windows.rows, dialect.mostRows ?? windows.rows);
  if (survey.rows < rows * windowsWorthwhile) return { windows: [{ is: "whole" }] };
  const most = survey.rows / rows;
  if (most > mostWindows) return { because: [tooMany(Math.ceil(most))] };
  const cut = keyWindows(await dialect.cut(session, job, rows, mostWindows));
  return { windows: survey.keyless > 0 && cut.length > 1 ? [...cut, { is: "keyless" }] : cut };
}

function tooMany(windows: number): LoadRefusal {
  const atMost = defaults.load.mostWindows;
  return {
    ...{ what: "windows-too-many", windows, atMost },
    why: `the range falls into ${windows} windows, of which a run has at most ${atMost}: name a range, or cut larger ones.`,
    mend: [],
    list: null,
  };
}

function invalid({ name }: LoadSettings, issue: string): RepriseError {
  return new RepriseError("REPRISE_INPUT_INVALID", { operation: name, issues: [issue] });
}
