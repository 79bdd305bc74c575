import type { IncidentResult, IncidentSide } from "reprise/page";
import { inScratch, type Progress, part } from "../scratch.ts";
import type { Figures, Measured } from "./measure.ts";
import { type SideDeclaration, takenAway, withAll, without } from "./protections.ts";
import { recordArrivals, runSide } from "./run.ts";
import { fullScale, story } from "./story.ts";

export interface StampedeSettings {
  readonly seed: number;
  /** Only the two sides, and only the first minute after the announcement. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export interface Stampede {
  readonly without: Figures;
  readonly with: Figures;
  readonly takenAway: readonly ({ readonly taken: string } & Figures)[];
  readonly seed: number;
  readonly arrivals: number;
  readonly scale: number;
  readonly result: IncidentResult;
}

type Side = SideDeclaration & { readonly measured: Measured & { readonly arrived: number } };

/** Replays the same recorded arrivals against every side, one after the other. */
export async function runStampede({ seed, quick, progress }: StampedeSettings): Promise<Stampede> {
  const until = quick ? story.announcement + 60 : story.to;
  const declared = quick ? [without, withAll] : [without, withAll, ...takenAway];
  return inScratch("stampede", async (directory) => {
    const arrivalsFile = await recordArrivals(directory, seed, until);
    const sides: Side[] = [];
    for (const [at, side] of declared.entries()) {
      const own = part(progress, at / declared.length, (at + 1) / declared.length);
      const measured = await runSide({ side, directory, arrivalsFile, scale: fullScale, until, progress: own });
      sides.push({ ...side, measured });
    }
    const [plain, reprise, ...others] = sides;
    if (plain === undefined || reprise === undefined) throw new Error("a side is missing");
    return {
      without: plain.measured.figures,
      with: reprise.measured.figures,
      takenAway: others.map(({ label, measured }) => ({ taken: label, ...measured.figures })),
      seed,
      arrivals: plain.measured.arrived,
      scale: fullScale,
      result: resultOf(plain, reprise, others, seed, until),
    };
  });
}

/** What must hold of a run, in words; empty: it does. */
export function failuresOf({ without: plain, with: reprise }: Pick<Stampede, "without" | "with">): readonly string[] {
  const times = (figures: Figures) => figures.peakQueriesPerSecond / figures.normalQueriesPerSecond;
  return [
    times(plain) < 10 ? "without: the peak is below 10 times the normal level" : "",
    plain.errors === 0 ? "without: nobody saw an error" : "",
    times(reprise) > 1.5 ? "with: the peak is above 1.5 times the normal level" : "",
    reprise.errors > 0 ? "with: people saw errors" : "",
    reprise.outageSeconds > 0 ? "with: there was an outage" : "",
  ].filter((failure) => failure !== "");
}

function resultOf(plain: Side, reprise: Side, others: readonly Side[], seed: number, until: number): IncidentResult {
  const unended = plain.measured.outage.at(-1) === true;
  const seconds = (ms: number) => `${ms / 1_000} s`;
  return {
    at: new Date().toISOString(),
    headline: headlineOf(plain.measured.figures.outageSeconds, reprise.measured.figures.outageSeconds),
    sides: [
      sideOf(plain, "Without", `cache-aside, ${story.lifeSeconds} s, as most people write it`),
      sideOf(reprise, "With Reprise", "as declared in reprise.ts"),
    ],
    rows: others.map(({ label, measured: { figures } }) => ({
      taken: label,
      figures: [figures.peakQueriesPerSecond, figures.outageSeconds, figures.errors],
    })),
    rowHeads: ["Queries/s at most", "Outage, s", "Errors"],
    facts: [
      {
        name: "Arrivals",
        value: `${plain.measured.arrived.toLocaleString("en")} reads, open arrivals, Zipf ${story.popularity} over 200 workshops; the announcement's visitors read ${story.batch} of them; seed ${seed}`,
      },
      {
        name: "Database",
        value: `SQLite, ${story.connections} connections, ${seconds(story.queryMs)} a query (${Math.round(story.queryMs / fullScale)} ms as replayed), an error after ${seconds(story.connectionWaitMs)} without a connection`,
      },
      {
        name: "Requests",
        value: `answered or given up after ${seconds(story.requestMs)}; what a request gave up is not stored${unended ? ", which is why the outage had not ended when the replay did" : ""}`,
      },
      { name: "Keys", value: "those of the batch were set together a life before they expire, at 0" },
      { name: "Normal", value: "the mean of issued queries over the two lives before the announcement" },
      { name: "At most", value: "the busiest 5 s after the announcement, each side beside its own normal" },
      { name: "Outage", value: "a second in which more than 1 in 20 who came then were failed or took over 5 s" },
      { name: "Time", value: `scaled ${fullScale} : 1, everything by the same factor; axes show the original time` },
    ],
    again: `npm run -s incident -- stampede --seed ${seed}${until < story.to ? " --quick" : ""}`,
  };
}

function headlineOf(plain: number, reprise: number): string {
  const length = (seconds: number) =>
    seconds === 0 ? "none" : seconds < 100 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  const first = plain === 0 ? "No outage" : `${length(plain)} of outage`;
  return `${first.charAt(0).toUpperCase()}${first.slice(1)}, or ${length(reprise)}.`;
}

function sideOf({ measured }: Side, title: string, note: string): IncidentSide {
  const { figures, seconds, outage } = measured;
  const times = Math.round((figures.peakQueriesPerSecond / figures.normalQueriesPerSecond) * 10) / 10;
  const slowest =
    figures.p99Ms >= 1_000
      ? { value: (figures.p99Ms / 1_000).toFixed(1), unit: "s" }
      : { value: String(figures.p99Ms), unit: "ms" };
  const first = outage.indexOf(true);
  const last = outage.lastIndexOf(true);
  const pane = { x: seconds };
  return {
    title,
    note,
    figures: [
      { label: "Outage", value: String(figures.outageSeconds), unit: "s", bad: figures.outageSeconds > 0 },
      { label: "Saw an error", value: figures.errors.toLocaleString("en"), unit: "people", bad: figures.errors > 0 },
      {
        label: "Queries at most",
        value: String(figures.peakQueriesPerSecond),
        unit: `/s, ${times}× normal`,
        bad: false,
      },
      { label: "Slowest 1 in 100", ...slowest, bad: false },
    ],
    panes: [
      {
        ...pane,
        title: "Arrivals, per second, the same on both sides",
        unit: "/second",
        scale: "linear",
        lines: [{ name: "arrivals", kind: "area", values: measured.arrivals }],
      },
      {
        ...pane,
        title: "Database queries, per second",
        unit: "/second",
        scale: "linear",
        lines: [{ name: "queries", kind: "area", values: measured.queries }],
        limit: {
          value: Math.round((story.connections * 10_000) / story.queryMs) / 10,
          label: `a pool of ${story.connections} can do ${((story.connections * 1_000) / story.queryMs).toFixed(1)}`,
        },
      },
      {
        ...pane,
        title: "Time to answer: p50 and p99",
        unit: "ms",
        scale: "log",
        lines: [
          { name: "p50", kind: "line", values: measured.p50 },
          { name: "p99", kind: "line", values: measured.p99 },
        ],
      },
      {
        ...pane,
        title: "Errors people saw, per second",
        unit: "/second",
        scale: "linear",
        lines: [{ name: "errors", kind: "bars", values: measured.errors }],
      },
    ],
    marks: [
      { at: story.published, label: "published" },
      { at: 0, label: "expiry" },
      { at: story.announcement, label: "announcement" },
    ],
    ...(first === -1
      ? {}
      : { outage: { from: seconds[first] ?? 0, to: (seconds[last] ?? 0) + 1, seconds: figures.outageSeconds } }),
  };
}
