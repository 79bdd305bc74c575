import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { Ledger } from "reprise";
import { postgresLedger } from "reprise/postgres";
import { sqliteLedger } from "reprise/sqlite";
import { askPostgres, openPostgresPlace, poolSize, postgresUrl } from "../operations/postgres-place.ts";

/** The stores that functions race on. */
interface Store {
  /** Rejects where the server is not there. */
  readonly create: () => Promise<{ readonly place: string; readonly drop: () => Promise<void> }>;
  /** In each process. */
  readonly open: (place: string) => Ledger<unknown>;
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
    open: (path) => sqliteLedger({ path }),
  },
  postgres: {
    create: async () => {
      await askPostgres();
      const { schema, drop } = await openPostgresPlace();
      return { place: schema, drop };
    },
    open: (schema) =>
      postgresLedger({ pool: new pg.Pool({ connectionString: postgresUrl, max: poolSize / 2 }), schema }),
  },
};
