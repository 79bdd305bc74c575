import type { IncidentResult, IncidentSide } from "reprise/page";
import { inScratch, type Progress, together } from "../scratch.ts";
import type { Damage } from "./count.ts";
import { leaseMs, runSide, type SideResult } from "./run.ts";
import { drawWeeks } from "./story.ts";

export interface RerunSettings {
  readonly seed: number;
  /** A few weeks instead of half a year. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export interface Rerun {
  readonly without: Damage;
  readonly with: Damage;
  /** On each side. */
  readonly kills: number;
  readonly result: IncidentResult;
}

/** Kills the nightly job half way, week after week, on both sides; then runs half a year again. */
export async function runRerun({ seed, quick, progress }: RerunSettings): Promise<Rerun> {
  const weeks = drawWeeks(quick ? 4 : 24, seed);
  return inScratch("rerun", async (directory) => {
    const common = { directory, weeks, seed };
    // both wait most of the time: for round trips, for leases
    const progressOf = together(progress, ["without", "with"]);
    const run = (side: "without" | "with") => runSide({ ...common, side, progress: progressOf[side] });
    const [plain, reprise] = await Promise.all([run("without"), run("with")]);
    const kills = weeks.length;
    return {
      without: damageOf(plain),
      with: damageOf(reprise),
      kills,
      result: resultOf(plain, reprise, `npm run -s incident -- rerun --seed ${seed}${quick ? " --quick" : ""}`),
    };
  });
}

/** What must hold of a run, in words; empty: it does. */
export function failuresOf({ without, with: reprise }: Pick<Rerun, "without" | "with">): readonly string[] {
  return [
    without.duplicateRows === 0 ? "without: no row was there twice" : "",
    without.wrongRows === 0 ? "without: no row was wrong" : "",
    reprise.duplicateRows > 0 ? "with: rows were there twice" : "",
    reprise.wrongRows > 0 ? "with: rows were wrong" : "",
  ].filter((failure) => failure !== "");
}

const damageOf = ({ afterReplay }: SideResult): Damage => afterReplay;

function resultOf(plain: SideResult, reprise: SideResult, again: string): IncidentResult {
  const kills = plain.killed.length;
  const bothOf = (of: (side: SideResult) => Damage): readonly number[] =>
    [of(plain), of(reprise)].flatMap(({ duplicateRows, wrongRows }) => [duplicateRows, wrongRows]);
  return {
    at: new Date().toISOString(),
    headline: headlineOf(damageOf(plain), damageOf(reprise)),
    sides: [
      sideOf(plain, "Without", "check, then insert or update, row by row"),
      sideOf(reprise, "With Reprise", "the load as declared in jobs/sales.ts"),
    ],
    rowsTitle: "Where it came from",
    rowsOf: "When",
    rows: [
      {
        taken: `${kills} weeks, each killed, started twice and rerun`,
        figures: bothOf(({ afterWeeks }) => afterWeeks),
      },
      { taken: `and ${plain.months} months run again, two at once`, figures: bothOf(({ afterReplay }) => afterReplay) },
    ],
    rowHeads: ["Twice, without", "Wrong, without", "Twice, with", "Wrong, with"],
    facts: [
      { name: "Kills", value: `${kills} on each side, SIGKILL of the job's own process half way, then a rerun` },
      {
        name: "Starts",
        value: `${plain.starts} without and ${reprise.starts} with; each week's job is started again while it runs`,
      },
      {
        name: "Deliveries",
        value: "changes of bookings into a staging table; 1 in 10 comes twice, some newer ones come before older ones",
      },
      {
        name: "Without",
        value: "no unique key, each statement a transaction of its own, 3 ms to the database and back",
      },
      { name: "Lease", value: `${leaseMs / 1_000} s instead of 30 s, and windows of a day instead of a month` },
      { name: "Twice", value: "rows of the fact table beyond one for each booking" },
      { name: "Wrong", value: "bookings whose row is missing, or is not of the newest version that was delivered" },
    ],
    again,
  };
}

function headlineOf(without: Damage, reprise: Damage): string {
  const rows = ({ duplicateRows, wrongRows }: Damage) =>
    duplicateRows + wrongRows === 0 ? "none" : `${duplicateRows} rows twice and ${wrongRows} wrong`;
  const first = rows(without);
  return `${first.charAt(0).toUpperCase()}${first.slice(1)}, or ${rows(reprise)}.`;
}

function sideOf(side: SideResult, title: string, note: string): IncidentSide {
  const { duplicateRows, wrongRows } = damageOf(side);
  return {
    title,
    note,
    figures: [
      { label: "Rows twice", value: duplicateRows.toLocaleString("en"), unit: "rows", bad: duplicateRows > 0 },
      {
        label: "Wrong rows",
        value: wrongRows.toLocaleString("en"),
        unit: `of ${side.bookings.toLocaleString("en")} bookings`,
        bad: wrongRows > 0,
      },
    ],
    panes: [],
    marks: [],
    kills: {
      height: "how many rows too many there were of that week's bookings when the rerun had ended",
      heads: ["Twice", "Wrong", "What became of the other starts"],
      events: side.killed.map(({ point, told, ...damage }) => ({
        point,
        count: damage.duplicateRows,
        beside: damage.wrongRows,
        told,
        bad: damage.duplicateRows + damage.wrongRows > 0,
      })),
    },
  };
}
