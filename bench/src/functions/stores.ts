import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Ledger } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { sqliteLedger } from "reprise/sqlite";
import { askPostgres, openPostgresPlace, poolSize, postgresUrl } from "../operations/postgres-place.ts";
import { startAzurite, startDynalite } from "./emulators.ts";

/** The stores that functions race on. */
interface Store {
  /** Rejects where the server is not there. */
  readonly create: () => Promise<{ readonly place: string; readonly drop: () => Promise<void> }>;
  /** In each process. */
  readonly open: (place: string) => Promise<Ledger<unknown>>;
}

export const stores: Readonly<Record<string, Store>> = {
  sqlite: {
    create: async () => {
      const directory = mkdtempSync(join(tmpdir(), "reprise-functions-"));
      return {
        place: join(directory, "ledger.db"),
        drop: async () => rmSync(directory, { recursive: true, force: true }),
      };
    },
    open: async (path) => sqliteLedger({ path }),
  },
  postgres: {
    create: async () => {
      await askPostgres();
      const { schema, drop } = await openPostgresPlace();
      return { place: schema, drop };
    },
    open: async (schema) =>
      postgresLedger({ pool: new pg.Pool({ connectionString: postgresUrl, max: poolSize / 2 }), schema }),
  },
  // the clients of both clouds are loaded only where they are used
  "azure-tables": {
    create: async () => {
      const { port, stop } = await startAzurite();
      const endpoint = `http://127.0.0.1:${port}/${azuriteAccount}`;
      const account = `AccountName=${azuriteAccount};AccountKey=${azuriteKey}`;
      return { place: `DefaultEndpointsProtocol=http;${account};TableEndpoint=${endpoint};`, drop: stop };
    },
    open: async (connection) => {
      const { TableClient } = await import("@azure/data-tables");
      const { azureTablesLedger } = await import("reprise/azure-tables");
      const table = TableClient.fromConnectionString(connection, "races", { allowInsecureConnection: true });
      return azureTablesLedger({ table });
    },
  },
  dynamodb: {
    create: async () => {
      const { port, stop } = await startDynalite();
      return { place: `http://127.0.0.1:${port}`, drop: stop };
    },
    open: async (endpoint) => {
      const { DynamoDB } = await import("@aws-sdk/client-dynamodb");
      const { dynamoLedger } = await import("reprise/dynamodb");
      const credentials = { accessKeyId: "local", secretAccessKey: "local" };
      return dynamoLedger({ client: new DynamoDB({ endpoint, region: "local", credentials }), table: "races" });
    },
  },
};

/** The one account that every Azurite has; it is printed in its documentation. */
const azuriteAccount = "devstoreaccount1";
const azuriteKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
