import { fileBlobs } from "reprise/files";
import { sqliteLedger } from "reprise/sqlite";
import { declareEnrichment, type EnrichmentPace } from "../../jobs/enrichment.ts";
import { createPrices } from "../../prices/client.ts";
import { declareService } from "../../service.ts";
import { createKillSwitch } from "../kill-switch.ts";
import { openHistory, withHistory } from "./blob-history.ts";
import { killingBlobs, killingLedger, killingPrices } from "./killing.ts";
import { enrichPending } from "./naive-loop.ts";
import type { Point } from "./points.ts";

/**
 * A worker in a process of its own that kills itself at the point it is told. Without: it works once through what is pending
 * when it is told to go. With: it runs the schedule until it is stopped.
 */

export interface WorkerStart {
  readonly side: "without" | "with";
  readonly path: string;
  readonly prices: string;
  /** What a price takes. */
  readonly worksMs: number;
  readonly directory: string;
  readonly history: string;
  readonly pace: EnrichmentPace;
}
/** `unknown`: of how many records the last tick found that nobody knows whether they were billed. */
export type WorkerOrder = { readonly arm: Point | null; readonly time: number } | "go" | "unknown";

const settings = JSON.parse(process.argv[2] ?? "{}") as WorkerStart;
const kill = createKillSwitch<Point>();
const history = openHistory(settings.history);
const prices = killingPrices(createPrices(settings.prices), kill, settings.worksMs);

process.on("disconnect", () => process.exit(1));
process.on("message", (order: WorkerOrder) => {
  if (order === "go") {
    void work().then(() => process.send?.("done", undefined, undefined, () => process.exit(0)));
  } else if (order === "unknown") {
    void unknown().then((records) => process.send?.(records));
  } else {
    kill.arm(order.arm, order.time);
    process.send?.("armed");
  }
});

let unknown = async () => 0;
if (settings.side === "with") await startSchedule();
process.send?.("ready");

async function work(): Promise<void> {
  await enrichPending({
    ...{ path: settings.path, prices, directory: settings.directory, history },
    at: (step) =>
      kill.at(step === "blob" ? "blob: written, the customer not marked" : "mark: written, the next not begun"),
  });
}

async function startSchedule(): Promise<void> {
  const ledger = killingLedger(sqliteLedger({ path: settings.path }), "customer.enrich", kill);
  const reprise = declareService(ledger);
  const blobs = killingBlobs(withHistory(fileBlobs({ directory: settings.directory }), history), kill);
  const { enrichCustomers } = declareEnrichment(reprise, { prices, blobs }, settings.pace);
  await reprise.start();
  unknown = async () => (await enrichCustomers.standing()).ticks.at(-1)?.counts?.unknown ?? 0;
  process.on("SIGTERM", () => void reprise.close().then(() => process.exit(0)));
}
