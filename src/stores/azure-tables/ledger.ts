import { type Clock, systemClock } from "../../base/clock.ts";
import { defaults } from "../../base/defaults.ts";
import { type Duration, milliseconds } from "../../base/duration.ts";
import { RepriseError } from "../../base/errors.ts";
import type { Ledger } from "../../contract/ledger.ts";
import { createItemLedger } from "../items/ledger.ts";
import { type AzureTable, azureItems } from "./table.ts";

export interface AzureTablesLedgerOptions {
  /** A `TableClient` of `@azure/data-tables`. The table is created if there is none and the client may. */
  readonly table: AzureTable;
  /** How long one call of the ledger may take in all, the client's own repetitions included. Default: `"10s"`. */
  readonly deadline?: Duration | undefined;
}

/**
 * A ledger on Azure Table Storage, for operations with `effects: "external"`: for functions, which share nothing but a
 * store. Each work with its effects is one entity, and every step one write under its ETag, so a paused owner's late write
 * is refused by the service. Claiming new work takes one request, two with a caller's key; completing it takes one; being
 * told what stands takes two.
 *
 * Leases are judged by the service's clock, which tells whole seconds: none ends early, and a take-over comes up to three
 * seconds late. What is kept of one work, its input, its effects' answers and its outcome together, is at most about 900 KB
 * (`REPRISE_OUTCOME_TOO_LARGE`). The service deletes nothing by itself: instances sweep. To tell the newest runs it reads all
 * works that are kept, 10,000 at most.
 *
 * The service keeps three copies of what it acknowledges. Of an account that replicates to another region (GRS), the last
 * writes may be missing there after a failover: that is not this ledger any more.
 *
 * @throws REPRISE_BAD_DURATION, REPRISE_BAD_DECLARATION at once
 * @example
 * const ledger = azureTablesLedger({ table: TableClient.fromConnectionString(connection, "reprise") });
 */
export function azureTablesLedger(options: AzureTablesLedgerOptions): Ledger<never> {
  return createAzureTablesLedger(options, systemClock);
}

/** `clock`: this process's, for tests alone. */
export function createAzureTablesLedger({ table, deadline }: AzureTablesLedgerOptions, clock: Clock): Ledger<never> {
  if (typeof table?.getEntity !== "function") {
    throw new RepriseError("REPRISE_BAD_DECLARATION", {
      where: "azureTablesLedger, table",
      why: "it has no 'getEntity', so it is no 'TableClient' of @azure/data-tables.",
      mend: "Pass new TableClient(…), which is of one table.",
    });
  }
  const deadlineMs =
    deadline === undefined ? defaults.items.deadlineMs : milliseconds(deadline, "azureTablesLedger.deadline");
  return createItemLedger((telling) => azureItems(table, telling), { deadlineMs, clock });
}
