import { sqliteLedger } from "reprise/sqlite";
import { createGateway } from "./gateway/client.ts";
import { declareBooking } from "./reprise.ts";

/** The declarations alone, for `npx reprise contract`: whatever they would use stays closed. */

export const { reprise } = declareBooking({
  database: { query: refuse, close: async () => {} },
  gateway: createGateway("http://localhost:0"),
  ledger: sqliteLedger({ path: "unopened.db" }),
  availabilityMs: 0,
});

async function refuse(): Promise<never> {
  throw new Error("This module only declares. Run the platform with npm start.");
}
