import { countOf, crashRun } from "../crash-run.ts";
import type { Figure } from "../figure.ts";
import { askPostgres } from "../operations/postgres-place.ts";
import { whereIs } from "../operations/standing.ts";
import type { JobPart } from "./parts.ts";

/** A load that is killed and called again; the long run is `npm run crash:load`. */
export const loadCrash: JobPart = ({ quick }) =>
  whereIs("PostgreSQL", askPostgres, async () => {
    const scale = quick ? ["--kills", "3", "--rows", "2000"] : ["--kills", "10"];
    const run = await crashRun("load/run", ["--database", "postgres", ...scale]);
    return [
      none("load.crash.differentTables", countOf(run, "differing"), "tables"),
      none("load.crash.miscounted", countOf(run, "miscounted"), "runs"),
      kills("load.crash.kills", countOf(run, "kills")),
    ];
  });

/** A scheduled worker that meets itself and is killed, beside the naive loop; the long run is `npm run crash:schedule`. */
export const scheduleCrash: JobPart = async ({ quick }) => {
  const options = ["--kills", quick ? "6" : "30"];
  const ours = await crashRun("schedule/run", options);
  const naive = await crashRun("schedule/run", [...options, "--naive"]);
  return {
    figures: [
      none("schedule.billedTwice", countOf(ours, "billedTwice"), "customers"),
      none("schedule.differentBytes", countOf(ours, "differentBlobs"), "blobs"),
      none("schedule.unfinished", countOf(ours, "unfinished"), "customers"),
      kills("schedule.kills", countOf(ours, "kills")),
      { name: "schedule.naive.billedTwice", value: countOf(naive, "billedTwice"), unit: "customers", better: "lower" },
      {
        name: "schedule.naive.differentBytes",
        value: countOf(naive, "differentBlobs"),
        unit: "blobs",
        better: "lower",
      },
      kills("schedule.naive.kills", countOf(naive, "kills")),
    ],
  };
};

function none(name: string, value: number, unit: string): Figure {
  return { name, value, unit, better: "lower", goal: 0 };
}
function kills(name: string, value: number): Figure {
  return { name, value, unit: "kills", better: "higher" };
}
