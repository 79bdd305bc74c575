import type { AddressInfo } from "node:net";
import { config } from "../../config.ts";
import { openPlatform } from "../../platform.ts";
import { jobsAtRest, type Pace, production, type Sources } from "../../reprise.ts";
import { createKillSwitch } from "../kill-switch.ts";
import { mountKeyTable } from "./key-table.ts";
import { killingGateway, withKillSwitch } from "./killing.ts";
import type { Point } from "./points.ts";

/** The platform in a process that kills itself with SIGKILL at the point it is told. */

export interface PlatformStart {
  readonly path: string;
  readonly gateway: string;
  /** Short, so that a retry need not wait half a minute for a dead owner. */
  readonly lease: Pace["lease"];
}

const { path, gateway, lease } = JSON.parse(process.argv[2] ?? "{}") as PlatformStart;
const kill = createKillSwitch<Point>();
let outer: Sources | undefined;

const platform = await openPlatform({
  path,
  gateway,
  prices: "http://localhost:0",
  mails: "http://localhost:0",
  broker: null,
  blobs: `${path}-blobs`,
  connections: 2,
  connectionWaitMs: config.connectionWaitMs,
  availabilityMs: 0,
  requestMs: config.requestMs,
  pace: { ...production, lease, jobs: jobsAtRest },
  around: (sources) => {
    outer = sources;
    return withKillSwitch(sources, kill);
  },
});
if (outer !== undefined)
  await mountKeyTable(platform.app, platform.database, killingGateway(outer.gateway, kill), kill);

process.on("message", (message: { readonly arm: Point }) => {
  kill.arm(message.arm);
  process.send?.("armed");
});
process.on("SIGTERM", () => void platform.close().then(() => process.exit(0)));
process.on("disconnect", () => process.exit(1));

await platform.app.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (platform.app.server.address() as AddressInfo).port });
