import type { LedgerSchema } from "../../contract/ledger-schema.ts";
import {
  checkVersion,
  compare,
  compareVersion,
  createdByMigrating,
  createdByOpening,
  type Difference,
  refusePartitions,
} from "../schema.ts";
import type { Connection } from "./driver.ts";
import type { SqliteFile } from "./file.ts";
import { liveTables } from "./live.ts";
import { schemaVersion, statements, tables, versionRow } from "./schema.ts";

/** @throws REPRISE_LEDGER_SCHEMA */
function find(connection: Connection, ledger: string): readonly Difference[] {
  const { version, isThere, differences } = look(connection);
  if (isThere) checkVersion(ledger, version, schemaVersion);
  return differences;
}

function look(connection: Connection) {
  const live = liveTables(connection);
  const isThere = live.has("reprise_meta");
  const [row] = isThere ? connection.all("select value from reprise_meta where name = 'schema'", []) : [];
  const version = row === undefined ? undefined : String(row["value"]);
  return { isThere, version, differences: compare(tables, live, statements) };
}

/**
 * Whether opening has nothing to create.
 * @throws REPRISE_LEDGER_SCHEMA
 */
export function isComplete(connection: Connection, ledger: string): boolean {
  return createdByOpening(find(connection, ledger)).length === 0;
}

/**
 * Creates what is missing, inside the caller's transaction.
 * @throws REPRISE_LEDGER_SCHEMA
 */
export function createTables(connection: Connection, ledger: string, choose = createdByOpening): readonly string[] {
  const missing = choose(find(connection, ledger));
  for (const text of missing) connection.exec(text);
  return missing;
}

export function sqliteSchema(file: SqliteFile, ledger: string): LedgerSchema {
  return {
    statements: (options) => {
      refusePartitions(ledger, options?.partitions);
      return tables.flatMap(statements.create);
    },
    migrate: async (options) => {
      refusePartitions(ledger, options?.partitions);
      return file.unopened("migrate", (connection) => createTables(connection, ledger, createdByMigrating));
    },
    differences: () =>
      file.unopened("compare", (connection) => {
        const { isThere, version, differences } = look(connection);
        return [...(isThere ? compareVersion(version, schemaVersion, versionRow) : []), ...differences];
      }),
  };
}
