import { sqliteLedger } from "reprise/sqlite";
import { declareSales } from "../../jobs/sales.ts";
import { declareService } from "../../service.ts";
import { createKillSwitch } from "../kill-switch.ts";
import { checkThenInsert } from "./check-then-insert.ts";
import { killingLedger } from "./killing.ts";
import type { Point } from "./points.ts";
import type { Range } from "./story.ts";

/**
 * One start of the job, in a process of its own that may kill itself. It waits for "go" and answers when its work has begun;
 * "outcome" is answered when that has ended.
 */

export interface JobStart {
  readonly side: "without" | "with";
  readonly path: string;
  readonly range: Range;
  readonly lease: `${number}ms`;
  /** `null`: it comes to its end. */
  readonly kill: { readonly point: Point; readonly time: number } | null;
}
export type JobOutcome =
  /** `what`: what was written, and of which windows. */
  | { readonly is: "done"; readonly what: string }
  /** Another start has the lease. */
  | { readonly is: "running"; readonly forMs: number };

const { side, path, range, lease, kill: armed } = JSON.parse(process.argv[2] ?? "{}") as JobStart;
const kill = createKillSwitch<Point>();
if (armed !== null) kill.arm(armed.point, armed.time);

let told = false;
function begun(): void {
  if (told) return;
  told = true;
  process.send?.("begun");
}

let outcome: Promise<JobOutcome> | undefined;
process.on("message", (message: "go" | "outcome") => {
  if (message === "go") outcome = side === "without" ? runPlain() : runLoad();
  else void outcome?.then((ended) => process.send?.(ended, undefined, undefined, () => process.exit(0)));
});
process.on("disconnect", () => process.exit(1));
const opened = side === "with" ? await openLoad() : undefined;
process.send?.("ready");

async function runPlain(): Promise<JobOutcome> {
  const { inserted, updated } = await checkThenInsert(path, range, kill, begun);
  begun();
  return { is: "done", what: `${inserted} inserted, ${updated} updated` };
}

async function openLoad() {
  const reprise = declareService(killingLedger(sqliteLedger({ path }), kill, begun));
  const { sales } = declareSales(reprise, { every: "3650d", lease, windows: "1d" });
  await reprise.start();
  return { reprise, sales };
}

async function runLoad(): Promise<JobOutcome> {
  if (opened === undefined) throw new Error("The load was not opened.");
  const result = await opened.sales.run(range);
  begun();
  await opened.reprise.close();
  if (result.status === "refused") throw new Error(result.because.map(({ why }) => why).join(" "));
  if (result.status === "running") return { is: "running", forMs: result.forMs ?? 0 };
  const { inserted, updated, windows } = result;
  return {
    is: "done",
    what: `${inserted} inserted, ${updated} updated; windows: ${windows.done} done, ${windows.skipped} were done already`,
  };
}
