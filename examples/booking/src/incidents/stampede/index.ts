import type { IncidentResult, IncidentSide } from "reprise/page";
import { inScratch, type Progress, part } from "../scratch.ts";
import type { Figures, Measured } from "./measure.ts";
import { type SideDeclaration, takenAway, withAll, without } from "./protections.ts";
import { recordArrivals, runSide } from "./run.ts";
import { fullScale, story } from "./story.ts";

export interface StampedeSettings {
  readonly seed: number;
  /** Only the two sides, and only half a minute after the announcement. */
  readonly quick: boolean;
  /** Only the two sides, to their end. */
  readonly twoSides: boolean;
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
export async function runStampede({ seed, quick, twoSides, progress }: StampedeSettings): Promise<Stampede> {
  const until = quick ? story.announcement + 30 : story.to;
  const declared = quick || twoSides ? [without, withAll] : [without, withAll, ...takenAway];
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
    rowsTitle: "The same replay with protections taken away",
    rowsOf: "Taken away",
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
        value: `answered after ${seconds(story.requestMs)} at the latest, with an error if need be; its query goes on, and what it reads is stored`,
      },
      {
        name: "Keys",
        value: `all 200 were set together at ${story.setTogether} s with a life of ${story.lifeSeconds} s, and expire together at 0`,
      },
      { name: "Normal", value: "the mean of issued queries over the two lives before the announcement" },
      { name: "At most", value: "the busiest 5 s from the announcement on, each side beside its own normal" },
      { name: "Counted", value: "errors, outage and the slowest 1 in 100 from the announcement on" },
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
      { at: story.setTogether, label: "all keys set" },
      { at: 0, label: "expiry" },
      { at: story.announcement, label: "announcement" },
    ],
    ...(outage === undefined ? {} : { outage: { ...outage, seconds: figures.outageSeconds } }),
  };
}
