import pg from "pg";
import type { Ledger } from "../../../src/contract/ledger.ts";
import { postgresLedger } from "../../../src/stores/postgres/index.ts";
import { sqliteLedger } from "../../../src/stores/sqlite/index.ts";
import { postgresUrl } from "../../support/postgres.ts";

/** The ledgers that functions race on, by name. `place` is where each process finds the same one. */

interface Store {
  readonly ledger: Ledger<unknown>;
  readonly close: () => Promise<unknown>;
}

export const stores = {
  sqlite: (place: string): Store => ({ ledger: sqliteLedger({ path: place }), close: async () => {} }),
  postgres: (place: string): Store => {
    const pool = new pg.Pool({ connectionString: postgresUrl, max: 8 });
    return { ledger: postgresLedger({ pool, schema: place }), close: () => pool.end() };
  },
} as const satisfies Readonly<Record<string, (place: string) => Store>>;

export type StoreName = keyof typeof stores;
