import type { AddressInfo } from "node:net";
import { type Availability, availabilityOf } from "../../database/queries.ts";
import { workshopIds } from "../../database/schema.ts";
import type { ServerSettings } from "../../http/server.ts";
import { openPlatform } from "../../platform.ts";
import type { Booking, Sources } from "../../reprise.ts";
import { createPlainCache } from "./plain-cache.ts";
import { paceOf, type SideDeclaration } from "./protections.ts";
import { batch, story } from "./story.ts";

/**
 * One side of the stampede: the platform in a process of its own, its times `scale` times faster. The sides differ in the
 * cache alone. On `"fill"` all keys are set together, on `"publish"` those of the batch; on `"report"` it tells when each
 * availability query was issued.
 */

export interface SideSettings {
  readonly path: string;
  readonly scale: number;
  readonly side: SideDeclaration;
}
export interface SideReport {
  /** Milliseconds since the epoch. */
  readonly queries: readonly number[];
}

const { path, scale, side } = JSON.parse(process.argv[2] ?? "{}") as SideSettings;
const queries: number[] = [];
let fill: (workshop: string, value: Availability | null) => Promise<void> | void = () => undefined;

const platform = await openPlatform({
  path,
  gateway: "http://127.0.0.1:9",
  connections: story.connections,
  connectionWaitMs: story.connectionWaitMs / scale,
  availabilityMs: story.queryMs / scale,
  requestMs: story.requestMs / scale,
  pace: paceOf(side.without, scale),
  around: (sources) => ({
    ...sources,
    onAvailabilityQuery: () => queries.push(performance.timeOrigin + performance.now()),
  }),
  reader: side.plain ? plainReader : side.without.includes("flight") ? readerWithoutFlight : declaredReader,
});

function declaredReader({ availability }: Booking): ServerSettings["availability"] {
  fill = (workshop, value) => availability.put({ workshop }, value);
  return availability;
}

/** Without Reprise: cache-aside, its query given up with the request that asked for it. */
function plainReader(_: Booking, sources: Sources): ServerSettings["availability"] {
  const cache = createPlainCache<Availability | null>((story.lifeSeconds * 1_000) / scale);
  fill = cache.put;
  return readerOf((workshop, signal) => cache.get(workshop, () => load(sources, workshop, signal)));
}

/** The declared cache with its refresh, its stale window and its jitter; but who finds nothing fresh loads for himself. */
function readerWithoutFlight(booking: Booking, sources: Sources): ServerSettings["availability"] {
  const cache = booking.availability;
  fill = (workshop, value) => cache.put({ workshop }, value);
  return readerOf(async (workshop, signal) => {
    const held = await cache.peek({ workshop });
    if (held?.state === "fresh") return cache.get({ workshop }, { signal });
    const loading = load(sources, workshop, held === undefined ? signal : undefined).then(async (value) => {
      await cache.put({ workshop }, value);
      return value;
    });
    if (held === undefined) return loading;
    loading.catch(() => undefined);
    return held.value;
  });
}

function load(sources: Sources, workshop: string, signal: AbortSignal | undefined): Promise<Availability | null> {
  sources.onAvailabilityQuery?.();
  return availabilityOf(sources.database, workshop, { takesMs: sources.availabilityMs, signal });
}

function readerOf(
  read: (workshop: string, signal: AbortSignal | undefined) => Promise<Availability | null>,
): ServerSettings["availability"] {
  return {
    get: ({ workshop }, options) => read(workshop, options?.signal),
    getMany: (scopes, options) => Promise.all(scopes.map(({ workshop }) => read(workshop, options?.signal))),
  };
}

/** Their values are read beforehand, so that the keys are set within a moment and no query of a visitor's is among them. */
async function setTogether(workshops: readonly string[]): Promise<void> {
  const values: (Availability | null)[] = [];
  for (const workshop of workshops) values.push(await availabilityOf(platform.database, workshop, {}));
  for (const [at, workshop] of workshops.entries()) await fill(workshop, values[at] ?? null);
}

process.on("message", (message) => {
  if (message === "fill") void setTogether(workshopIds).then(() => process.send?.("filled"));
  if (message === "publish") void setTogether(batch);
  if (message === "report") process.send?.({ queries } satisfies SideReport);
});
process.on("SIGTERM", () => void platform.close().then(() => process.exit(0)));
process.on("disconnect", () => process.exit(1));

await platform.app.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (platform.app.server.address() as AddressInfo).port });
