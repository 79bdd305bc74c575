import type { FastifyInstance } from "fastify";
import { fileBlobs } from "reprise/files";
import { sqliteLedger } from "reprise/sqlite";
import { openDatabase } from "./database/driver.ts";
import { type DatabasePool, openDatabasePool } from "./database/pool.ts";
import { prepareDatabase } from "./database/schema.ts";
import { createGateway } from "./gateway/client.ts";
import { createServer, type ServerSettings } from "./http/server.ts";
import { createMails } from "./mail/client.ts";
import type { Broker } from "./messages/broker.ts";
import { createPrices } from "./prices/client.ts";
import { type Booking, declareBooking, type Pace, production, type Sources } from "./reprise.ts";

/** A connection that its client keeps open after its last answer is cut off. */
const lingerMs = 1_000;

export interface PlatformSettings {
  readonly path: string;
  readonly gateway: string;
  readonly prices: string;
  readonly mails: string;
  /** `null`: messages stay in the ledger. */
  readonly broker: Broker | null;
  /** The directory of the blobs. */
  readonly blobs: string;
  readonly connections: number;
  readonly connectionWaitMs: number;
  readonly availabilityMs: number;
  readonly pace?: Pace | undefined;
  readonly requestMs: number;
  /** What an incident puts in the way. */
  readonly around?: ((sources: Sources) => Sources) | undefined;
  /** What an incident reads availability through instead of the declared cache. */
  readonly reader?: ((booking: Booking, sources: Sources) => ServerSettings["availability"]) | undefined;
}

export interface Platform {
  readonly app: FastifyInstance;
  readonly booking: Booking;
  readonly database: DatabasePool;
  /** Serves what has come, then closes everything. */
  readonly close: () => Promise<void>;
}

/** One process of the platform, not listening yet. The bookings and the ledger share one file, so they commit together. */
export async function openPlatform(settings: PlatformSettings): Promise<Platform> {
  const preparing = openDatabase(settings.path);
  prepareDatabase(preparing);
  preparing.close();
  const database = await openDatabasePool({
    path: settings.path,
    connections: settings.connections,
    waitMs: settings.connectionWaitMs,
  });
  const plain: Sources = {
    database,
    gateway: createGateway(settings.gateway),
    prices: createPrices(settings.prices),
    mails: createMails(settings.mails),
    broker: settings.broker,
    blobs: fileBlobs({ directory: settings.blobs }),
    ledger: sqliteLedger({ path: settings.path }),
    availabilityMs: settings.availabilityMs,
  };
  const sources = settings.around?.(plain) ?? plain;
  const booking = declareBooking(sources, settings.pace ?? production);
  await booking.reprise.start();
  const app = await createServer({
    database,
    booking,
    prices: sources.prices,
    availability: settings.reader?.(booking, sources) ?? booking.availability,
    requestMs: settings.requestMs,
  });
  return {
    app,
    booking,
    database,
    close: async () => {
      const answered = app.close();
      // ends what is under way, and the page's live feed, which else would keep its connection for ever
      await booking.reprise.close();
      const late = setTimeout(() => app.server.closeAllConnections(), lingerMs);
      await answered;
      clearTimeout(late);
      await database.close();
    },
  };
}
