import { sqliteLedger } from "reprise/sqlite";
import { createMails } from "../../mail/client.ts";
import { createBroker } from "../../messages/broker.ts";
import { declareReleaseQueue, declareReleases, type ReleasePace } from "../../messages/releases.ts";
import { declareService } from "../../service.ts";
import { createKillSwitch } from "../kill-switch.ts";
import { type InHand, killingMails, killingSource } from "./killing.ts";
import type { Point } from "./points.ts";
import { type Check, consumeWithCheck } from "./usual-check.ts";

/** A consumer in a process of its own that kills itself at the point it is told. */

export type Side = Check | "with";

export interface WorkerStart {
  readonly side: Side;
  readonly path: string;
  readonly mails: string;
  /** `null`: the queue is in the ledger. */
  readonly rabbitmq: { readonly url: string; readonly prefix: string } | null;
  readonly pace: ReleasePace;
}
export type WorkerOrder = { readonly arm: Point | null; readonly time: number } | "in-hand";

const { side, path, mails: address, rabbitmq, pace } = JSON.parse(process.argv[2] ?? "{}") as WorkerStart;
const kill = createKillSwitch<Point>();
const mails = killingMails(createMails(address), kill);
const reprise = declareService(sqliteLedger({ path }));
const broker = rabbitmq === null ? null : createBroker(rabbitmq.url, rabbitmq.prefix);
const { source, inHand } = killingSource(declareReleaseQueue(reprise, broker, pace).source, kill);

process.on("disconnect", () => process.exit(1));
let isClosing = false;
process.on("SIGTERM", () => {
  isClosing = true;
  void reprise.close().then(() => process.exit(0));
});
process.on("message", (order: WorkerOrder) => {
  if (order === "in-hand") return void process.send?.(inHand() satisfies InHand);
  kill.arm(order.arm, order.time);
  process.send?.("armed");
});

if (side === "with") {
  declareReleases(reprise, mails, source, pace);
  await reprise.start();
} else {
  void consumeWithCheck(side, path, source, mails).catch((error: unknown) => {
    if (!isClosing) throw error;
  });
}
process.send?.("ready");
