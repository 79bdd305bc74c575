import pg from "pg";
import type { Ledger } from "../../../src/contract/ledger.ts";
import { azureTablesLedger } from "../../../src/stores/azure-tables/index.ts";
import { dynamoLedger } from "../../../src/stores/dynamodb/index.ts";
import { postgresLedger } from "../../../src/stores/postgres/index.ts";
import { sqliteLedger } from "../../../src/stores/sqlite/index.ts";
import { postgresUrl } from "../../support/postgres.ts";

/** The ledgers that functions race on, by name. `place` is where each process finds the same one. */

interface Store {
  readonly ledger: Ledger<unknown>;
  readonly close: () => Promise<unknown>;
}

export const stores = {
  sqlite: async (place: string): Promise<Store> => ({ ledger: sqliteLedger({ path: place }), close: async () => {} }),
  postgres: async (place: string): Promise<Store> => {
    const pool = new pg.Pool({ connectionString: postgresUrl, max: 8 });
    return { ledger: postgresLedger({ pool, schema: place }), close: () => pool.end() };
  },
  // the clients of both clouds take their time to load
  "azure-tables": async (place: string): Promise<Store> => {
    const { azuriteTable } = await import("../../support/azurite-table.ts");
    const { port, table } = emulatedFrom(place);
    return { ledger: azureTablesLedger({ table: azuriteTable(port, table) }), close: async () => {} };
  },
  dynamodb: async (place: string): Promise<Store> => {
    const { dynaliteClient } = await import("../../support/dynalite-client.ts");
    const { port, table } = emulatedFrom(place);
    const client = dynaliteClient(port);
    return { ledger: dynamoLedger({ client, table }), close: async () => client.destroy() };
  },
} as const satisfies Readonly<Record<string, (place: string) => Promise<Store>>>;

/** A table of an emulator, as a place. */
export interface Emulated {
  readonly port: number;
  readonly table: string;
}

function emulatedFrom(place: string): Emulated {
  return JSON.parse(place) as Emulated;
}

export type StoreName = keyof typeof stores;
