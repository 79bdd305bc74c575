import { join } from "node:path";
import { type Child, startChild } from "../../children.ts";
import { inTransaction, openDatabase } from "../../database/driver.ts";
import { type BookingChange, factTable, plainFactTable, stage, stagingTables } from "../../database/staging.ts";
import { createRandom } from "../../random.ts";
import type { Progress } from "../scratch.ts";
import { type Damage, damageIn } from "./count.ts";
import type { JobOutcome, JobStart } from "./job.ts";
import { type Point, pointsWith, pointsWithout } from "./points.ts";
import { monthsAgain, type Range, type Week } from "./story.ts";

export interface SideSettings {
  readonly side: "without" | "with";
  readonly directory: string;
  readonly weeks: readonly Week[];
  readonly seed: number;
  readonly progress: Progress;
}

/** One kill, and how the week's bookings stand when the job had been run again to its end. */
export interface KilledWeek extends Damage {
  readonly point: Point;
  readonly told: string;
}

export interface SideResult {
  readonly killed: readonly KilledWeek[];
  readonly afterWeeks: Damage;
  readonly afterReplay: Damage;
  readonly months: number;
  readonly bookings: number;
  readonly starts: number;
}

/** Half a minute is a job's lease in production; a rerun here need not wait so long for a dead one. */
export const leaseMs = 1_000;
const gaveUpAfterStarts = 20;

/** One side: each week's job is started, started again while it runs, killed and rerun; then all months are run again. */
export async function runSide(settings: SideSettings): Promise<SideResult> {
  const { side, directory, weeks, progress } = settings;
  const path = join(directory, `${side}.db`);
  const random = createRandom(settings.seed);
  const points: readonly Point[] = side === "with" ? pointsWith : pointsWithout;
  const database = openDatabase(path);
  database.exec(stagingTables + (side === "with" ? factTable : plainFactTable));
  let starts = 0;
  const start = (range: Range, kill: JobStart["kill"] = null) => {
    starts += 1;
    return startJob({ side, path, range, lease: `${leaseMs}ms`, kill });
  };
  const arrived: BookingChange[] = [];
  const killed: KilledWeek[] = [];
  try {
    for (const [at, week] of weeks.entries()) {
      inTransaction(database, () => stage(database, week.deliveries));
      arrived.push(...week.deliveries);
      const point = points[at % points.length] ?? points[0] ?? "check: a row was looked up, nothing written";
      const told = await killAndRerun(week, { point, time: timeOf(point, random) }, start);
      killed.push({ point, told, ...damageIn(path, arrived, week.deliveries) });
      progress(`${side}: week ${at + 1} of ${weeks.length}, ${point}`, (0.85 * (at + 1)) / weeks.length);
    }
    const afterWeeks = damageIn(path, arrived);
    const months = monthsAgain(weeks);
    // two at once, as an operator with six months to repair does it
    for (let at = 0; at < months.length; at += 2) {
      await Promise.all(months.slice(at, at + 2).map((month) => runToEnd(month, start)));
      progress(`${side}: months again, ${at + 2} of ${months.length}`, 0.85 + (0.15 * (at + 2)) / months.length);
    }
    const afterReplay = damageIn(path, arrived);
    const bookings = new Set(arrived.map(({ reference }) => reference)).size;
    return { killed, afterWeeks, afterReplay, months: months.length, bookings, starts };
  } finally {
    database.close();
  }
}

type Start = (range: Range, kill?: JobStart["kill"]) => Promise<Child<"ready">>;

/** The job is started, and a moment later again, by whoever did not see the first one; the first is killed; then it is rerun. */
async function killAndRerun(week: Range, kill: NonNullable<JobStart["kill"]>, start: Start): Promise<string> {
  const [first, second] = await Promise.all([start(week, kill), start(week)]);
  // it may be dead before it could tell that it has begun
  await first.ask("go").catch(() => undefined);
  await second.ask("go");
  const impatient = await second.ask<JobOutcome>("outcome");
  await second.ended;
  const late = setTimeout(() => first.process.kill("SIGTERM"), 20_000);
  await first.ended;
  clearTimeout(late);
  if (first.process.signalCode !== "SIGKILL") throw new Error(`The job did not come to '${kill.point}'.`);
  const { what } = await runToEnd(week, start);
  return `the second start: ${impatient.is === "done" ? "went on to the end" : "running"}; the rerun: ${what}`;
}

/** Starts the job until it comes to its end: whoever was told that it runs tries again when that can be over. */
async function runToEnd(range: Range, start: Start): Promise<JobOutcome & { readonly is: "done" }> {
  for (let tried = 0; tried < gaveUpAfterStarts; tried += 1) {
    const job = await start(range);
    await job.ask("go");
    const outcome = await job.ask<JobOutcome>("outcome");
    await job.ended;
    if (outcome.is === "done") return outcome;
    await new Promise((resolve) => setTimeout(resolve, Math.min(outcome.forMs, leaseMs)));
  }
  throw new Error(`The job was told that it runs ${gaveUpAfterStarts} times.`);
}

function startJob(settings: JobStart): Promise<Child<"ready">> {
  return startChild<"ready">("rerun-job", [JSON.stringify(settings)]);
}

/** Half way through: at some row, or at some window of the seven. */
function timeOf(point: Point, random: () => number): number {
  if (point.startsWith("window:")) return 2 + Math.floor(random() * 4);
  if (point.startsWith("check:") || point.startsWith("write:")) return 30 + Math.floor(random() * 25);
  return 1;
}
