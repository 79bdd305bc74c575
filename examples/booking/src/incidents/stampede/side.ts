import type { AddressInfo } from "node:net";
import { type Availability, availabilityOf } from "../../database/queries.ts";
import { workshopIds } from "../../database/schema.ts";
import type { ServerSettings } from "../../http/server.ts";
import { openPlatform } from "../../platform.ts";
import type { Booking, Sources } from "../../reprise.ts";
import { createPlainCache } from "./plain-cache.ts";
import { paceOf, type SideDeclaration } from "./protections.ts";
import { story } from "./story.ts";

/**
 * One side of the stampede: the platform in a process of its own, its times `scale` times faster. The sides differ in the
 * cache alone. On `"prepare"` it reads what every key will hold, on `"set"` it sets all keys together; on `"report"` it tells
 * when each availability query was issued.
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
let put: (workshop: string, value: Availability | undefined) => Promise<void> | void = () => undefined;

const platform = await openPlatform({
  path,
  prices: "http://localhost:0",
  mails: "http://localhost:0",
  broker: null,
  blobs: `${path}-blobs`,
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
  put = (workshop, value) => availability.put({ workshop }, value);
  return availability;
}

/** Without Reprise: cache-aside, and what was loaded is stored whenever its query ends. */
function plainReader(_: Booking, sources: Sources): ServerSettings["availability"] {
  const cache = createPlainCache<Availability | undefined>((story.lifeSeconds * 1_000) / scale);
  put = cache.put;
  return readerOf((workshop) => cache.get(workshop, () => load(sources, workshop)));
}

/** The declared cache with its refresh, its stale window and its jitter; but who finds nothing fresh loads for himself. */
function readerWithoutFlight(booking: Booking, sources: Sources): ServerSettings["availability"] {
  const cache = booking.availability;
  put = (workshop, value) => cache.put({ workshop }, value);
  return readerOf(async (workshop) => {
    const held = await cache.peek({ workshop });
    if (held?.state === "fresh") return cache.get({ workshop });
    const loading = load(sources, workshop).then(async (value) => {
      await cache.put({ workshop }, value);
      return value;
    });
    if (held === undefined) return loading;
    loading.catch(() => undefined);
    return held.value;
  });
}

function load(sources: Sources, workshop: string): Promise<Availability | undefined> {
  sources.onAvailabilityQuery?.();
  return availabilityOf(sources.database, workshop, { takesMs: sources.availabilityMs });
}

/** As in Reprise, a request that has waited long enough is answered with an error, and the query it waited for goes on. */
function readerOf(read: (workshop: string) => Promise<Availability | undefined>): ServerSettings["availability"] {
  const until = (signal: AbortSignal | undefined, workshop: string) =>
    new Promise<Availability | undefined>((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
      read(workshop).then(resolve, reject);
    });
  return {
    get: ({ workshop }, options) => until(options?.signal, workshop),
    getMany: (scopes, options) => Promise.all(scopes.map(({ workshop }) => until(options?.signal, workshop))),
  };
}

/** Read beforehand, so that the keys are set within a moment and no query of a visitor's waits for theirs. */
const values = new Map<string, Availability | undefined>();
async function prepare(): Promise<void> {
  for (const workshop of workshopIds) values.set(workshop, await availabilityOf(platform.database, workshop, {}));
}

async function setTogether(): Promise<void> {
  await Promise.all([...values].map(([workshop, value]) => put(workshop, value)));
}

process.on("message", (message) => {
  if (message === "prepare") void prepare().then(() => process.send?.("prepared"));
  if (message === "set") void setTogether();
  if (message === "report") process.send?.({ queries } satisfies SideReport);
});
process.on("SIGTERM", () => void platform.close().then(() => process.exit(0)));
process.on("disconnect", () => process.exit(1));

await platform.app.listen({ host: "127.0.0.1", port: 0 });
process.send?.({ port: (platform.app.server.address() as AddressInfo).port });
