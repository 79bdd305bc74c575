import { join } from "node:path";
import { fileBlobs } from "reprise/files";
import { sqliteLedger } from "reprise/sqlite";
import { blobsDirectory, config, dataDirectory } from "./config.ts";
import { createGateway } from "./gateway/client.ts";
import { createMails } from "./mail/client.ts";
import { createBroker } from "./messages/broker.ts";
import { createPrices } from "./prices/client.ts";
import { declareBooking } from "./reprise.ts";

/**
 * The declarations alone, for `npx reprise contract`, whatever they would use stays closed; and for `npx reprise operations`,
 * which opens the ledger of the platform that runs, or ran, here.
 */

export const { reprise } = declareBooking({
  database: { query: refuse, close: async () => {} },
  gateway: createGateway("http://localhost:0"),
  prices: createPrices("http://localhost:0"),
  mails: createMails("http://localhost:0"),
  broker: config.rabbitmq === null ? null : createBroker(config.rabbitmq),
  blobs: fileBlobs({ directory: blobsDirectory }),
  ledger: sqliteLedger({ path: join(dataDirectory, "booking.db") }),
  availabilityMs: 0,
});

async function refuse(): Promise<never> {
  throw new Error("This module only declares. Run the platform with npm start.");
}
