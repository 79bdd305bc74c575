import { RepriseError } from "../../base/errors.ts";
import type { LedgerSchema } from "../../contract/ledger-schema.ts";
import {
  checkVersion,
  compare,
  compareVersion,
  createdByMigrating,
  createdByOpening,
  type Difference,
  mayNotCreate,
  refusePartitions,
} from "../schema.ts";
import type { Database } from "./database.ts";
import { type Connection, isForbidden, isThereAlready } from "./driver.ts";
import { liveTables } from "./live.ts";
import { bytes, textOf } from "./records.ts";
import { schemaVersion, statements, tables, versionRow } from "./schema.ts";

interface Found {
  readonly isThere: boolean;
  readonly version: string | undefined;
  readonly differences: readonly Difference[];
}

async function find(connection: Connection): Promise<Found> {
  const live = await liveTables(connection);
  const isThere = live.has("reprise_meta");
  const { rows } = isThere
    ? await connection.query("select value from reprise_meta where name = ?", [bytes("schema")])
    : { rows: [] };
  const version = rows[0] === undefined ? undefined : textOf(rows[0]["value"]);
  return { isThere, version, differences: compare(tables, live, statements) };
}

/**
 * Creates what opening creates, and nothing where another version's tables are. Whoever may not create tables can still
 * use those that are there.
 * @throws REPRISE_LEDGER_SCHEMA
 */
export function openTables(connection: Connection, ledger: string): Promise<readonly string[]> {
  return create(connection, ledger, createdByOpening);
}

const hidden = "its user may not see the tables that it made";

/** No statement of these waits for a commit, so each instance looks anew for what others have made in the meantime. */
async function create(
  connection: Connection,
  ledger: string,
  choose: (differences: readonly Difference[]) => readonly string[],
): Promise<readonly string[]> {
  const ran: string[] = [];
  for (let before: string | undefined; ; ) {
    const { isThere, version, differences } = await find(connection);
    if (version !== undefined) checkVersion(ledger, version, schemaVersion);
    const [next] = choose(differences);
    if (next === undefined) {
      checkVersion(ledger, version, schemaVersion);
      return ran;
    }
    // made, and still not to be seen: looking again would never end
    if (next === before) throw new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: hidden });
    before = next;
    // another instance has made the first table, and is about to write this row
    const isUnwritten = isThere && version === undefined;
    for (const text of isUnwritten ? [versionRow] : choose(differences)) {
      try {
        await connection.query(text, []);
        ran.push(text);
      } catch (error) {
        if (isForbidden(error)) throw new RepriseError("REPRISE_LEDGER_UNUSABLE", { ledger, why: mayNotCreate }, error);
        if (!isThereAlready(error)) throw error;
      }
    }
  }
}

export function mysqlSchema(database: Database, ledger: string): LedgerSchema {
  return {
    statements: (options) => {
      refusePartitions(ledger, options?.partitions);
      return tables.flatMap((table) => [
        ...statements.create(table),
        ...Object.entries(table.later ?? {}).map(([name, definition]) =>
          statements.addColumn(table, `if not exists ${name}`, definition),
        ),
      ]);
    },
    migrate: async (options) => {
      refusePartitions(ledger, options?.partitions);
      return database.unopened("migrate", (connection) => create(connection, ledger, createdByMigrating));
    },
    differences: () =>
      database.unopened("compare", async (connection) => {
        const { isThere, version, differences } = await find(connection);
        return [...(isThere ? compareVersion(version, schemaVersion, versionRow) : []), ...differences];
      }),
  };
}
